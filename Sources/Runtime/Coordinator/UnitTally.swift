internal import NeuralNet
internal import Wire

/// What the units of the observed layers did on the sample, shard by shard, in the evaluation that is under way.
///
/// It goes past the state machine, as bodies do: nothing is decided by it. A shard that comes twice brings the same.
struct UnitTally {
    private var evaluation: UInt64 = 0
    private var shards: [Int: [UnitFigures]] = [:]

    mutating func begin(_ evaluation: UInt64) {
        guard evaluation != self.evaluation else { return }
        self = UnitTally()
        self.evaluation = evaluation
    }

    mutating func take(evaluation: UInt64, shard: Int, _ figures: [UnitFigures]) {
        if evaluation == self.evaluation { shards[shard] = figures }
    }

    /// Shares per layer, by its index; nothing of a layer whose shards do not agree in form.
    /// - Parameter rows: of the sample; every one of them was looked at.
    func shares(_ observed: [ObservedUnits], rows: Int) -> [Int: UnitShares] {
        var shares: [Int: UnitShares] = [:]
        guard rows > 0, !shards.isEmpty else { return shares }
        for (index, units) in observed.enumerated() {
            let parts = shards.values.compactMap { $0.indices.contains(index) ? $0[index] : nil }
            guard let first = parts.first else { continue }
            let joined = parts.dropFirst().reduce(first as UnitFigures?) { $0?.joined(with: $1) }
            if let joined { shares[units.layer] = UnitShares(joined, of: units, rows: rows) }
        }
        return shares
    }
}

/// A layer's line in the history, as far as its units go.
struct UnitShares: Equatable {
    var dead: Double?
    var saturated: Double?
    var pieceWins: [Double]?

    init(_ figures: UnitFigures, of units: ObservedUnits, rows: Int) {
        switch figures {
        case .alive(let marks):
            // Padding of a layout is always 0 and no unit.
            let zeros = marks.count { $0 == 0 } - (marks.count - units.width)
            dead = Double(max(0, zeros)) / Double(units.width)
        case .outside(let count): saturated = Double(count) / Double(rows * units.width)
        case .wins(let wins): pieceWins = wins.map { Double($0) / Double(rows * units.width) }
        }
    }
}
