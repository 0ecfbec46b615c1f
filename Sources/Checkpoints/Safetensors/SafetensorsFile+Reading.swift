extension SafetensorsFile {
    /// A tensor's elements as Floats, in row-major order.
    ///
    /// F16 and BF16 are widened, which is exact; F64 is rounded to the nearest Float.
    /// - Throws: `missingTensor`, `wrongType` for whole numbers, `system`.
    public func read(_ name: String) throws(CheckpointError) -> [Float] {
        let entry = try found(name)
        var values = [Float](repeating: 0, count: entry.elementCount)
        try values.withUnsafeMutableBufferPointer { (values) throws(CheckpointError) in
            try read(entry, into: UnsafeMutableRawBufferPointer(values))
        }
        return values
    }

    /// A tensor's bytes as they are in the file, whatever its type; the buffer must have their number.
    public func readBytes(of name: String, into bytes: UnsafeMutableRawBufferPointer) throws(CheckpointError) {
        let entry = try found(name)
        precondition(bytes.count == entry.byteRange.count, "\(bytes.count) bytes of room for the \(entry.byteRange.count) of \(name)")
        try disk.read(descriptor, at: path, from: dataOffset + entry.byteRange.lowerBound, into: bytes)
    }

    /// Reads all tensors into place; the file must hold exactly those that are asked for, in these shapes.
    /// - Throws: `missingTensor`, `unexpectedTensor`, `wrongShape`, `wrongType`, before anything is read; `system`.
    public func read(into destinations: [TensorDestination]) throws(CheckpointError) {
        for destination in destinations {
            let entry = try found(destination.name)
            guard entry.shape == destination.shape else {
                throw .wrongShape(path: path, name: entry.name, found: entry.shape, expected: destination.shape)
            }
            guard entry.type.isReadAsFloat else { throw .wrongType(path: path, name: entry.name, found: entry.type) }
        }
        let wanted = Set(destinations.map(\.name))
        if let extra = entries.first(where: { !wanted.contains($0.name) }) {
            throw .unexpectedTensor(path: path, name: extra.name)
        }
        for destination in destinations { try read(try found(destination.name), into: destination.bytes) }
    }

    private func found(_ name: String) throws(CheckpointError) -> Entry {
        guard let entry = entry(named: name) else { throw .missingTensor(path: path, name: name) }
        return entry
    }

    private func read(_ entry: Entry, into floats: UnsafeMutableRawBufferPointer) throws(CheckpointError) {
        switch entry.type {
        case .f32: try readBytes(of: entry.name, into: floats)
        case .f16: try convert(entry, into: floats) { Float(Float16(bitPattern: $0)) }
        case .bf16: try convert(entry, into: floats) { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }
        case .f64: try convert(entry, into: floats) { Float(Double(bitPattern: $0)) }
        default: throw .wrongType(path: path, name: entry.name, found: entry.type)
        }
    }

    private func convert<Bits: FixedWidthInteger & BitwiseCopyable>(
        _ entry: Entry, into floats: UnsafeMutableRawBufferPointer, _ value: (Bits) -> Float
    ) throws(CheckpointError) {
        let source = UnsafeMutableRawBufferPointer.allocate(byteCount: entry.byteRange.count, alignment: MemoryLayout<Bits>.alignment)
        defer { source.deallocate() }
        try readBytes(of: entry.name, into: source)
        for index in 0..<entry.elementCount {
            let bits = source.load(fromByteOffset: index * MemoryLayout<Bits>.stride, as: Bits.self)
            floats.storeBytes(of: value(bits), toByteOffset: index * MemoryLayout<Float>.stride, as: Float.self)
        }
    }
}

extension SafetensorsFile.ElementType {
    var isReadAsFloat: Bool {
        switch self {
        case .f32, .f16, .bf16, .f64: true
        default: false
        }
    }
}
