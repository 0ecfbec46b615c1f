internal import Foundation

/// What a verdict needs of `run.yaml`. Read by key and not through the run file's own reader: a run must stay diagnosable when its data
/// is gone, and names that a rule does not know are simply no evidence for it.
public struct RunSettings: Equatable, Sendable {
    public struct Layer: Equatable, Sendable {
        /// The beginning of its parameters' names: `layers.3`.
        public var name: String
        /// Where it is written: `model.layers.3`.
        public var path: String
        public var kind: String
        var options: YAMLTree

        var units: Int? { options["units"]?.number.map { Int($0) } ?? options["filters"]?.number.map { Int($0) } }
        var dropoutRate: Double? { kind == "dropout" ? options["rate"]?.number : nil }
        var biasStart: Double? { options["bias_initializer"]?["constant"]?.number }
        var hasWeights: Bool { ["dense", "conv2d", "maxout"].contains(kind) }
        var isSquashing: Bool { ["sigmoid", "tanh", "hard_sigmoid", "softmax"].contains(kind) }
        var isRectifier: Bool { ["relu", "leaky_relu", "prelu"].contains(kind) }
    }

    let tree: YAMLTree
    /// Those inside residual blocks behind their block, in the order of the file.
    public let layers: [Layer]

    /// - Throws: where the text is no YAML map.
    public init(yaml: String) throws(EvidenceError) {
        tree = try YAMLTree(yaml: yaml, file: "run.yaml")
        layers = Self.layers(tree["model"]?["layers"]?.items ?? [], name: "", path: "model")
    }

    private static func layers(_ items: [YAMLTree], name: String, path: String) -> [Layer] {
        items.enumerated().flatMap { index, item in
            let (kind, options) = item.variant
            let own = options["name"]?.word.flatMap { $0 == "none" ? nil : $0 } ?? "\(index)"
            let layer = Layer(name: "\(name)layers.\(own)", path: "\(path).layers.\(index)", kind: kind, options: options)
            return [layer]
                + layers(options["layers"]?.items ?? [], name: layer.name + ".", path: "\(layer.path).\(kind)")
        }
    }

    var isRegression: Bool { tree["data"]?["task"]?.word == "regression" }
    var limit: Int? { tree["data"]?["limit"]?.number.map { Int($0) } }
    var hasPreprocessing: Bool { tree["data"]?["preprocessing"]?.word != "none" && tree["data"]?["preprocessing"] != nil }
    var standardizesTargets: Bool { tree["data"]?["target_standardize"]?.word == "true" }
    var hasValidation: Bool { tree["data"]?["validation"]?.word != "none" }
    /// The model's and every layer's own initializer that is not the default one, as written.
    var initializer: String { tree["model"]?["initializer"]?.flow ?? "auto" }
    var loss: String { tree["model"]?["loss"]?.variant.kind ?? "softmax_cross_entropy" }
    var rule: String { tree["optimizer"]?["rule"]?.variant.kind ?? "sgd" }
    var learningRate: Double? { tree["optimizer"]?["rule"]?.variant.options["learning_rate"]?.number }
    var weightDecay: Double { tree["optimizer"]?["rule"]?.variant.options["weight_decay"]?.number ?? 0 }
    var clips: Bool { tree["optimizer"]?["clip"].map { $0.word != "none" } ?? false }
    var l1: Double { tree["regularization"]?["l1"]?.number ?? 0 }
    var l2: Double { tree["regularization"]?["l2"]?.number ?? 0 }
    var epochs: Int? { tree["training"]?["epochs"]?.number.map { Int($0) } }
    var stopsEarly: Bool { tree["training"]?["early_stopping"].map { $0.word != "none" } ?? false }
    /// The user's own bound, where it is not the default one.
    var ownFitted: Double? { tree["diagnose"]?["fitted"]?.number.flatMap { $0 == standardFitted ? nil : $0 } }
    var standardFitted: Double { isRegression ? 0.8 : 0.9 }

    /// Rules whose step does not shrink with the gradient: each element is divided by its own size.
    var isAdaptive: Bool { !["sgd", "momentum", "lbfgs", "conjugate_gradient"].contains(rule) }

    var weightLayers: [Layer] { layers.filter(\.hasWeights) }
    var dropouts: [Layer] { layers.filter { ($0.dropoutRate ?? 0) > 0 } }
    var strongestDropout: Double { dropouts.compactMap(\.dropoutRate).max() ?? 0 }
    /// Outputs of the net, which are its classes where it has several.
    var outputs: Int? { weightLayers.last?.units }
    var hiddenLayers: [Layer] { Array(weightLayers.dropLast()) }

    /// Whether units of a layer begin as copies of each other, so that their gradients stay copies for ever.
    var startsSymmetric: Bool {
        let own = weightLayers.compactMap { $0.options["initializer"] }.filter { $0.word != "none" }
        let starts = own.isEmpty ? [tree["model"]?["initializer"]].compactMap { $0 } : own
        return hiddenLayers.count > 0 && starts.contains { $0.variant.kind == "constant" }
    }

    /// The layer that an activation's units come from.
    func source(of name: String) -> Layer? {
        guard let index = layers.firstIndex(where: { $0.name == name }) else { return nil }
        return layers[...index].last { $0.hasWeights }
    }
}
