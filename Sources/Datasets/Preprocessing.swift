/// What every feature goes through on its way from storage into the net: x' = (Float(x) − offset) · factor.
///
/// Both operations are single, correctly rounded Float operations, so the result is the same on every machine.
public enum Preprocessing: Codable, Equatable, Sendable {
    case none
    /// The same for all features.
    case scalar(offset: Float, factor: Float)
    /// One offset and one factor per feature.
    case perFeature(offset: [Float], factor: [Float])

    /// Whether it fits rows of so many features; descriptions from the wire or a file are checked with it.
    public func fits(featureCount: Int) -> Bool {
        switch self {
        case .none, .scalar: true
        case .perFeature(let offset, let factor): offset.count == featureCount && factor.count == featureCount
        }
    }

    /// Works out the numbers that a description leaves open.
    /// - Parameter rows: the training rows, which `standardize` measures.
    init(_ specification: PreprocessingSpecification, table: Table, rows: [UInt32]) throws(DatasetError) {
        switch specification {
        case .none:
            self = .none
        case .scale(let low, let high):
            let (offset, factor) = (Float(low), Float(1 / (high - low)))
            guard low < high, offset.isFinite, factor.isFinite, factor > 0 else { throw .preprocessing(.scale(low: low, high: high)) }
            self = .scalar(offset: offset, factor: factor)
        case .standardize:
            let moments = Moments(of: table, rows: rows)
            var factors: [Float] = []
            for (feature, deviation) in moments.deviations.enumerated() {
                let factor = Float(1 / deviation)
                guard factor.isFinite, factor > 0 else { throw .preprocessing(.spread(feature: feature, deviation: deviation)) }
                factors.append(factor)
            }
            self = .perFeature(offset: moments.means.map { Float($0) }, factor: factors)
        }
    }
}

/// Standardised regression targets, y' = (y − offset) · factor, and the way back.
public struct TargetScaling: Codable, Equatable, Sendable {
    public let offset: Float
    public let factor: Float

    public init(offset: Float, factor: Float) {
        self.offset = offset
        self.factor = factor
    }

    /// Mean and population standard deviation of the targets of `rows`; equal targets are divided by 1.
    init(values: [Float], rows: [UInt32]) throws(DatasetError) {
        let moments = Moments(width: 1, rows: rows.sorted()) { row, _ in values[row] }
        offset = Float(moments.means[0])
        factor = Float(1 / moments.deviations[0])
        guard factor.isFinite, factor > 0 else { throw .preprocessing(.targetSpread(deviation: moments.deviations[0])) }
    }

    /// A prediction in original units.
    public func original(_ scaled: Double) -> Double {
        scaled / Double(factor) + Double(offset)
    }

    /// A difference of two values, as a root mean square error is, in original units.
    public func originalDifference(_ scaled: Double) -> Double {
        scaled / Double(factor)
    }
}

/// Why features or targets cannot be preprocessed as asked.
public enum PreprocessingFault: Error, Equatable, Sendable, CustomStringConvertible {
    case scale(low: Double, high: Double)
    case spread(feature: Int, deviation: Double)
    case targetSpread(deviation: Double)
    case targetOfClassification

    public var description: String {
        switch self {
        case .scale(let low, let high):
            "data.preprocessing.scale [\(low), \(high)] must be two different finite numbers, the smaller one first, "
                + "with a difference that a 32-bit float can hold"
        case .spread(let feature, let deviation):
            "feature \(feature) (counted from 0) has the standard deviation \(deviation), too \(Self.size(deviation)) to divide by: "
                + "rescale it in the data"
        case .targetSpread(let deviation):
            "the targets have the standard deviation \(deviation), too \(Self.size(deviation)) to divide by: rescale them in the data"
        case .targetOfClassification:
            "data.target_standardize is for regression: class labels are not standardised"
        }
    }

    private static func size(_ deviation: Double) -> String {
        deviation < 1 ? "small" : "large"
    }
}
