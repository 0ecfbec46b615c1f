import Exactness
import Kernels
import NeuralNet
import Testing

/// Against PyTorch in double precision.
@Suite struct OracleTests {
    /// Relative to the largest value: a few roundings of Float.
    static let tolerance = 1e-5
    /// Weights after whole runs: Adam divides by the root of the second moment, which magnifies roundings of small gradients.
    static let runTolerance = 1e-3

    /// The case's rows come out of a first dense layer without bias: inputs are the unit vectors, its weight is xᵀ. So its outputs are
    /// exactly x, and its weight's gradient is exactly dxᵀ. The targets are chosen so that the loss's gradient is dy.
    @Test(arguments: ProductPath.allCases)
    func layersAgree(path: ProductPath) throws {
        var compared = 0
        for oracle in try Oracles.cases("layers.json", Oracles.Layer.self) {
            guard let kind = Self.kind(oracle) else { continue }
            let rows = oracle.x.shape[0], width = oracle.x.shape[1], outputs = oracle.y.shape[1]
            let model = net([rows], [.dense(units: width, bias: false), kind], .meanSquaredError)
            let targets = zip(oracle.y.values, oracle.dy.values).map { Float($0 - $1 * Double(outputs) / 2) }
            let unit = (0..<rows).flatMap { row in (0..<rows).map { $0 == row ? Float(1) : 0 } }
            let transposed = (0..<width).flatMap { column in (0..<rows).map { Float(oracle.x.values[$0 * width + column]) } }
            let parameters = ["weight", "bias", "slope", "scale", "shift"].flatMap { oracle.named[$0]?.floats ?? [] }
            let leaf = try SingleLeaf(
                model, Rows(features: unit, targets: targets, count: rows), weights: block(transposed + parameters), path: path)

            #expect(worst(leaf.evaluate().0, oracle.y.values) <= Self.tolerance, "\(oracle.layer) forward")
            let gradient = values(try leaf.gradient().0)
            let expected = (0..<width).flatMap { column in (0..<rows).map { oracle.dx.values[$0 * width + column] } }
            #expect(worst(Array(gradient[..<transposed.count]), expected) <= Self.tolerance, "\(oracle.layer) input gradient")
            for (name, tensor) in oracle.namedGradients {
                guard let entry = leaf.network.layout.entry(named: "layers.1.\(name)") else {
                    Issue.record("\(oracle.layer) has no \(name)")
                    continue
                }
                #expect(entry.shape == tensor.shape)
                #expect(worst(Array(gradient[entry.range]), tensor.values) <= Self.tolerance, "\(oracle.layer) gradient of \(name)")
            }
            compared += 1
        }
        #expect(compared >= 20)
    }

    @Test(arguments: ProductPath.allCases)
    func lossesAgree(path: ProductPath) throws {
        var compared = 0
        for oracle in try Oracles.cases("losses.json", Oracles.Loss.self) {
            guard let loss = Self.loss(oracle) else { continue }
            let rows = oracle.prediction.shape[0], width = oracle.prediction.shape[1]
            let unit = (0..<rows).flatMap { row in (0..<rows).map { $0 == row ? Float(1) : 0 } }
            let transposed = (0..<width).flatMap { column in (0..<rows).map { Float(oracle.prediction.values[$0 * width + column]) } }
            let leaf = try SingleLeaf(
                net([rows], [.dense(units: width, bias: false)], loss),
                Rows(features: unit, labels: oracle.target.values.map { Int32($0) }, targets: oracle.target.floats, count: rows),
                weights: block(transposed), path: path)
            let (gradient, figures) = try leaf.gradient()
            #expect(abs(figures.lossSum / Double(rows) - oracle.value) <= Self.tolerance * abs(oracle.value), "\(oracle.loss)")
            #expect(leaf.evaluate().1 == figures, "\(oracle.loss): the same figures without a gradient")
            let expected = (0..<width).flatMap { column in
                (0..<rows).map { oracle.gradient.values[$0 * width + column] * Double(rows) }
            }
            #expect(worst(values(gradient), expected) <= Self.tolerance, "\(oracle.loss) gradient")
            compared += 1
        }
        #expect(compared >= 7)
    }

    @Test(arguments: ProductPath.allCases)
    func wholeRunsAgree(path: ProductPath) throws {
        var compared = 0
        for oracle in try Oracles.cases("training_runs.json", Oracles.Run.self) {
            guard let rule = Self.rule(oracle), let activation = Self.activation(oracle.activation) else { continue }
            let names = ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"]
            let units = [0, 2, 4].compactMap { oracle.initial["\($0).weight"]?.shape[0] }
            let inputs = oracle.x.shape[1]
            let network = try Network(
                net([inputs], [.dense(units: units[0]), activation, .dense(units: units[1]), activation, .dense(units: units[2])]))
            let weights = block(names.flatMap { oracle.initial[$0]?.floats ?? [] })
            let all = Rows(features: oracle.x.floats, labels: oracle.labels, count: oracle.x.shape[0])
            let engine = LeafEngine(network: network, tree: .init(shardCount: 1), leafRows: oracle.batch, seed: 1, productPath: path)
            engine.reserve(leaves: 1)
            var update = rule
            for step in 0..<oracle.losses.count {
                let first = step * oracle.batch % all.count
                engine.load(all[first..<first + oracle.batch, network], slot: 0)
                let (gradient, figures) = try engine.gradient(
                    .init(number: 1), [LeafSlot(shard: 0, slot: 0, rows: oracle.batch)], weights: weights.view)
                let loss = figures.lossSum / Double(figures.rows)
                #expect(abs(loss - oracle.losses[step]) <= Self.tolerance * oracle.losses[0], "\(oracle.optimizer) step \(step)")
                update.apply(values(gradient).map { Double($0) / Double(figures.rows) }, to: weights.mutableView)
            }
            #expect(worst(values(weights), names.flatMap { oracle.final[$0]?.values ?? [] }) <= Self.runTolerance, "\(oracle.optimizer)")
            compared += 1
        }
        #expect(compared >= 4)
    }

    // MARK: Names of the oracles

    static func kind(_ oracle: Oracles.Layer) -> LayerKind? {
        switch oracle.layer {
        case "dense": .dense(units: oracle.y.shape[1], bias: oracle.options.bias ?? true)
        case "relu": .relu
        case "leaky_relu": .leakyReLU(slope: oracle.options.slope ?? 0.01)
        case "sigmoid": .sigmoid
        case "tanh": .tanh
        case "elu": .elu(alpha: oracle.options.alpha ?? 1)
        case "selu": .selu
        case "gelu": .gelu()
        case "gelu_tanh": .gelu(approximate: .tanh)
        case "silu": .silu
        case "softplus": .softplus
        case "hard_sigmoid": .hardSigmoid
        case "softmax": .softmax
        case "prelu": .prelu(perChannel: oracle.options.perChannel ?? false)
        case "maxout": .maxout(units: oracle.y.shape[1], pieces: oracle.options.pieces ?? 2)
        case "layer_norm": .layerNorm(epsilon: oracle.options.eps ?? 1e-5)
        default: nil
        }
    }

    static func loss(_ oracle: Oracles.Loss) -> LossSpecification? {
        switch oracle.loss {
        case "softmax_cross_entropy": .softmaxCrossEntropy(labelSmoothing: oracle.options.labelSmoothing ?? 0)
        case "binary_cross_entropy_with_logits": .binaryCrossEntropy
        case "mean_squared_error": .meanSquaredError
        case "mean_absolute_error": .meanAbsoluteError
        case "huber": .huber(delta: oracle.options.delta ?? 1)
        default: nil
        }
    }

    static func activation(_ name: String) -> LayerKind? {
        switch name {
        case "relu": .relu
        case "tanh": .tanh
        case "sigmoid": .sigmoid
        default: nil
        }
    }

    static func rule(_ oracle: Oracles.Run) -> NaiveRule? {
        switch oracle.optimizer {
        case "adam", "adamw":
            NaiveRule(
                rate: oracle.options.lr, adam: oracle.options.betas ?? [0.9, 0.999], epsilon: oracle.options.eps ?? 1e-8,
                decay: oracle.options.weightDecay ?? 0)
        case "rmsprop": NaiveRule(rate: oracle.options.lr, rmsprop: oracle.options.alpha ?? 0.99, epsilon: oracle.options.eps ?? 1e-8)
        case "momentum": NaiveRule(rate: oracle.options.lr, momentum: oracle.options.momentum ?? 0)
        default: nil
        }
    }
}

/// Momentum, RMSProp, Adam and AdamW, word for word.
struct NaiveRule {
    var rate: Double
    var momentum: Double?
    var rmsprop: Double?
    var adam: [Double] = []
    var decay = 0.0
    var epsilon = 0.0
    private var first: [Double] = []
    private var second: [Double] = []
    private var steps = 0.0

    init(rate: Double, momentum: Double) {
        self.rate = rate
        self.momentum = momentum
    }

    init(rate: Double, rmsprop: Double, epsilon: Double) {
        self.rate = rate
        self.rmsprop = rmsprop
        self.epsilon = epsilon
    }

    init(rate: Double, adam: [Double], epsilon: Double, decay: Double) {
        self.rate = rate
        self.adam = adam
        self.epsilon = epsilon
        self.decay = decay
    }

    mutating func apply(_ gradient: [Double], to weights: MutableFloatView) {
        if first.isEmpty {
            first = gradient.map { _ in 0 }
            second = first
        }
        steps += 1
        var corrections = [1.0, 1.0]
        for (index, beta) in adam.enumerated() {
            corrections[index] = 1 - (0..<Int(steps)).reduce(1.0) { power, _ in power * beta }
        }
        for index in gradient.indices {
            if let momentum {
                first[index] = momentum * first[index] + gradient[index]
                weights[index] -= Float(rate * first[index])
            } else if let rmsprop {
                second[index] = rmsprop * second[index] + (1 - rmsprop) * gradient[index] * gradient[index]
                weights[index] -= Float(rate * gradient[index] / (second[index].squareRoot() + epsilon))
            } else {
                weights[index] *= Float(1 - rate * decay)
                first[index] = adam[0] * first[index] + (1 - adam[0]) * gradient[index]
                second[index] = adam[1] * second[index] + (1 - adam[1]) * gradient[index] * gradient[index]
                let root = (second[index] / corrections[1]).squareRoot() + epsilon
                weights[index] -= Float(rate * (first[index] / corrections[0]) / root)
            }
        }
    }
}
