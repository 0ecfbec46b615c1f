/// Why a rule cannot be used, or a step cannot be taken.
public enum OptimizationError: Error, Equatable, CustomStringConvertible {
    /// An option, by its name in a run file, with what is wrong and what is allowed.
    case option(String, problem: String)
    /// As `option`, of the group with this index.
    case groupOption(Int, String, problem: String)
    /// A group's pattern matches no parameter; these are there.
    case unmatchedPattern(group: Int, String, names: [String])
    /// Groups freeze every parameter.
    case everythingFrozen
    /// The summed gradient is NaN or infinite at `element` of the layout; the step was not taken.
    case gradientNotFinite(element: Int, step: UInt64)
    /// The loss is NaN or infinite before the step has moved; it was not taken.
    case lossNotFinite(step: UInt64)

    public var description: String {
        switch self {
        case .option(let name, let problem): "\(name): \(problem)"
        case .groupOption(let group, let name, let problem): "groups[\(group)].\(name): \(problem)"
        case .unmatchedPattern(_, let pattern, let names):
            "\"\(pattern)\" matches no parameter; there are \(names.joined(separator: ", "))"
        case .everythingFrozen: "every parameter is frozen, so there is nothing to train"
        case .gradientNotFinite(let element, let step):
            "the gradient of step \(step) is not finite (first at element \(element)); the weights are those before it. "
                + "A lower learning rate, or clipping, often helps"
        case .lossNotFinite(let step):
            "the loss of step \(step) is not finite; the weights are those before it"
        }
    }
}
