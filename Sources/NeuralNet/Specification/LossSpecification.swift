/// What is minimised: a mean over rows.
public enum LossSpecification: Codable, Equatable, Sendable {
    /// Takes logits; targets are class numbers, of which `labelSmoothing` goes to all classes alike.
    case softmaxCrossEntropy(labelSmoothing: Double)
    /// Takes one logit per row; targets are 0 or 1.
    case binaryCrossEntropy
    /// These average over all elements of a row's output, then over rows.
    case meanSquaredError
    case meanAbsoluteError
    /// Quadratic up to `delta`, linear beyond; Huber, "Robust Estimation of a Location Parameter", 1964.
    case huber(delta: Double = 1)

    /// Without smoothing.
    public static var softmaxCrossEntropy: Self { .softmaxCrossEntropy(labelSmoothing: 0) }

    public var keyword: String {
        switch self {
        case .softmaxCrossEntropy: "softmax_cross_entropy"
        case .binaryCrossEntropy: "binary_cross_entropy"
        case .meanSquaredError: "mean_squared_error"
        case .meanAbsoluteError: "mean_absolute_error"
        case .huber: "huber"
        }
    }

    /// Whether targets are class numbers, not values.
    public var takesLabels: Bool {
        if case .softmaxCrossEntropy = self { true } else { false }
    }

    /// Whether it compares values, so that there are errors to square and no classes to count.
    public var isRegression: Bool {
        switch self {
        case .meanSquaredError, .meanAbsoluteError, .huber: true
        case .softmaxCrossEntropy, .binaryCrossEntropy: false
        }
    }
}
