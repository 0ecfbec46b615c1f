/// How one element of an IDX file is stored; all are big-endian.
public enum IDXElement: UInt8, Sendable, CaseIterable, CustomStringConvertible {
    case u8 = 0x08
    case i8 = 0x09
    case i16 = 0x0B
    case i32 = 0x0C
    case f32 = 0x0D
    case f64 = 0x0E

    var byteCount: Int {
        switch self {
        case .u8, .i8: 1
        case .i16: 2
        case .i32, .f32: 4
        case .f64: 8
        }
    }

    var isWhole: Bool { self != .f32 && self != .f64 }

    public var description: String {
        switch self {
        case .u8: "u8"
        case .i8: "i8"
        case .i16: "i16"
        case .i32: "i32"
        case .f32: "f32"
        case .f64: "f64"
        }
    }
}

/// The header of an IDX file: `00 00 type n`, then n sizes of 4 bytes, big-endian.
///
/// - Source: "The IDX file format", yann.lecun.com/exdb/mnist.
struct IDXHeader: Equatable {
    let element: IDXElement
    let dimensions: [Int]

    static let fixedByteCount = 4
    static let longestByteCount = fixedByteCount + 4 * Int(UInt8.max)

    var byteCount: Int { Self.fixedByteCount + 4 * dimensions.count }

    /// Of the whole file; nil if it is beyond any limit.
    var fileByteCount: Int? {
        guard let body = checkedProduct(dimensions + [element.byteCount]), body <= DatasetLimits.byteCount else { return nil }
        return byteCount + body
    }

    init(_ bytes: [UInt8]) throws(IDXFault) {
        let head = Array(bytes.prefix(Self.fixedByteCount))
        guard head.starts(with: [0, 0].prefix(head.count)) else { throw .magic(head) }
        guard head.count == Self.fixedByteCount else {
            throw .headerTruncated(byteCount: bytes.count, expected: Self.fixedByteCount)
        }
        guard let element = IDXElement(rawValue: head[2]) else { throw .elementType(head[2]) }
        let end = Self.fixedByteCount + 4 * Int(head[3])
        guard bytes.count >= end else { throw .headerTruncated(byteCount: bytes.count, expected: end) }
        self.element = element
        dimensions = stride(from: Self.fixedByteCount, to: end, by: 4).map { offset in
            bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
        }
    }

    /// How much of the file at `name` there is to read, from its first bytes.
    static func announcedSize(name: String) -> AnnouncedSize {
        { head throws(DatasetError) in
            do throws(IDXFault) {
                let header = try IDXHeader(head)
                guard let size = header.fileByteCount else { throw header.tooLarge }
                return size
            } catch .headerTruncated {
                return nil
            } catch {
                throw .idx(path: name, error)
            }
        }
    }

    var tooLarge: IDXFault { .tooLarge(dimensions: dimensions, limit: DatasetLimits.byteCount) }
}

/// A checked IDX file: as many elements as its dimensions say, none of them empty.
struct IDXArray {
    let header: IDXHeader
    /// Big-endian, without the header.
    private(set) var body: [UInt8]

    var rowCount: Int { header.dimensions[0] }

    /// - Parameter allowed: numbers of dimensions.
    init(_ bytes: consuming [UInt8], dimensions allowed: ClosedRange<Int>) throws(IDXFault) {
        let header = try IDXHeader(Array(bytes[..<min(bytes.count, IDXHeader.longestByteCount)]))
        guard allowed.contains(header.dimensions.count) else { throw .dimensionCount(header.dimensions.count, allowed: allowed) }
        guard let expected = header.fileByteCount else { throw header.tooLarge }
        guard !header.dimensions.contains(0) else { throw .empty(dimensions: header.dimensions) }
        guard bytes.count >= expected else { throw .truncated(byteCount: bytes.count, expected: expected) }
        guard bytes.count == expected else { throw .trailingBytes(byteCount: bytes.count, expected: expected) }
        self.header = header
        body = bytes
        body.removeFirst(header.byteCount)
    }

    /// The elements of a whole-number type.
    func wholeNumbers() -> [Int] {
        switch header.element {
        case .u8: body.map { Int($0) }
        case .i8: body.map { Int(Int8(bitPattern: $0)) }
        case .i16: (0..<elementCount).map { Int(Int16(bitPattern: UInt16(bigEndian16(at: $0 * 2)))) }
        case .i32: (0..<elementCount).map { Int(Int32(bitPattern: bigEndian32(at: $0 * 4))) }
        case .f32, .f64: preconditionFailure("an IDX array of floats has no whole numbers")
        }
    }

    /// The elements as floats, rounded to nearest where the type is wider.
    func floats() throws(IDXFault) -> [Float] {
        let floats: [Float] =
            switch header.element {
            case .f32: (0..<elementCount).map { Float(bitPattern: bigEndian32(at: $0 * 4)) }
            case .f64: (0..<elementCount).map { Float(double(at: $0 * 8)) }
            default: wholeNumbers().map { Float($0) }
            }
        if let index = floats.firstIndex(where: { !$0.isFinite }) {
            let stored = header.element == .f64 ? "\(double(at: index * 8))" : "\(floats[index])"
            let perRow = elementCount / rowCount
            throw .notFinite(row: index / perRow, element: index % perRow, value: stored)
        }
        return floats
    }

    private var elementCount: Int { body.count / header.element.byteCount }

    private func double(at offset: Int) -> Double {
        Double(bitPattern: UInt64(bigEndian32(at: offset)) << 32 | UInt64(bigEndian32(at: offset + 4)))
    }

    private func bigEndian16(at offset: Int) -> UInt32 {
        UInt32(body[offset]) << 8 | UInt32(body[offset + 1])
    }

    private func bigEndian32(at offset: Int) -> UInt32 {
        bigEndian16(at: offset) << 16 | bigEndian16(at: offset + 2)
    }
}
