/// The name under which a ROUTER knows a peer: 1 to 255 bytes, 5 when ZeroMQ itself makes it. Up to 8 bytes lie inline.
public struct RoutingID: Hashable, Sendable, CustomStringConvertible {
    private enum Storage: Hashable {
        case short(UInt64, byteCount: UInt8)
        case long([UInt8])
    }

    private let storage: Storage

    /// Nil if there are no bytes, or too many.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        switch bytes.count {
        case 1...8:
            var word: UInt64 = 0
            withUnsafeMutableBytes(of: &word) { $0.copyMemory(from: bytes) }
            storage = .short(word, byteCount: UInt8(bytes.count))
        case 9...Limits.longestRoutingID: storage = .long(Array(bytes))
        default: return nil
        }
    }

    public var byteCount: Int {
        switch storage {
        case .short(_, let byteCount): Int(byteCount)
        case .long(let bytes): bytes.count
        }
    }

    public func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        switch storage {
        case .short(let word, let byteCount):
            try withUnsafeBytes(of: word) { (all) throws(E) in try body(UnsafeRawBufferPointer(rebasing: all[..<Int(byteCount)])) }
        case .long(let bytes):
            // The array's own closure cannot throw a typed error.
            try bytes.withUnsafeBytes { all in Result { () throws(E) in try body(all) } }.get()
        }
    }

    /// In hexadecimal.
    public var description: String {
        withBytes { bytes in
            bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
    }
}
