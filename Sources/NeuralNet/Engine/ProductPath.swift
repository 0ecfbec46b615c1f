internal import Kernels

/// Who computes the products of dense layers. The two give different bits, so all workers of an exact run take the same one.
public enum ProductPath: String, CaseIterable, Sendable {
    /// Chains of fused multiply-adds: the same bits on every processor, whatever the number of rows.
    case ownKernels
    /// Matrix products of fixed shapes; the bits depend on shape, processor and the library's version.
    case oneDNN

    /// In f32 our own, which were faster on every workload at the default number of shards, and whose bits no processor changes;
    /// in bf16 oneDNN's, which has hardware for it.
    public static func preferred(for precision: Precision) -> ProductPath {
        precision == .bf16 ? .oneDNN : .ownKernels
    }

    /// Part of the leaf class: `own`, or the library with its version.
    public var name: String {
        switch self {
        case .ownKernels: "own"
        case .oneDNN: "onednn-\(OneDNN.version)"
        }
    }
}

extension LeafEngine {
    /// Who computes, part of the leaf class: the products', and the library with its version where it does images.
    public var arithmetic: String {
        let hasPrimitives = network.stages.contains { if case .leafwise(let operation) = $0.kind { operation.isPrimitive } else { false } }
        return productPath == .ownKernels && hasPrimitives ? "\(productPath.name)+\(ProductPath.oneDNN.name)" : productPath.name
    }
}
