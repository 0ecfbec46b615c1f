/// The median duration of recent steps, from which deadlines are made.
struct StepClock: Sendable {
    private static let capacity = 65
    private var durations: [Duration] = []
    private var next = 0
    private var isMeasuring = false
    /// When the step under way began.
    private(set) var stepBegan = Duration.zero

    init() {
        durations.reserveCapacity(Self.capacity)
    }

    /// A pause that is no part of a step ends at `now`.
    mutating func restart(at now: Duration) {
        stepBegan = now
        isMeasuring = true
    }

    /// The step under way does not count unless nothing better is known: rows travel in it, or it is computed twice.
    mutating func disturb() {
        isMeasuring = false
    }

    /// Nobody was looking for `gap` until `now`.
    mutating func shift(by gap: Duration, until now: Duration) {
        stepBegan = min(stepBegan + gap, now)
    }

    /// - Returns: how long the step took; nil if it was disturbed.
    @discardableResult
    mutating func stepCompleted(at now: Duration) -> Duration? {
        let duration = now - stepBegan, wasMeasuring = isMeasuring
        if isMeasuring || durations.isEmpty {
            if durations.count < Self.capacity {
                durations.append(duration)
            } else {
                durations[next] = duration
                next = (next + 1) % Self.capacity
            }
        }
        restart(at: now)
        return wasMeasuring ? duration : nil
    }

    /// Of an even number the lower one, so that one odd step of the first two is not taken for the rule.
    var median: Duration? {
        durations.isEmpty ? nil : durations.sorted()[(durations.count - 1) / 2]
    }
}
