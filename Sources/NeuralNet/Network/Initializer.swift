internal import Exactness
internal import Kernels

/// How one parameter starts, its fans known.
///
/// With fans as in PyTorch (a weight `[outputs, inputs]` has fan-in `inputs`, fan-out `outputs`):
/// He: σ = √(2 / fan-in), He et al., "Delving Deep into Rectifiers", ICCV 2015, eq. 10;
/// Xavier: σ = √(2 / (fan-in + fan-out)), Glorot and Bengio, AISTATS 2010, eq. 12. A uniform one has the same variance: bound = σ·√3.
struct Initializer: Sendable {
    private enum Law: Sendable {
        case constant(Float)
        case normal(standardDeviation: Double)
        case uniform(bound: Double)
    }

    private let law: Law

    /// Nil if a number is not finite or a deviation negative.
    init?(_ specification: InitializerSpecification, inputs: Int, outputs: Int) {
        let he = (2 / Double(inputs)).squareRoot()
        let xavier = (2 / (Double(inputs) + Double(outputs))).squareRoot()
        switch specification {
        case .heNormal: law = .normal(standardDeviation: he)
        case .heUniform: law = .uniform(bound: (6 / Double(inputs)).squareRoot())
        case .xavierNormal: law = .normal(standardDeviation: xavier)
        case .xavierUniform: law = .uniform(bound: (6 / (Double(inputs) + Double(outputs))).squareRoot())
        case .normal(let deviation):
            guard deviation >= 0, Float(deviation).isFinite else { return nil }
            law = .normal(standardDeviation: deviation)
        case .constant(let value):
            guard Float(value).isFinite else { return nil }
            law = .constant(Float(value))
        }
    }

    /// Element e takes word e mod 4 of block e / 4 of the entry's own stream.
    func fill(_ values: MutableFloatView, seed: UInt64, entry: Int) {
        let stream = RandomStream(seed: seed, purpose: .initialization, layer: entry)
        switch law {
        case .constant(let value):
            values.fill(value)
        case .normal(let deviation):
            Self.draw(values, from: stream) { Float(deviation * NormalDistribution.quantile($0)) }
        case .uniform(let bound):
            Self.draw(values, from: stream) { Float(bound * (2 * $0 - 1)) }
        }
    }

    /// `value` gets a uniform number, never 0 or 1.
    private static func draw(_ values: MutableFloatView, from stream: RandomStream, _ value: (Double) -> Float) {
        for block in 0..<(values.count + 3) / 4 {
            let words = stream.words(block)
            for word in 0..<min(4, values.count - 4 * block) {
                values[4 * block + word] = value((Double(words[word]) + 0.5) * 0x1p-32)
            }
        }
    }
}

extension InitializerSpecification {
    /// Whether the spread follows from the shape of a weight.
    var dependsOnFans: Bool {
        switch self {
        case .heNormal, .heUniform, .xavierNormal, .xavierUniform: true
        case .normal, .constant: false
        }
    }
}
