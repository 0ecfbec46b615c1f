public import NeuralNet

/// Everything under `model`. The shape of a row comes from the data.
public struct ModelSettings: Codable, Equatable, Sendable {
    public var layers: [LayerSpecification]
    public var loss: LossSpecification
    /// nil chooses by the activation that follows (`auto`).
    public var initializer: InitializerSpecification?
    /// A model file: parameters of equal name and shape start with its values.
    public var initializeFrom: String?

    public init(
        layers: [LayerSpecification], loss: LossSpecification, initializer: InitializerSpecification? = nil, initializeFrom: String? = nil
    ) {
        self.layers = layers
        self.loss = loss
        self.initializer = initializer
        self.initializeFrom = initializeFrom
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
            // As a path it is free: the bytes behind it are part of the data's hash.
            initializeFrom.map { .init("initialize_from", .text($0)) } ?? .init("initialize_from", .none, .bits),
            .init("layers", .list(layers.map(\.outline)), .bits),
            .init("loss", loss.outline, .bits),
        ])
    }
}
