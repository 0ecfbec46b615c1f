/// Parameters, chosen by their names, with options of their own. Whatever is nil is as for everybody.
///
/// The first group that matches a parameter is its group.
public struct ParameterGroup: Codable, Equatable, Sendable {
    /// A bound on rows that a group sets, or lifts.
    public enum RowLimit: Codable, Equatable, Sendable {
        case none
        case length(Double)

        var length: Double? {
            if case .length(let length) = self { length } else { nil }
        }
    }

    /// A glob over names such as `layers.1.weight`; see `GlobPattern`.
    public var match: String
    /// The optimizer's rule with this group's options; nil: the optimizer's own.
    public var rule: RuleSpecification?
    /// Whether AdamW's decay in `rule` is this group's own: it then holds for all that matches, biases included.
    public var setsWeightDecay: Bool
    /// For all that matches, biases included; nil: as everybody's, weights only.
    public var l1: Double?
    public var l2: Double?
    public var maxNorm: RowLimit?
    /// Weights and slots never change.
    public var isFrozen: Bool

    public init(
        match: String, rule: RuleSpecification? = nil, setsWeightDecay: Bool = false, l1: Double? = nil, l2: Double? = nil,
        maxNorm: RowLimit? = nil, isFrozen: Bool = false
    ) {
        self.match = match
        self.rule = rule
        self.setsWeightDecay = setsWeightDecay
        self.l1 = l1
        self.l2 = l2
        self.maxNorm = maxNorm
        self.isFrozen = isFrozen
    }
}
