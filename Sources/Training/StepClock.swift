/// The median duration of recent steps, from which deadlines are made.
struct StepClock: Sendable {
    private static let capacity = 65
    private var durations: [Duration] = []
    private var next = 0
    private(set) var lastCompletion: Duration?

    init() {
        durations.reserveCapacity(Self.capacity)
    }

    /// A pause that is no part of a step ends at `now`.
    mutating func restart(at now: Duration) {
        lastCompletion = now
    }

    mutating func stepCompleted(at now: Duration) {
        if let last = lastCompletion {
            let duration = now - last
            if durations.count < Self.capacity {
                durations.append(duration)
            } else {
                durations[next] = duration
                next = (next + 1) % Self.capacity
            }
        }
        lastCompletion = now
    }

    var median: Duration? {
        durations.isEmpty ? nil : durations.sorted()[durations.count / 2]
    }
}
