internal import CZlib

/// What is wrong with a gzip file (RFC 1952).
public enum GzipFault: Error, Equatable, Sendable, CustomStringConvertible {
    case truncated(unpackedByteCount: Int)
    /// `reason` is zlib's.
    case corrupt(reason: String, unpackedByteCount: Int)
    /// Bytes that are no gzip member behind the last member.
    case trailingBytes(offset: Int)

    public var description: String {
        switch self {
        case .truncated(let count):
            "the gzip data ends early, after \(count) unpacked bytes: the file is incomplete, fetch it again"
        case .corrupt(let reason, let count):
            "the gzip data is damaged (\(reason)) after \(count) unpacked bytes: fetch the file again"
        case .trailingBytes(let offset):
            "from byte \(offset) on there is something behind the gzip data that is no gzip data"
        }
    }
}

/// Unpacks a gzip file, member after member, from pieces of any length.
struct GzipInflater: ~Copyable {
    private static let blockByteCount = 64 << 10
    /// The largest window, and 16 for "gzip header only".
    private static let windowBits: CInt = 15 + 16

    /// What error texts call the file.
    private let name: String
    /// On the heap: zlib keeps the stream's address.
    private let stream: UnsafeMutablePointer<z_stream>
    private let block: UnsafeMutableRawBufferPointer
    /// Offset of the current member in the file; bytes taken before the current piece.
    private var memberOffset = 0
    private var takenByteCount = 0
    private var isBetweenMembers = false

    /// How every member starts.
    static let magic: [UInt8] = [0x1F, 0x8B]

    init(name: String) {
        self.name = name
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        block = .allocate(byteCount: Self.blockByteCount, alignment: 16)
        let code = inflateInit2_(stream, Self.windowBits, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
        precondition(code == Z_OK, "zlib does not start: another version than at build time, or no memory")
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
        block.deallocate()
    }

    /// Takes all of `piece`, which is shorter than 4 GiB.
    mutating func unpack(_ piece: UnsafeRawBufferPointer, into output: inout BoundedOutput) throws(DatasetError) {
        let bytes = piece.bindMemory(to: UInt8.self)
        // zlib only reads through this pointer.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
        stream.pointee.avail_in = UInt32(piece.count)
        while stream.pointee.avail_in > 0 || stream.pointee.avail_out == 0 {
            if isBetweenMembers {
                guard stream.pointee.avail_in > 0 else { break }
                memberOffset = takenByteCount + piece.count - Int(stream.pointee.avail_in)
                inflateReset(stream)
                isBetweenMembers = false
            }
            stream.pointee.next_out = block.bindMemory(to: UInt8.self).baseAddress
            stream.pointee.avail_out = UInt32(block.count)
            let code = inflate(stream, Z_NO_FLUSH)
            let produced = UnsafeRawBufferPointer(rebasing: block[..<(block.count - Int(stream.pointee.avail_out))])
            try output.append(produced)
            switch code {
            case Z_OK, Z_BUF_ERROR: break
            case Z_STREAM_END:
                isBetweenMembers = true
                // A member that fills the block exactly must not ask for another turn.
                stream.pointee.avail_out = 1
            default: throw .gzip(path: name, fault(output))
            }
            if code == Z_BUF_ERROR { break }
        }
        takenByteCount += piece.count
    }

    /// Says whether the file ended where a member ended.
    func finish(_ output: BoundedOutput) throws(DatasetError) {
        if isBetweenMembers { return }
        let fault = isBehindTheData ? GzipFault.trailingBytes(offset: memberOffset) : .truncated(unpackedByteCount: output.bytes.count)
        throw .gzip(path: name, fault)
    }

    /// Whether a member is complete and what follows it has unpacked to nothing.
    private var isBehindTheData: Bool { memberOffset > 0 && stream.pointee.total_out == 0 }

    private func fault(_ output: BoundedOutput) -> GzipFault {
        if isBehindTheData { return .trailingBytes(offset: memberOffset) }
        let reason = stream.pointee.msg.map { String(cString: $0) } ?? "not deflate data"
        return .corrupt(reason: reason, unpackedByteCount: output.bytes.count)
    }
}
