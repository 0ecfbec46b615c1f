/// What the units of one layer did on the sample's rows of one shard. Marks are joined by "or" and counts by addition, so that the order
/// in which shards come does not matter.
public enum UnitFigures: Equatable, Sendable {
    /// A mark per unit: 1 if it was not 0 on some row.
    case alive([UInt8])
    /// Activations in the flat parts of the curve.
    case outside(UInt64)
    /// Rows and units that each piece has won.
    case wins([UInt64])

    /// What two shards saw together; nil if they are not of the same layer's form.
    public func joined(with other: UnitFigures) -> UnitFigures? {
        switch (self, other) {
        case (.alive(let mine), .alive(let theirs)) where mine.count == theirs.count: .alive(zip(mine, theirs).map { $0 | $1 })
        case (.outside(let mine), .outside(let theirs)): .outside(mine &+ theirs)
        case (.wins(let mine), .wins(let theirs)) where mine.count == theirs.count: .wins(zip(mine, theirs).map { $0 &+ $1 })
        case (.alive, _), (.outside, _), (.wins, _): nil
        }
    }

    // MARK: Bytes

    private var code: UInt8 {
        switch self {
        case .alive: 0
        case .outside: 1
        case .wins: 2
        }
    }

    /// Layer after layer: kind u8, count u32, then for 0 a bit per unit (unit i is bit i mod 8 of octet i/8), for 1 one u64, for 2 a u64 per
    /// piece. Little-endian.
    public static func encode(_ layers: [UnitFigures]) -> [UInt8] {
        var bytes: [UInt8] = []
        func append(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) } }
        for layer in layers {
            append(layer.code)
            switch layer {
            case .alive(let marks):
                append(UInt32(marks.count))
                var octets = [UInt8](repeating: 0, count: (marks.count + 7) / 8)
                for (unit, mark) in marks.enumerated() where mark != 0 { octets[unit / 8] |= 1 << UInt8(unit % 8) }
                bytes += octets
            case .outside(let count):
                append(UInt32(1))
                append(count)
            case .wins(let wins):
                append(UInt32(wins.count))
                for count in wins { append(count) }
            }
        }
        return bytes
    }

    /// - Parameter expected: how many layers must be there.
    public static func decode(_ bytes: UnsafeRawBufferPointer, expected: Int) throws(WireError) -> [UnitFigures] {
        var at = 0
        func take<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type) throws(WireError) -> Number {
            guard bytes.count - at >= MemoryLayout<Number>.size else { throw .malformed("figures of units that end in the middle") }
            defer { at += MemoryLayout<Number>.size }
            return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: type))
        }
        var layers: [UnitFigures] = []
        for _ in 0..<expected {
            let code = try take(UInt8.self), count = Int(try take(UInt32.self))
            switch code {
            case 0:
                let octets = (count + 7) / 8
                guard bytes.count - at >= octets else { throw .malformed("marks of \(count) units in \(bytes.count - at) octets") }
                layers.append(.alive((0..<count).map { bytes[at + $0 / 8] >> UInt8($0 % 8) & 1 }))
                at += octets
            case 1 where count == 1: layers.append(.outside(try take(UInt64.self)))
            case 2:
                guard bytes.count - at >= count * 8 else { throw .malformed("wins of \(count) pieces in \(bytes.count - at) octets") }
                var wins: [UInt64] = []
                for _ in 0..<count { wins.append(try take(UInt64.self)) }
                layers.append(.wins(wins))
            default: throw .malformed("figures of units of kind \(code) with \(count) numbers")
            }
        }
        guard at == bytes.count else { throw .malformed("\(bytes.count - at) octets behind the figures of units") }
        return layers
    }
}
