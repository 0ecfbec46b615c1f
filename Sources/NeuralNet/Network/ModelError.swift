/// A net that does not fit together, told so that its author can mend it.
public struct ModelError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Index into `model.layers`; nil if no single layer is to blame.
    public let layer: Int?
    /// The whole sentence, naming the layer, for example `layers[1] (dense): units must be at least 1, got 0`.
    public let description: String

    init(layer: Int? = nil, _ description: String) {
        self.layer = layer
        self.description = description
    }
}
