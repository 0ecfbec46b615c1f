import Testing

@testable import Datasets

/// Files that scikit-learn wrote (`Fixtures/formats.py`), and faulty text.
@Suite struct LibSVMReaderTests {
    private static let features: [Float] = [0.5, 0, -2, 0, 0, 0, 1e-3, 4, 0, 0, 0.1, 7]

    private func read(
        _ text: String, count: Int = 3, task: LearningTask = .classification, encoding: TableEncoding? = nil
    ) throws -> (table: Table, encoding: TableEncoding) {
        try LibSVMReader.table(Array(text.utf8), featureCount: count, task: task, encoding: encoding)
    }

    @Test(arguments: [("from-one", 1), ("from-zero", 0)])
    func bothNumberingsOfScikitLearnAreRead(name: String, first: Int) throws {
        let (table, encoding) = try LibSVMReader.table(fixture("libsvm/\(name).libsvm"), featureCount: 3, task: .classification)
        #expect(table.features == .f32(Self.features))
        #expect(table.targets == .classes([1, 0, 0, 1], names: ["-1", "1"]))
        #expect(encoding.firstIndex == first)
    }

    @Test func regressionTakesLabelsAsValues() throws {
        let table = try LibSVMReader.table(fixture("libsvm/regression.libsvm"), featureCount: 3, task: .regression).table
        #expect(table.targets == .values([0.25, -1.5, 3, 10_000]))
        #expect(table.features == .f32(Self.features))
    }

    @Test func blankLinesCommentsAndSpellingsOfLabels() throws {
        let table = try read("# c\n\n+1 1:1\t3:2 # c\r\n1.0\r-1 2:5e-1#c").table
        #expect(table.features == .f32([1, 0, 2, 0, 0, 0, 0, 0.5, 0]))
        #expect(table.targets == .classes([1, 1, 0], names: ["-1", "1"]))
    }

    /// Without an index 0 in it, a held-out file says nothing about its numbering: the training source decides.
    @Test func anotherSourceIsNumberedAsTheTrainingSource() throws {
        let encoding = try read("1 0:1\n2 1:1").encoding
        #expect(try read("2 1:7", encoding: encoding).table.features == .f32([0, 7, 0]))
        let place = LibSVMFault.Place(line: 2, column: 3)
        #expect(throws: LibSVMFault.zeroIndex(place)) { try read("1 1:1\n2 0:1", encoding: read("1 1:1\n2 2:1").encoding) }
    }

    @Test func labelsAreOptionalForPrediction() throws {
        let encoding = TableEncoding(columns: nil, classNames: ["1", "2"])
        let rows = try LibSVMReader.rows(Array("1:5 2:6\n9 3:1\n".utf8), featureCount: 3, encoding: encoding)
        #expect(rows == FeatureRows(.f32([5, 6, 0, 0, 0, 1]), rowShape: [3], rowCount: 2))
    }

    @Test(
        arguments: [
            ("", ": has no rows of data"),
            ("1 1:1\n1:2 2:3", ":2:1: expected a label, found “1:2”; a line is: label index:value index:value …"),
            ("a 1:1", ":1:1: the label “a” is not a finite number; a line is: label index:value index:value …"),
            ("1 1:1 2", ":1:7: expected index:value, found “2”"),
            ("1 1:", ":1:3: the value “” is not a number"),
            ("1 :1", ":1:3: the index “” is not a whole number from 0"),
            ("1 -1:1", ":1:3: the index “-1” is not a whole number from 0"),
            ("1 99999999999999999999:1", ":1:3: the index “99999999999999999999” is not a whole number from 0"),
            ("1 qid:3 1:1", ":1:3: ranking data (qid:) cannot be used; remove the qid entries"),
            ("1 2:1 2:1", ":1:7: the index 2 follows 2: indices must ascend within a line"),
            ("1 1:x", ":1:3: the value “x” is not a number"),
            ("1 1:nan", ":1:3: the value “nan” is not a finite 32-bit number: data must be finite"),
            ("1 1:1\n1 4:1", ":2:3: the index 4 is beyond the last of 3 features, which this file numbers 1 to 3"),
            (
                "1 0:1\n1 3:1",
                ":2:3: the index 3 is beyond the last of 3 features, which this file numbers 0 to 2 (the index 0 occurs in it)"
            ),
        ])
    func faultyTextIsRefusedWithItsPlace(text: String, message: String) {
        let fault = #expect(throws: LibSVMFault.self) { try read(text) }
        #expect(fault?.description == message)
    }

    @Test func unknownLabelsAreRefused() {
        let encoding = TableEncoding(columns: nil, classNames: ["-1", "1"])
        let fault = LibSVMFault.unknownLabel(line: 2, label: "0", known: ["-1", "1"])
        #expect(throws: fault) { try read("1 1:1\n0 1:1", encoding: encoding) }
    }
}
