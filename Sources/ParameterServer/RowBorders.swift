internal import Exactness
internal import Optimization

/// Which chunks share rows whose length is bounded: a row is scaled as a whole, by the task of the chunk that it begins in.
struct RowBorders {
    /// By chunk: the last one that a bounded row beginning in it reaches; nil where none begins.
    private let lastReached: [Int?]
    /// By chunk: the one that the row over its lower border begins in, itself if there is none.
    private let firstReaching: [Int]

    init(chunks: ChunkMap, updater: Updater) {
        var first = Array(0..<chunks.count)
        lastReached = (0..<chunks.count).map { chunk in
            updater.endOfLimitedRows(beginningIn: chunks.range(chunk)).map { end in
                let last = chunks.chunks(covering: end - 1..<end).lowerBound
                for reached in chunk + 1..<last + 1 { first[reached] = chunk }
                return last
            }
        }
        firstReaching = first
    }

    /// Whether a chunk has a task for its rows.
    func hasRows(_ chunk: Int) -> Bool { lastReached[chunk] != nil }

    /// The chunks that must be updated before the rows of `chunk` are scaled.
    func needed(by chunk: Int) -> ClosedRange<Int> { chunk...(lastReached[chunk] ?? chunk) }

    /// Whether no bounded row lies over the lower border of `chunk`.
    func isBeginning(_ chunk: Int) -> Bool { firstReaching[chunk] == chunk }

    /// The chunk whose rows must be scaled, beside its own, before `chunk` is ready.
    func origin(of chunk: Int) -> Int { firstReaching[chunk] }
}
