/// A net that does not fit together, told so that its author can mend it.
public struct ModelError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Index into `model.layers`, then into the `layers` of the residual blocks around the one to blame; empty if no single layer is.
    public let path: [Int]
    /// The whole sentence, naming the layer, for example `layers[1] (dense): units must be at least 1, got 0`.
    public let description: String

    /// Index into `model.layers`; nil if no single layer is to blame.
    public var layer: Int? { path.first }

    init(path: [Int] = [], _ description: String) {
        self.path = path
        self.description = description
    }
}
