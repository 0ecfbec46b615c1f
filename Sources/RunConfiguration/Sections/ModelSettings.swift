public import NeuralNet

/// Everything under `model`. The shape of a row comes from the data.
public struct ModelSettings: Codable, Equatable, Sendable {
    public var layers: [LayerSpecification]
    public var loss: LossSpecification
    /// nil chooses by the activation that follows (`auto`).
    public var initializer: InitializerSpecification?

    public init(layers: [LayerSpecification], loss: LossSpecification, initializer: InitializerSpecification? = nil) {
        self.layers = layers
        self.loss = loss
        self.initializer = initializer
    }

    /// The net for rows of a shape, `[features]` or `[channels, height, width]`.
    public func specification(inputShape: [Int]) -> ModelSpecification {
        ModelSpecification(inputShape: inputShape, layers: layers, loss: loss, initializer: initializer)
    }
}

extension ModelSettings {
    var outline: Outline {
        .map([
            .init("initializer", initializer?.outline ?? .word("auto"), .bits),
            .init("initialize_from", .none, .bits),
            .init("layers", .list(layers.map(\.outline)), .bits),
            .init("loss", loss.outline, .bits),
        ])
    }
}
