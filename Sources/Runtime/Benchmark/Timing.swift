internal import OperatingSystem

/// How long one thing took, many times over: median and spread.
public struct Timing: Encodable, Sendable {
    public var repetitions: Int
    public var medianMs: Double
    public var fastestTenthMs: Double
    public var slowestTenthMs: Double

    /// - Parameter durations: in milliseconds, at least one.
    init(_ durations: [Double]) {
        precondition(!durations.isEmpty, "a timing of nothing")
        let sorted = durations.sorted()
        repetitions = sorted.count
        medianMs = sorted[sorted.count / 2]
        fastestTenthMs = sorted[sorted.count / 10]
        slowestTenthMs = sorted[sorted.count * 9 / 10]
    }

    /// Between the points of time behind the first `warmUp` of them; nil where too few are left.
    init?(between times: [Duration], warmUp: Int) {
        let kept = times.dropFirst(warmUp).map(\.seconds)
        guard kept.count >= 2 else { return nil }
        self.init(zip(kept.dropFirst(), kept).map { ($0 - $1) * 1_000 })
    }

    private enum CodingKeys: String, CodingKey {
        case repetitions
        case medianMs = "median_ms"
        case fastestTenthMs = "fastest_tenth_ms"
        case slowestTenthMs = "slowest_tenth_ms"
    }

    /// Milliseconds that `body` takes.
    static func milliseconds(_ body: () throws -> Void) rethrows -> Double {
        let start = Machine.monotonicTime
        try body()
        return (Machine.monotonicTime - start).seconds * 1_000
    }
}
