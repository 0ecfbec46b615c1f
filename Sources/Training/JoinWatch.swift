/// Watches whether a worker that has come makes steps shorter: medians of steps before and after the shards were dealt anew.
///
/// Pure: it is told durations and numbers of workers. Steps that do not count for the clock do not count here.
struct JoinWatch: Sendable {
    /// What has become of a step with more workers, where it takes longer than before.
    struct Slowdown: Equatable, Sendable {
        var workersBefore: Int
        var workers: Int
        var before: Duration
        var after: Duration
    }

    /// Steps whose median is compared.
    static let window = 20
    /// Steps behind a join that do not count: the newcomer's rows still travel.
    static let settling = 10
    /// A step that is longer by less than a tenth is not called slower.
    static let tolerance = 1.1

    private var recent: [Duration] = []
    private var comparison: (workersBefore: Int, workers: Int, before: Duration, seen: Int)?

    /// More workers share the steps from now on.
    mutating func grew(from before: Int, to workers: Int) {
        // Of several that come one after the other, the first is compared with those before all of them.
        if let open = comparison {
            comparison = (open.workersBefore, workers, open.before, 0)
        } else {
            comparison = recent.count == Self.window && before > 0 ? (before, workers, Self.median(recent), 0) : nil
        }
        recent.removeAll(keepingCapacity: true)
    }

    /// Who shares the steps has changed otherwise: durations before and after have nothing to say of each other.
    mutating func changed() {
        comparison = nil
        recent.removeAll(keepingCapacity: true)
    }

    mutating func stepCompleted(in duration: Duration) -> Slowdown? {
        if let open = comparison, open.seen < Self.settling {
            comparison?.seen += 1
            return nil
        }
        if recent.count == Self.window { recent.removeFirst() }
        recent.append(duration)
        guard let open = comparison, recent.count == Self.window else { return nil }
        comparison = nil
        let after = Self.median(recent)
        guard after > open.before * Self.tolerance else { return nil }
        return Slowdown(workersBefore: open.workersBefore, workers: open.workers, before: open.before, after: after)
    }

    private static func median(_ durations: [Duration]) -> Duration {
        durations.sorted()[(durations.count - 1) / 2]
    }
}

extension JoinWatch.Slowdown {
    /// A warning for the person who watches.
    var text: String {
        "with \(workers) workers a step takes \(Wording.milliseconds(after)), with \(workersBefore) it took "
            + "\(Wording.milliseconds(before)): more workers make this run slower here; "
            + "`dnn-coord plan RUN.yaml --workers N` says what a step waits for"
    }
}
