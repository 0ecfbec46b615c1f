internal import NeuralNet
internal import Wire

/// Rows counted by their class and the one that they were taken for.
struct ConfusionTally {
    private var counts: [UInt64: UInt32] = [:]

    /// Counts the rows of slots that have just been evaluated.
    mutating func count(_ slots: [LeafSlot], in engine: LeafEngine) {
        for slot in slots {
            for row in 0..<slot.rows {
                let truth = engine.trueClass(slot: slot.slot, row: row), found = engine.foundClass(slot: slot.slot, row: row)
                counts[UInt64(truth) << 32 | UInt64(found), default: 0] += 1
            }
        }
    }

    /// Ascending by truth, then by what was found.
    var pairs: [ConfusionCount] {
        counts.sorted { $0.key < $1.key }.map {
            ConfusionCount(truth: UInt32($0.key >> 32), found: UInt32(truncatingIfNeeded: $0.key), count: $0.value)
        }
    }
}
