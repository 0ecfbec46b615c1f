extension ShardedPart {
    /// The length of a packet, laid out as `RowFormat` says.
    public func packetByteCount(rowCount: Int) -> Int {
        rowCount * format.bytesPerRow
    }

    /// Writes a packet of the rows at `positions` of a shard, each copied once, into exactly `packetByteCount(rowCount:)` bytes.
    ///
    /// The positions must be there: `contains(_:shard:)` says whether they are.
    public func gather(shard: Int, positions: ArraySlice<UInt32>, into buffer: UnsafeMutableRawBufferPointer) {
        precondition(buffer.count == packetByteCount(rowCount: positions.count), "a packet's buffer must have the packet's length")
        switch part.table.features {
        case .u8(let bytes): bytes.withUnsafeBytes { copyFeatures($0, shard, positions, into: buffer) }
        case .f32(let floats): floats.withUnsafeBytes { copyFeatures($0, shard, positions, into: buffer) }
        }
        var offset = positions.count * format.featureBytesPerRow
        func append(_ value: UInt32) {
            buffer.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt32.self)
            offset += MemoryLayout<UInt32>.size
        }
        switch part.table.targets {
        case .classes(let classes, _):
            for position in positions { append(UInt32(bitPattern: classes[row(shard, position)])) }
        case .values(let values):
            for position in positions { append(values[row(shard, position)].bitPattern) }
        }
        for position in positions { append(sourceRow(shard: shard, position: Int(position))) }
    }

    /// Appends a packet.
    public func gather(shard: Int, positions: ArraySlice<UInt32>, appendingTo bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: packetByteCount(rowCount: positions.count)))
        bytes.withUnsafeMutableBytes { buffer in
            gather(shard: shard, positions: positions, into: UnsafeMutableRawBufferPointer(rebasing: buffer[start...]))
        }
    }

    private func copyFeatures(
        _ features: UnsafeRawBufferPointer, _ shard: Int, _ positions: ArraySlice<UInt32>, into buffer: UnsafeMutableRawBufferPointer
    ) {
        let length = format.featureBytesPerRow
        var offset = 0
        for position in positions {
            let start = row(shard, position) * length
            UnsafeMutableRawBufferPointer(rebasing: buffer[offset..<offset + length])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: features[start..<start + length]))
            offset += length
        }
    }

    private func row(_ shard: Int, _ position: UInt32) -> Int {
        Int(sourceRow(shard: shard, position: Int(position)))
    }
}
