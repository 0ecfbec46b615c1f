public import Exactness

/// Mode fast: the sum of a chunk's contributions in the order in which they arrive, which is noted for a replay.
///
/// They are added in the pass that updates, as in exact mode: adding each as it comes would read and write a chunk once more per
/// contribution, and memory is what an update waits for.
extension ParameterServer {
    /// Sums contributions in their order of arrival from now on. To be called before anything is offered.
    ///
    /// - Parameter note: called when a step is complete, while `version` is still the one before it and its arrivals can be asked for.
    public func sumInArrivalOrder(_ note: @escaping (ParameterServer) -> Void) {
        for ledger in ledgers where !ledger.isTail { ledger.isInArrivalOrder = true }
        noteArrivals = note
    }

    /// The chunks whose arrivals make a difference: all but the one of running statistics, which is summed in tree order.
    public var chunksInArrivalOrder: Range<Int> { 0..<ledgers.count { !$0.isTail } }

    /// How many contributions a chunk has in the step under way.
    public func arrivalCount(ofChunk chunk: Int) -> Int { ledgers[chunk].contributions.count }

    /// The node of a chunk's contribution, by its place in the order of arrival.
    public func arrival(_ index: Int, ofChunk chunk: Int) -> TreeNode { ledgers[chunk].contributions[index].node }
}
