import Testing
import Wire

/// One message of every kind as committed bytes, so that the layout cannot change by accident. Written by a program of its own.
@Suite struct DataFixtureTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        var header: DataHeader
        var body: [UInt8] = []

        var testDescription: String { "\(header.kind)" }
    }

    static let session: UInt64 = 0x0123_4567_89AB_CDEF

    static let samples = [
        Sample(header: DataHeader(kind: .attach, incarnation: 1, session: session)),
        Sample(
            header: DataHeader(
                kind: .gradient, incarnation: 1, node: 5, chunk: 2, count: 96, step: 0x1122_3344_5566_7788, session: session, loss: 1.25,
                checksum: 0xA639_69D3_AFB8_AF12),
            body: floats([1.5, -0.0, .leastNonzeroMagnitude, .infinity])),
        Sample(header: DataHeader(kind: .pull, incarnation: 1, step: 7, session: session)),
        Sample(
            header: DataHeader(
                kind: .rowsWanted, incarnation: 1, node: 1, chunk: 3, count: 9, session: session,
                checksum: 0x15C3_CA80_B892_FA5B),
            body: [0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 2, 1, 0, 0]),
        Sample(
            header: DataHeader(
                kind: .figures, incarnation: 1, node: 3, chunk: 6, count: 2, step: 12, session: session,
                checksum: 0xFD6B_1E13_7606_ADC2),
            body: figures(
                ShardFigures(
                    blocks: [
                        BlockFigures(rows: 32, correct: 30, topFive: 31, loss: 4.5, squaredError: 0),
                        BlockFigures(rows: 7, correct: 0, topFive: 7, loss: .nan, squaredError: 2.25),
                    ],
                    confusion: [
                        ConfusionCount(truth: 0, found: 0, count: 20), ConfusionCount(truth: 0, found: 2, count: 9),
                        ConfusionCount(truth: 2, found: 2, count: 10),
                    ]))),
        Sample(
            header: DataHeader(
                kind: .weights, incarnation: .max, chunk: .max - 1, step: .max,
                checksum: 0x1B87_A910_57EC_D17D),
            body: floats([0.1, -2])),
        Sample(
            header: DataHeader(kind: .rows, incarnation: 1, node: 1, chunk: 3, count: 9, checksum: 0xF798_1CAF_ACAB_737B),
            body: [0, 128, 255, 1, 9, 0, 0, 0, 0x60, 0xEA, 0, 0]),
        Sample(header: DataHeader(kind: .reduced, incarnation: 1, chunk: 5, step: 7)),
        Sample(header: DataHeader(kind: .sameWeights, incarnation: 1, step: 0x1122_3344_5566_7788)),
        Sample(
            header: DataHeader(kind: .round, incarnation: 1, step: 0x1122_3344_5566_7788, checksum: 0x8266_3E5E_A1F2_DAA9),
            body: notice(RoundNotice(planStep: 0x0102_0304_0506_0708, maskStep: 9))),
        Sample(header: DataHeader(kind: .unsubscribe, incarnation: 1, session: session)),
        Sample(
            header: DataHeader(
                kind: .audit, incarnation: 1, node: 5, step: 7, session: session, loss: 1.25, checksum: 0xB0A5_0E4F_7C6A_031B),
            body: checksums([0x0102_0304_0506_0708, .max])),
        Sample(
            header: DataHeader(kind: .clocks, incarnation: 1, count: 5, step: 0x1122_3344_5566_7788, checksum: 0xE46C_F103_812A_E826),
            body: bytes(24) { ClockNotice(limit: 12, clocks: [9, 10]).encode(into: $0) }),
        Sample(
            header: DataHeader(kind: .contribution, incarnation: 1, step: 9, session: session, checksum: 0xB2EE_1C1F_B845_4E28),
            body: bytes(16) { ContributionNotice(clock: 10, shards: [1, 3]).encode(into: $0) }),
        Sample(
            header: DataHeader(
                kind: .sharedGradient, incarnation: 1, node: 5, chunk: 2, count: 96, step: 7, session: session, loss: 1.25, checksum: 4)),
        Sample(header: DataHeader(kind: .sharedWeights, incarnation: 1, chunk: 3, step: 8, checksum: 2)),
        Sample(
            header: DataHeader(kind: .state, incarnation: 1, node: 1, chunk: 4, step: 9, checksum: 0xD3FFCF64FB789432),
            body: floats([0.5, -2])),
        Sample(header: DataHeader(kind: .norms, incarnation: 1, step: 9, checksum: 0x764ED6B20C98E9A7), body: doubles([0.25, 4, 1e-3])),
        Sample(header: DataHeader(kind: .stateEnd, incarnation: 1, step: 9)),
        Sample(header: DataHeader(kind: .stateWanted, incarnation: 1, count: 1, step: 9)),
        Sample(header: DataHeader(kind: .built, incarnation: 1, step: 10)),
        Sample(header: DataHeader(kind: .commit, incarnation: 1, count: 1, step: 10)),
        Sample(header: DataHeader(kind: .release, incarnation: 1, step: 10, loss: 0.001)),
        Sample(
            header: DataHeader(kind: .squares, incarnation: 1, count: 1, step: 10, checksum: 0x99543080EF5E87ED), body: doubles([1.5, 3])),
        Sample(header: DataHeader(kind: .judged, incarnation: 1, count: 1, step: 10, loss: 0.5)),
        Sample(
            header: DataHeader(kind: .suspicious, incarnation: 1, step: 10, checksum: 0x7E3228C1FB67F84D),
            body: shards(ShardList(element: 77, shards: [1, 3]))),
        Sample(
            header: DataHeader(kind: .notFinite, incarnation: 1, step: 10, checksum: 0x3B11BBDED26C53CC),
            body: shards(ShardList(element: 77, shards: []))),
        Sample(
            header: DataHeader(kind: .uncovered, incarnation: 1, step: 10, checksum: 0x2DEB925DFDAFB705),
            body: shards(ShardList(element: 0, shards: [0, 2]))),
        Sample(header: DataHeader(kind: .peerLost, incarnation: 1, session: session)),
    ]

    @Test(arguments: samples)
    func theBytesAreTheCommittedOnes(_ sample: Sample) throws {
        let committed = try fixture("\(sample.header.kind)")
        var header = sample.header
        header.bodyByteCount = UInt64(sample.body.count)
        #expect(header.bytes + sample.body == committed)
        #expect(try decodeHeader(Array(committed[..<64])) == header)
    }

    @Test func everyKindHasASample() {
        #expect(Self.samples.map(\.header.kind) == DataHeader.Kind.allCases)
    }

    private static func floats(_ values: [Float]) -> [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init) }
    }

    private static func bytes(_ count: Int, _ encode: (UnsafeMutableRawBufferPointer) -> Void) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xAA, count: count)
        bytes.withUnsafeMutableBytes(encode)
        return bytes
    }

    private static func doubles(_ values: [Double]) -> [UInt8] {
        bytes(8 * values.count) { DoubleList.encode(values, into: $0) }
    }

    private static func shards(_ list: ShardList) -> [UInt8] {
        bytes(list.byteCount) { list.encode(into: $0) }
    }

    private static func notice(_ notice: RoundNotice) -> [UInt8] {
        bytes(RoundNotice.byteCount) { notice.encode(into: $0) }
    }

    private static func checksums(_ checksums: [UInt64]) -> [UInt8] {
        bytes(ChunkChecksums.byteCount(chunkCount: checksums.count)) { ChunkChecksums.encode(checksums, into: $0) }
    }

    private static func figures(_ figures: ShardFigures) -> [UInt8] {
        bytes(figures.byteCount) { figures.encode(into: $0) }
    }
}
