internal import Datasets
internal import Foundation
internal import NeuralNet

/// The best prediction that looks at no feature: every class with its share of the rows, or the mean of the targets.
///
/// A net whose loss is not below this one's has learned nothing.
struct TrivialPredictor: Equatable {
    var loss: Double
    /// The share of the most frequent class; nil for regression.
    var accuracy: Double?

    /// - Parameter scaling: of the targets, which the loss is taken of.
    /// - Returns: nil for losses whose best constant is not the mean; R² tells as much there.
    init?(_ table: Table, rows: [UInt32], loss: LossSpecification, scaling: TargetScaling?) {
        guard !rows.isEmpty else { return nil }
        switch table.targets {
        case .classes(let classes, let names):
            var counts = Array(repeating: 0, count: names.count)
            for row in rows { counts[Int(classes[Int(row)])] += 1 }
            let shares = counts.filter { $0 > 0 }.map { Double($0) / Double(rows.count) }
            self.loss = shares.reduce(0) { $0 - $1 * Foundation.log($1) }
            accuracy = shares.max()
        case .values(let values):
            guard loss == .meanSquaredError else { return nil }
            let mean = rows.reduce(0) { $0 + Double(values[Int($1)]) } / Double(rows.count)
            let squares = rows.reduce(0) { $0 + (Double(values[Int($1)]) - mean) * (Double(values[Int($1)]) - mean) }
            let unit = scaling?.originalDifference(1) ?? 1
            self.loss = squares / Double(rows.count) / (unit * unit)
        }
    }
}
