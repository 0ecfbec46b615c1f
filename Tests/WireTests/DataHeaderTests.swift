import Testing
import Wire

/// Protocol.md, "Data messages".
@Suite struct DataHeaderTests {
    /// Every field of another value, then every field at its end.
    static let headers: [DataHeader] = DataHeader.Kind.allCases.flatMap { kind in
        [
            DataHeader(kind: kind),
            DataHeader(
                kind: kind, incarnation: 1, node: 2, chunk: 3, count: 4, step: 5, session: 6, loss: -7.5, checksum: 8, bodyByteCount: 9),
            DataHeader(
                kind: kind, incarnation: .max, node: .max, chunk: .max, count: .max, step: .max, session: .max,
                loss: .greatestFiniteMagnitude, checksum: .max, bodyByteCount: .max),
        ]
    }

    @Test(arguments: headers)
    func aHeaderSurvivesTheWire(_ header: DataHeader) throws {
        #expect(header.bytes.count == 64)
        #expect(try decodeHeader(header.bytes) == header)
    }

    @Test(arguments: [0x7FF8_0000_0000_0000, 0xFFF8_0000_0000_0001, 0x7FF0_0000_0000_0001, 0x7FF0_0000_0000_0000, 0x8000_0000_0000_0000, 1])
    func everyBitOfALossTravels(pattern: UInt64) throws {
        let header = DataHeader(kind: .gradient, loss: Double(bitPattern: pattern))
        #expect(try decodeHeader(header.bytes).loss.bitPattern == pattern)
    }

    @Test func everyOtherLengthIsRefused() {
        let bytes = DataHeader(kind: .pull, step: .max).bytes + DataHeader(kind: .pull).bytes
        for length in 0...128 where length != 64 {
            #expect(throws: WireError.headerLength(length)) { try decodeHeader(Array(bytes[..<length])) }
        }
    }

    @Test(arguments: 0..<4)
    func anotherMagicIsForeign(byte: Int) {
        for bit in 0..<8 {
            var bytes = DataHeader(kind: .weights).bytes
            bytes[byte] ^= 1 << UInt8(bit)
            #expect(throws: WireError.foreignProtocol) { try decodeHeader(bytes) }
        }
    }

    @Test func aControlPreambleIsForeignOnTheDataSocket() {
        let message = ControlCodec.encode(CoordinatorMessage.finished(outcome: String(repeating: "x", count: 100)))
        #expect(throws: WireError.foreignProtocol) { try decodeHeader(Array(message[..<64])) }
    }

    @Test(arguments: [0, 1, 2, 3, 256, 257, UInt16.max])
    func anotherVersionIsNamed(version: UInt16) {
        var bytes = DataHeader(kind: .weights).bytes
        (bytes[4], bytes[5]) = (UInt8(truncatingIfNeeded: version), UInt8(version >> 8))
        #expect(throws: WireError.version(theirs: version, ours: 4)) { try decodeHeader(bytes) }
    }

    @Test func kindsOutsideTheGrammarAreRefused() {
        let known = Set(DataHeader.Kind.allCases.map(\.rawValue))
        #expect(known == Set(1...12).union([16, 17, 20, 21]).union(32...44))
        for kind in UInt8.min...UInt8.max where !known.contains(kind) {
            var bytes = DataHeader(kind: .weights).bytes
            bytes[6] = kind
            #expect(throws: WireError.unknownKind(kind)) { try decodeHeader(bytes) }
        }
    }

    @Test(arguments: [1, 0x80, 0xFF])
    func theReservedByteIsZero(value: UInt8) {
        var bytes = DataHeader(kind: .weights).bytes
        bytes[7] = value
        #expect(throws: WireError.reservedByte) { try decodeHeader(bytes) }
    }
}
