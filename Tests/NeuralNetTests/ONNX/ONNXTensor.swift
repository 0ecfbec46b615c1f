import Foundation

/// A tensor of a test, every value as Double: f32 and small whole numbers are exact.
struct ONNXTensor: Equatable {
    var shape: [Int]
    var values: [Double]

    init(shape: [Int], _ values: [Double]) {
        precondition(shape.reduce(1, *) == values.count)
        self.shape = shape
        self.values = values
    }

    init(shape: [Int], _ values: [Float]) {
        self.init(shape: shape, values.map(Double.init))
    }

    var floats: [Float] { values.map { Float($0) } }

    /// The same with axis `axis` last, and back.
    func movingLast(_ axis: Int) -> ONNXTensor {
        let inner = shape[(axis + 1)...].reduce(1, *), extent = shape[axis]
        let moved = values.indices.map { index in
            let (outer, rest) = index.quotientAndRemainder(dividingBy: inner * extent)
            return values[outer * inner * extent + rest % extent * inner + rest / extent]
        }
        return ONNXTensor(shape: shape[..<axis] + shape[(axis + 1)...] + [extent], moved)
    }

    func movingBack(_ axis: Int) -> ONNXTensor {
        let extent = shape[shape.count - 1], inner = shape[axis..<shape.count - 1].reduce(1, *)
        var moved = values
        for index in values.indices {
            let (outer, rest) = index.quotientAndRemainder(dividingBy: inner * extent)
            moved[outer * inner * extent + rest % extent * inner + rest / extent] = values[index]
        }
        return ONNXTensor(shape: shape[..<axis] + [extent] + shape[axis..<shape.count - 1], moved)
    }

    func reshaped(_ shape: [Int]) -> ONNXTensor { ONNXTensor(shape: shape, values) }
}

extension ONNXTensor {
    struct Unreadable: Error {
        var text: String
    }

    /// NumPy's format, version 1, C order.
    init(npy data: Data) throws {
        let bytes = [UInt8](data)
        guard bytes.count > 10, bytes[..<6] == [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59], bytes[6] == 1 else {
            throw Unreadable(text: "no npy file")
        }
        let length = Int(bytes[8]) + Int(bytes[9]) << 8
        let header = String(decoding: bytes[10..<10 + length], as: UTF8.self)
        guard let type = header.firstMatch(of: /'descr': *'([^']*)'/)?.1, header.contains("'fortran_order': False"),
            let extents = header.firstMatch(of: /'shape': *\(([^)]*)\)/)?.1
        else { throw Unreadable(text: header) }
        shape = extents.split(whereSeparator: { ", ".contains($0) }).compactMap { Int($0) }
        let count = shape.reduce(1, *), body = Array(bytes[(10 + length)...])
        func read<Value>(_ type: Value.Type) throws -> [Value] {
            guard body.count == count * MemoryLayout<Value>.size else { throw Unreadable(text: "\(body.count) bytes for \(count) \(type)") }
            return body.withUnsafeBytes { raw in
                (0..<count).map { raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Value>.size, as: Value.self) }
            }
        }
        values =
            switch type {
            case "<f4": try read(Float.self).map(Double.init)
            case "<f8": try read(Double.self)
            case "<i8": try read(Int64.self).map(Double.init)
            case "<i4": try read(Int32.self).map(Double.init)
            case "|b1", "|u1": try read(UInt8.self).map(Double.init)
            default: throw Unreadable(text: "type \(type)")
            }
    }
}
