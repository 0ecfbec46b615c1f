import Testing

@testable import Datasets

/// Files that NumPy wrote (`Fixtures/formats.py`), and what is left of them after damage.
@Suite struct NPYReaderTests {
    private static let numbers = (0..<30).map { 7 * $0 - 20 }
    private static let names = (features: "x", labels: "y")

    private func table(
        _ features: String = "features-u1", _ labels: String = "labels-i8", task: LearningTask = .classification,
        classNames: [String]? = nil
    ) throws -> Table {
        try NPYReader.table(
            labels: fixture("npy/\(labels).npy"), features: fixture("npy/\(features).npy"), names: Self.names, task: task,
            classNames: classNames)
    }

    @Test func bytesStayBytes() throws {
        let table = try table()
        #expect(table.features == .u8(Self.numbers.map { UInt8(($0 + 251) % 251) }))
        #expect(table.rowShape == [1, 2, 3])
        #expect(table.targets == .classes([1, 2, 1, 0, 2], names: ["-1", "3", "10"]))
    }

    @Test(arguments: ["features-i4", "features-i8"])
    func wholeNumbersBecomeFloats(name: String) throws {
        #expect(try table(name).features == .f32(Self.numbers.map { Float($0) }))
    }

    @Test(arguments: ["features-f4", "features-f8"])
    func floatsAreRoundedToNearest(name: String) throws {
        #expect(try table(name).features == .f32(Self.numbers.map { Float(Double($0) * 0.1) }))
    }

    @Test(arguments: ["version-2", "version-3"])
    func laterVersionsOfTheFormatAreRead(name: String) throws {
        #expect(try table(name).features == .f32(Self.numbers.map { Float($0) }))
    }

    @Test(arguments: ["labels-i4", "labels-column"])
    func otherShapesAndTypesOfLabels(name: String) throws {
        #expect(try table("features-f4", name).targets == table().targets)
    }

    @Test func regressionTakesFloats() throws {
        #expect(try table("features-f4", "labels-f4", task: .regression).targets == .values([3, 10, 3, -1, 10]))
    }

    @Test(
        arguments: [
            ("fortran", .fortranOrder), ("big-endian", .elementType(">f4")),
            ("structured", .header(offset: 20, expected: "an element type such as '<f4' in quotes (structured arrays cannot be read)")),
        ] as [(String, NPYFault)])
    func whatIsNotCOrderOfOurTypesIsRefused(name: String, fault: NPYFault) throws {
        #expect(throws: DataProblems(problems: [.npy(path: "x", fault)])) { try table(name) }
    }

    @Test(
        arguments: [
            ("labels-f4", .fractionalLabels(.f32)), ("labels-u1", .unknownLabel(row: 1, label: "0", known: ["1", "2"])),
            ("features-u1", .labelDimensions([5, 2, 3])),
        ] as [(String, NPYFault)])
    func labelsThatAreNoneAreRefused(name: String, fault: NPYFault) throws {
        #expect(throws: DataProblems(problems: [.npy(path: "y", fault)])) { try table("features-f4", name, classNames: ["1", "2"]) }
    }

    /// Every length that a file can be cut to, with the place and what was expected there.
    @Test func truncatedFilesAreRefused() throws {
        let whole = try fixture("npy/features-f4.npy")
        for count in 0..<whole.count {
            let fault = #expect(throws: NPYFault.self) { try NPYReader.rows(Array(whole.prefix(count))) }
            switch count {
            case ..<10: #expect(fault == .headerTruncated(byteCount: count, expected: 10))
            case ..<128: #expect(fault == .headerTruncated(byteCount: count, expected: 128))
            default: #expect(fault == .truncated(byteCount: count, expected: 248))
            }
        }
        #expect(throws: NPYFault.trailingBytes(byteCount: 249, expected: 248)) { try NPYReader.rows(whole + [0]) }
    }

    @Test(
        arguments: [
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x",
                .header(offset: 68, expected: "nothing but blanks behind the dictionary")
            ),
            ("{'descr': '<f4', 'fortran_order': False}", .header(offset: 50, expected: "the key 'shape' before the end of the dictionary")),
            ("{'descr': '<f4', 'order': False}", .header(offset: 27, expected: "the key 'descr', 'fortran_order' or 'shape'")),
            ("{'descr': '<f4', 'fortran_order': 0}", .header(offset: 44, expected: "True or False")),
            ("{'shape': (2, -1)}", .header(offset: 24, expected: "a size of the shape")),
            ("{'shape': (99999999999999999999,)}", .header(offset: 21, expected: "a size that fits in 64 bits")),
            ("{'shape'", .header(offset: 18, expected: "“:”")),
            ("[1]", .header(offset: 10, expected: "“{”")),
            ("{'descr': '<c8', 'fortran_order': False, 'shape': (2,)}", .elementType("<c8")),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': ()}", .dimensions([], allowed: 1...4)),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3)}", .empty(dimensions: [0, 3])),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1, 1, 1, 2)}", .dimensions([1, 1, 1, 1, 2], allowed: 1...4)),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 9)}",
                .tooLarge(dimensions: [4_611_686_018_427_387_904, 9], limit: DatasetLimits.byteCount)
            ),
        ] as [(String, NPYFault)])
    func malformedHeadersAreRefused(text: String, fault: NPYFault) {
        let bytes = NPYHeader.magic + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8) + [0, 0]
        #expect(throws: fault) { try NPYReader.rows(bytes) }
    }

    @Test func foreignFilesAndVersionsAreRefused() {
        #expect(throws: NPYFault.magic(Array("PK\u{3}\u{4}..".utf8))) { try NPYReader.rows(Array("PK\u{3}\u{4}....".utf8)) }
        #expect(throws: NPYFault.version(major: 4, minor: 0)) { try NPYReader.rows(NPYHeader.magic + [4, 0, 0, 0]) }
    }

    @Test func valuesThatAreNotFiniteAreNamedWithTheirPlace() throws {
        var bytes = try fixture("npy/features-f4.npy")
        bytes.replaceSubrange(128 + 4 * 8..<128 + 4 * 9, with: [0, 0, 0xC0, 0x7F])
        #expect(throws: NPYFault.notFinite(row: 1, element: 2, offset: 160, value: "nan")) { try NPYReader.rows(bytes) }
    }

    @Test func unequalCountsNameBothFiles() throws {
        let header = Array("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}".utf8)
        let labels = NPYHeader.magic + [1, 0, UInt8(header.count), 0] + header + [0, 1]
        let problem = DatasetError.unequalCounts(features: "x", rows: 5, labels: "y", labelCount: 2)
        #expect(throws: DataProblems(problems: [problem])) {
            try NPYReader.table(labels: labels, features: fixture("npy/features-u1.npy"), names: Self.names, task: .classification)
        }
    }
}
