/// A tensor to be written: its bytes are borrowed and must stay as they are until the call they are given to returns.
public struct NamedTensor {
    public let name: String
    public let shape: [Int]
    public let type: SafetensorsFile.ElementType
    /// Little-endian elements in row-major order.
    public let bytes: UnsafeRawBufferPointer

    /// - Precondition: the shape has as many elements as there are bytes for.
    public init(name: String, shape: [Int], type: SafetensorsFile.ElementType = .f32, bytes: UnsafeRawBufferPointer) {
        precondition(
            shape.allSatisfy { $0 >= 0 } && shape.reduce(1, *) * type.byteCount == bytes.count,
            "\(name): \(bytes.count) bytes for shape \(shape) of \(type.rawValue)")
        self.name = name
        self.shape = shape
        self.type = type
        self.bytes = bytes
    }
}

/// Where a tensor of a file is to be read to: Floats in row-major order.
public struct TensorDestination {
    public let name: String
    public let shape: [Int]
    public let bytes: UnsafeMutableRawBufferPointer

    /// - Precondition: the shape has as many Floats as there are bytes for.
    public init(name: String, shape: [Int], bytes: UnsafeMutableRawBufferPointer) {
        precondition(
            shape.allSatisfy { $0 >= 0 } && shape.reduce(1, *) * MemoryLayout<Float>.size == bytes.count,
            "\(name): \(bytes.count) bytes for shape \(shape)")
        self.name = name
        self.shape = shape
        self.bytes = bytes
    }
}
