import Testing

@testable import Datasets

/// A file that NumPy's formulas wrote (`Fixtures/formats.py`), and what is left of it after damage.
@Suite struct CIFAR10ReaderTests {
    private func batch() throws -> [UInt8] { try fixture("cifar10/batch.bin") }

    @Test func rowsOfAllFilesFollowEachOther() throws {
        let batch = try batch()
        let table = try CIFAR10Reader.table([("a", batch), ("b", Array(batch[3073..<6146]))], task: .classification)
        #expect(table.rowCount == 5)
        #expect(table.rowShape == [3, 32, 32])
        #expect(table.targets == .classes([1, 0, 2, 1, 0], names: ["0", "3", "9"]))
        let pixels = [0, 1, 2, 3, 1].flatMap { row in (0..<3072).map { UInt8((50 * row + $0) % 251) } }
        #expect(table.features == .u8(pixels))
    }

    @Test(arguments: [1, 3072, 3074, 12_291])
    func truncatedFilesAreRefused(count: Int) throws {
        let row = count / 3073
        #expect(
            throws: DataProblems(problems: [.cifar10(path: "a", .truncated(row: row, offset: row * 3073, byteCount: count))])
        ) { try CIFAR10Reader.table([("a", Array(batch().prefix(count)))], task: .classification) }
    }

    @Test func faultsOfAllFilesAreToldAtOnce() throws {
        var damaged = try batch()
        damaged[2 * 3073] = 10
        #expect(
            throws: DataProblems(problems: [.cifar10(path: "a", .empty), .cifar10(path: "b", .label(row: 2, offset: 6146, value: 10))])
        ) { try CIFAR10Reader.table([("a", []), ("b", damaged)], task: .classification) }
    }

    @Test func unknownLabelsAreNamedInTheirFile() throws {
        let batch = try batch()
        #expect(
            throws: DataProblems(problems: [.cifar10(path: "b", .unknownLabel(row: 2, label: "9", known: ["0", "3"]))])
        ) {
            try CIFAR10Reader.table(
                [("a", Array(batch.prefix(6146))), ("b", batch)], task: .classification, classNames: ["0", "3"])
        }
    }
}
