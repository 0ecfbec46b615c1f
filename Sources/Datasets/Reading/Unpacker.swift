/// Turns the pieces of a file into its contents: gzip is unpacked, anything else passes through.
struct Unpacker: ~Copyable {
    private var output: BoundedOutput
    private var inflater: GzipInflater?

    /// - Parameters:
    ///   - head: the file's first two bytes, or all there are.
    ///   - name: what error texts call the file.
    init(
        head: [UInt8], packedByteCount: Int, name: String, limit: Int = DatasetLimits.byteCount,
        announcedSize: AnnouncedSize? = nil
    ) {
        let isGzip = head == GzipInflater.magic
        let (unpacked, overflow) = packedByteCount.multipliedReportingOverflow(by: DatasetLimits.deflateRatio)
        let possible = isGzip && !overflow ? unpacked : packedByteCount
        output = BoundedOutput(name: name, limit: limit, possibleByteCount: possible, announcedSize: announcedSize)
        inflater = isGzip ? GzipInflater(name: name) : nil
        if !isGzip { output.reserve(packedByteCount) }
    }

    mutating func take(_ piece: UnsafeRawBufferPointer) throws(DatasetError) {
        if inflater != nil {
            try inflater?.unpack(piece, into: &output)
        } else {
            try output.append(piece)
        }
    }

    consuming func finish() throws(DatasetError) -> [UInt8] {
        try inflater?.finish(output)
        return output.bytes
    }
}
