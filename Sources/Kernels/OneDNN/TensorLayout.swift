internal import COneDNN

package enum ElementType: Hashable, Sendable {
    case float
    case bfloat16

    package var byteCount: Int { self == .float ? 4 : 2 }
}

/// How the elements of a tensor lie in memory; what oneDNN chooses is often blocked and padded, so only it can read it.
package final class TensorLayout: Equatable, @unchecked Sendable {  // never changes
    let descriptor: OpaquePointer

    /// Room that the tensor takes, in floats, padding included; two elements of 16 bits share a float's.
    package let count: Int

    /// Row-major.
    package convenience init(shape: [Int], type: ElementType = .float) {
        var strides = [Int](repeating: 1, count: shape.count)
        for index in shape.indices.dropLast().reversed() { strides[index] = strides[index + 1] * shape[index + 1] }
        self.init(shape: shape, strides: strides, type: type)
    }

    /// Without strides the primitive chooses.
    init(shape: [Int], strides: [Int]?, type: ElementType = .float) {
        precondition(!shape.isEmpty && shape.allSatisfy { $0 >= 1 }, "a tensor with an empty dimension")
        let dims = shape.map(Int64.init)
        let created =
            strides.map { od_layout_create(Int32(dims.count), dims, $0.map(Int64.init), type == .bfloat16 ? 1 : 0) }
            ?? od_layout_create(Int32(dims.count), dims, nil, type == .bfloat16 ? 1 : 0)
        guard let created else { preconditionFailure("oneDNN refused a layout of \(shape)") }
        descriptor = created
        count = strides == nil ? 0 : (od_layout_bytes(created) + MemoryLayout<Float>.stride - 1) / MemoryLayout<Float>.stride
    }

    /// Images `[rows, channels, height, width]` in blocks of channels: the block's channels of one pixel lie side by side, the last block is
    /// padded. What oneDNN's convolutions, poolings and normalisations work on without copies.
    package init(rows: Int, channels: Int, image: ImageExtent, block: Int) {
        precondition(rows >= 1 && channels >= 1 && image.height >= 1 && image.width >= 1, "a tensor with an empty dimension")
        precondition(block == 8 || block == 16, "channels come in blocks of 8 or 16")
        let dims = [rows, channels, image.height, image.width].map(Int64.init)
        guard let created = od_layout_create_blocked(dims, Int32(block)) else { preconditionFailure("oneDNN refused a layout of \(dims)") }
        descriptor = created
        count = od_layout_bytes(created) / MemoryLayout<Float>.stride
    }

    /// `[rows, channels]`, row-major, as one image whose pixels are the rows.
    convenience init(rowsAsPixels rows: Int, channels: Int) {
        self.init(shape: [1, channels, rows, 1], strides: [rows * channels, 1, channels, channels])
    }

    private init(adopting descriptor: OpaquePointer) {
        self.descriptor = descriptor
        count = (od_layout_bytes(descriptor) + MemoryLayout<Float>.stride - 1) / MemoryLayout<Float>.stride
    }

    /// What `operation` chose for one of its arguments; nil if it does not take it.
    convenience init?(of operation: OpaquePointer, argument: Int32) {
        guard let descriptor = od_argument_layout(operation, argument) else { return nil }
        guard od_layout_bytes(descriptor) > 0 else {
            od_layout_free(descriptor)
            return nil
        }
        self.init(adopting: descriptor)
    }

    deinit {
        od_layout_free(descriptor)
    }

    package static func == (a: TensorLayout, b: TensorLayout) -> Bool {
        od_layout_equal(a.descriptor, b.descriptor) != 0
    }
}
