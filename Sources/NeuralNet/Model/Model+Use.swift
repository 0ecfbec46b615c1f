public import Hashing
internal import Kernels

extension Model {
    /// The class of each row, in inference mode: of the largest logit, the first of equal ones, or whether a single one is above 0.
    /// - Parameter features: `[rows, network.inputCount]`.
    public func predictedClasses(_ features: [Float]) throws(ModelUseError) -> [Int] {
        guard let classes = network.classCount else { throw .noClasses(network.loss.keyword) }
        let logits = try forward(features)
        guard classes == network.outputCount else { return logits.map { $0 > 0 ? 1 : 0 } }
        return stride(from: 0, to: logits.count, by: classes).map { start in
            (1..<classes).reduce(0) { logits[start + $1] > logits[start + $0] ? $1 : $0 }
        }
    }

    /// The hash by which a run tells its weights: of all parameters in the order of the layout, little-endian.
    public var weightsSHA256: Digest { SHA256.hash(of: weights.view.bytes) }
}
