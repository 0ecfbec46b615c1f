/// The losses of the steps between two lines of the history, in training mode: each at the weights that its step began with.
///
/// They come with the gradients, so they cost nothing, and they tell what a look at the end of an epoch can't: what the net gave before it
/// had learned anything, whether it blew up on the way, and how much harder dropout makes the task.
struct StepLosses: Codable, Sendable {
    /// As it is written; a figure that is not finite is left out.
    struct Report: Encodable, Equatable {
        var first: Double?
        var last: Double?
        var mean: Double?
        var highest: Double?
        /// Rows that were trained on: each row of the training part once per epoch.
        var samples: Int?
    }

    private var first = 0.0
    private var last = 0.0
    private var sum = 0.0
    private var highest = 0.0
    private var count = 0
    /// nil goes on from a checkpoint in which they were not counted.
    private var samples: Int? = 0

    mutating func note(_ loss: Double, samples: Int) {
        if count == 0 { (first, highest) = (loss, loss) }
        last = loss
        sum += loss
        // A loss that is no number stays the highest.
        if !highest.isNaN, !(loss <= highest) { highest = loss }
        count += 1
        self.samples? += samples
    }

    /// What was noted since the last call; nil if nothing was.
    mutating func take() -> Report? {
        guard count > 0 else { return nil }
        func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }
        defer { self = StepLosses() }
        return Report(
            first: finite(first), last: finite(last), mean: finite(sum / Double(count)), highest: finite(highest), samples: samples)
    }
}
