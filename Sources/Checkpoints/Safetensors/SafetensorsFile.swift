/// A file in the safetensors format: an 8-byte length, a JSON header of names, shapes and places, and raw elements.
///
/// Opening reads and checks the header only; the elements are read when asked for. It stays the file that was opened, even
/// if another takes its name. Safe to use from several threads at once.
/// - Source: https://github.com/huggingface/safetensors, "Format".
public struct SafetensorsFile: Sendable {
    public let path: String
    /// What stands under `__metadata__`.
    public let metadata: [String: String]
    /// The tensors in the order of their bytes.
    public let entries: [Entry]

    let disk: Disk
    let descriptor: Descriptor
    let dataOffset: Int
    private let indexByName: [String: Int]

    /// - Throws: `system` if the file cannot be read, `malformed` if any rule of the format is broken.
    public init(path: String) throws(CheckpointError) {
        try self.init(path: path, disk: Disk())
    }

    init(path: String, disk: Disk) throws(CheckpointError) {
        let descriptor = try disk.open(path)
        let fileByteCount = try disk.byteCount(of: descriptor, at: path)
        let byteCount = try Self.headerByteCount(of: descriptor, at: path, fileByteCount: fileByteCount, disk: disk)
        let text = try disk.bytes(of: descriptor, at: path, from: SafetensorsHeader.lengthByteCount, count: byteCount)
        dataOffset = SafetensorsHeader.lengthByteCount + byteCount
        let header: SafetensorsHeader
        do throws(SafetensorsFile.Defect) {
            header = try SafetensorsHeader(parsing: text, dataByteCount: fileByteCount - dataOffset)
        } catch {
            throw .malformed(path: path, defect: error)
        }
        self.path = path
        self.disk = disk
        self.descriptor = descriptor
        metadata = header.metadata
        entries = header.entries
        indexByName = Dictionary(uniqueKeysWithValues: header.entries.enumerated().map { ($1.name, $0) })
    }

    public func entry(named name: String) -> Entry? {
        indexByName[name].map { entries[$0] }
    }

    private static func headerByteCount(
        of descriptor: Descriptor, at path: String, fileByteCount: Int, disk: Disk
    ) throws(CheckpointError) -> Int {
        guard fileByteCount >= SafetensorsHeader.lengthByteCount else {
            throw .malformed(path: path, defect: .truncated(found: fileByteCount, needed: SafetensorsHeader.lengthByteCount))
        }
        let prefix = try disk.bytes(of: descriptor, at: path, from: 0, count: SafetensorsHeader.lengthByteCount)
        let length = prefix.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= SafetensorsHeader.maximumByteCount else {
            throw .malformed(path: path, defect: .headerTooLong(length))
        }
        let needed = SafetensorsHeader.lengthByteCount + Int(length)
        guard needed <= fileByteCount else {
            throw .malformed(path: path, defect: .truncated(found: fileByteCount, needed: needed))
        }
        return Int(length)
    }
}

extension SafetensorsFile {
    /// A tensor's description.
    public struct Entry: Hashable, Sendable {
        public let name: String
        public let type: ElementType
        public let shape: [Int]
        /// Where its bytes are, counted from the end of the header.
        public let byteRange: Range<Int>

        public var elementCount: Int { byteRange.count / type.byteCount }
    }

    /// The element types that are recognised; the raw value is the name in the file.
    public enum ElementType: String, Hashable, Sendable, CaseIterable {
        case bool = "BOOL"
        case u8 = "U8"
        case i8 = "I8"
        case u16 = "U16"
        case i16 = "I16"
        case f16 = "F16"
        case bf16 = "BF16"
        case u32 = "U32"
        case i32 = "I32"
        case f32 = "F32"
        case u64 = "U64"
        case i64 = "I64"
        case f64 = "F64"

        public var byteCount: Int {
            switch self {
            case .bool, .u8, .i8: 1
            case .u16, .i16, .f16, .bf16: 2
            case .u32, .i32, .f32: 4
            case .u64, .i64, .f64: 8
            }
        }
    }
}

extension Disk {
    func bytes(of file: Descriptor, at path: String, from offset: Int, count: Int) throws(CheckpointError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withUnsafeMutableBufferPointer { (bytes) throws(CheckpointError) in
            try read(file, at: path, from: offset, into: UnsafeMutableRawBufferPointer(bytes))
        }
        return bytes
    }
}
