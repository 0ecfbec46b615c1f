internal import NeuralNet

extension Precision {
    /// Bytes of a value in a message; those of the tail are doubles in two Floats each and are never rounded.
    func byteCount(isTail: Bool) -> Int {
        self == .bf16 && !isTail ? 2 : 4
    }
}
