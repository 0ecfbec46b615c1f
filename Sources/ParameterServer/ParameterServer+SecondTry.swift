internal import Exactness
internal import Kernels

/// A gradient that is not finite is not believed before it has been computed twice.
extension ParameterServer {
    /// Takes off the contributions to `chunk` that are not finite at `element`, for their shards to be computed again.
    ///
    /// nil where there is nothing to try: it has been tried, or what came is finite and only the sum is not.
    func secondTry(_ chunk: Int, element: Int) -> Progress? {
        let ledger = ledgers[chunk]
        let suspects = ledger.contributions.filter { !$0.body[element - ledger.range.lowerBound].isFinite }.map(\.node)
        suspectShards = ShardSet()
        for node in suspects {
            for shard in tree.shards(of: node) where presentShards[shard] { suspectShards.insert(shard) }
        }
        guard recomputes, !suspects.isEmpty, !ledger.isSecondTry else { return nil }
        // What else has come of the same computation is no better; chunks that are being reduced or updated show it by themselves.
        for other in ledgers where other === ledger || other.state == .gathering {
            other.takeOff(suspects, tree: tree, isPresent: { presentShards[$0] }, release: release)
        }
        return .suspicious(element: element)
    }
}

extension ChunkLedger {
    /// Goes back to gathering without the contributions of `nodes`, where it has any; their memory is given back.
    fileprivate func takeOff(_ nodes: [TreeNode], tree: ShardTree, isPresent: (Int) -> Bool, release: (Int) -> Void) {
        for contribution in contributions where nodes.contains(contribution.node) {
            remove(contribution, shards: tree.shards(of: contribution.node), isPresent: isPresent)
            release(contribution.token)
            isSecondTry = true
            state = .gathering
        }
    }
}
