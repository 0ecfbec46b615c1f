/// What the figures of the verdict cost, from one run: norms are taken in every second step, and each epoch ends with a validation.
///
/// Both kinds of steps share whatever else the machine does, so their medians can be compared where absolute times cannot.
public struct FiguresMeasurement: Encodable, Sendable {
    /// Processor time of the coordinator that a step with norms takes more than one without.
    public var normsMilliseconds: Double
    /// The same as a share of a step's time.
    public var normsShare: Double
    /// What a validation without held-out rows holds up the step behind it: the pass over the sample, with what units did, and the line of
    /// the history.
    public var validationMilliseconds: Double

    private enum CodingKeys: String, CodingKey {
        case normsMilliseconds = "norms_ms"
        case normsShare = "norms_share"
        case validationMilliseconds = "validation_ms"
    }

    /// Pairs take turns: blocks of memory do so from step to step.
    static func hasNorms(_ version: UInt64) -> Bool {
        version / 2 % 2 == 0
    }

    /// A version and when it was complete.
    struct Completion {
        var version: UInt64
        var wall: Duration
        var processor: Duration
    }

    /// - Parameters:
    ///   - completions: one version after the other.
    ///   - epoch: its steps, a multiple of 4.
    init?(_ completions: some Collection<Completion>, epoch: Int) {
        var with: [Double] = [], without: [Double] = [], wall: [Double] = [], held: [Double] = []
        for (before, after) in zip(completions, completions.dropFirst()) {
            let time = (after.wall - before.wall).seconds * 1_000
            guard before.version % UInt64(epoch) != 0 else {
                held.append(time)
                continue
            }
            wall.append(time)
            let processor = (after.processor - before.processor).seconds * 1_000
            if Self.hasNorms(after.version) { with.append(processor) } else { without.append(processor) }
        }
        guard !with.isEmpty, !without.isEmpty, !held.isEmpty else { return nil }
        let step = Self.median(wall)
        normsMilliseconds = Self.median(with) - Self.median(without)
        normsShare = normsMilliseconds / step
        validationMilliseconds = Self.median(held) - step
    }

    private static func median(_ values: [Double]) -> Double {
        values.sorted()[values.count / 2]
    }
}
