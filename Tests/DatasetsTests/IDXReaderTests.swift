import Testing

@testable import Datasets

@Suite struct IDXReaderTests {
    private static let labels = idx([2], [4, 9])

    private func table(
        _ features: [UInt8], _ labels: [UInt8] = labels, task: LearningTask = .classification, classNames: [String]? = nil
    ) throws -> Table {
        try IDXReader.table(labels: labels, features: features, names: ("x", "y"), task: task, classNames: classNames)
    }

    @Test(
        arguments: [
            ([2], [1]), ([2, 3], [3]), ([2, 3, 4], [1, 3, 4]), ([2, 3, 4, 5], [3, 4, 5]),
        ] as [([UInt32], [Int])])
    func rowShapeFollowsTheDimensions(dimensions: [UInt32], shape: [Int]) throws {
        let body = (0..<dimensions.reduce(1, *)).map { UInt8($0) }
        let table = try table(idx(dimensions, body))
        #expect(table.rowShape == shape)
        #expect(table.features == .u8(body))
        #expect(table.targets == .classes([0, 1], names: ["4", "9"]))
    }

    @Test(
        arguments: [
            (0x09, [0xFF, 0x05], [-1, 5]),
            (0x0B, [0xFF, 0xFE, 0x01, 0x00], [-2, 256]),
            (0x0C, [0xFF, 0xFF, 0xFF, 0xFD, 0x00, 0x01, 0x00, 0x00], [-3, 65_536]),
            (0x0D, bigEndian(Float(1.5).bitPattern) + bigEndian(Float(-0.1).bitPattern), [1.5, -0.1]),
            (0x0E, bigEndian(2.5.bitPattern) + bigEndian((0.1).bitPattern), [2.5, 0.1]),
        ] as [(UInt8, [UInt8], [Float])])
    func otherElementTypesBecomeFloats(type: UInt8, body: [UInt8], expected: [Float]) throws {
        #expect(try table(idx(type: type, [2], body)).features == .f32(expected))
    }

    @Test func classesAreNumberedInNumericOrder() throws {
        let table = try table(idx([4], [1, 2, 3, 4]), idx(type: 0x0B, [4], [0, 10, 0xFF, 0xFF, 0, 9, 0, 10]))
        #expect(table.targets == .classes([2, 0, 1, 2], names: ["-1", "9", "10"]))
    }

    @Test func regressionTakesLabelsAsValues() throws {
        #expect(try table(idx([2], [0, 0]), task: .regression).targets == .values([4, 9]))
    }

    @Test func anotherSourceTakesTheClassesOfTraining() throws {
        #expect(try table(idx([2], [0, 0]), classNames: ["1", "4", "9"]).targets == .classes([1, 2], names: ["1", "4", "9"]))
    }

    @Test(
        arguments: [
            ([], .headerTruncated(byteCount: 0, expected: 4)),
            ([0, 0, 8], .headerTruncated(byteCount: 3, expected: 4)),
            ([0, 0, 8, 3, 0, 0], .headerTruncated(byteCount: 6, expected: 16)),
            (Array("P5 28".utf8), .magic([0x50, 0x35, 0x20, 0x32])),
            ([0, 1, 8, 1, 0, 0, 0, 1, 0], .magic([0, 1, 8, 1])),
            (idx(type: 0x0A, [2], [1, 2]), .elementType(0x0A)),
            (idx([], []), .dimensionCount(0, allowed: 1...4)),
            (idx([2, 1, 1, 1, 1], [1, 2]), .dimensionCount(5, allowed: 1...4)),
            (idx([0, 3], []), .empty(dimensions: [0, 3])),
            (idx([2, 0], []), .empty(dimensions: [2, 0])),
            (idx([2, 3], [1, 2, 3, 4, 5]), .truncated(byteCount: 17, expected: 18)),
            (idx([2, 3], Array(1...8)), .trailingBytes(byteCount: 20, expected: 18)),
            (
                idx([.max, .max, .max, .max], []),
                .tooLarge(dimensions: Array(repeating: 4_294_967_295, count: 4), limit: DatasetLimits.byteCount)
            ),
            (idx(type: 0x0D, [2, 1], bigEndian(Float(1).bitPattern) + [0x7F, 0xC0, 0, 0]), .notFinite(row: 1, element: 0, value: "nan")),
            (
                idx(type: 0x0E, [2, 1], bigEndian((1e300).bitPattern) + bigEndian((1.0).bitPattern)),
                .notFinite(row: 0, element: 0, value: "1e+300")
            ),
        ] as [([UInt8], IDXFault)])
    func malformedFeaturesAreRefused(bytes: [UInt8], fault: IDXFault) {
        #expect(throws: DataProblems(problems: [.idx(path: "x", fault)])) { try table(bytes) }
    }

    @Test(
        arguments: [
            (idx([2, 1, 1], [1, 2]), .dimensionCount(3, allowed: 1...1)),
            (idx(type: 0x0D, [2], [0, 0, 0, 0, 0, 0, 0, 0]), .fractionalLabels(.f32)),
            (idx([2], [4, 5]), .unknownLabel(row: 1, label: "5", known: ["4", "9"])),
        ] as [([UInt8], IDXFault)])
    func malformedLabelsAreRefused(bytes: [UInt8], fault: IDXFault) {
        #expect(throws: DataProblems(problems: [.idx(path: "y", fault)])) {
            try table(idx([2], [0, 0]), bytes, classNames: ["4", "9"])
        }
    }

    @Test func unequalCountsNameBothFiles() {
        let error = #expect(throws: DataProblems.self) { try table(idx([3, 1], [1, 2, 3])) }
        #expect(error?.problems == [.unequalCounts(features: "x", rows: 3, labels: "y", labelCount: 2)])
    }

    @Test func faultsOfBothFilesAreToldAtOnce() {
        let error = #expect(throws: DataProblems.self) { try table([1, 2, 3, 4], [0, 0, 8, 1, 0, 0, 0, 1]) }
        #expect(
            error?.problems == [
                .idx(path: "x", .magic([1, 2, 3, 4])), .idx(path: "y", .truncated(byteCount: 8, expected: 9)),
            ])
    }
}
