import Testing

@testable import Datasets

/// Malformed files; the text is all that a person sees, so it is compared as it is.
@Suite struct CSVFaultTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let text: String
        var target = ColumnReference.name("y")
        var delimiter: Character = ","
        var header = true
        var categorical: [ColumnReference] = []
        var task = LearningTask.classification
        var encoding: TableEncoding?
        let message: String

        var testDescription: String { message }
    }

    @Test(arguments: [
        Case(text: "", message: "f.csv: has no rows of data"),
        Case(text: "x,y\n", message: "f.csv: has no rows of data"),
        Case(text: "x,y\n\n\n", message: "f.csv: has no rows of data"),
        Case(text: "y\n1\n", message: "f.csv: has no column beside the target: is the delimiter right?"),
        Case(
            text: "x,y\n1,u\n1;2,u\n",
            message: "f.csv:3: column “x”: “1;2” is not a number; a column of texts belongs into `categorical`"),
        Case(
            text: "a,b,y\r\n1,2,u\r\n1,,u\r\n",
            message: "f.csv:3: column “b”: is empty where a number is needed; a column of texts belongs into `categorical`"),
        Case(
            text: "1,2\n3,4\n5,abc\n", target: .index(0), header: false,
            message: "f.csv:3: column 1 (counted from 0): “abc” is not a number; a column of texts belongs into `categorical`"),
        Case(
            text: "x,y\n1,\"two\nlines\"\nz,u\n",
            message: "f.csv:4: column “x”: “z” is not a number; a column of texts belongs into `categorical`"),
        Case(
            text: "x,y\n1,u\nNaN,u\n",
            message: "f.csv:3: column “x”: “NaN” is not a finite 32-bit number: data must be finite"),
        Case(
            text: "x,y\n1,-inf\n", task: .regression,
            message: "f.csv:2: column “y”: “-inf” is not a finite 32-bit number: data must be finite"),
        Case(
            text: "x,y\n1,1e39\n", task: .regression,
            message: "f.csv:2: column “y”: “1e39” is not a finite 32-bit number: data must be finite"),
        Case(
            text: "x,y\n1,u\n", task: .regression,
            message: "f.csv:2: column “y”: “u” is not a number; a column of texts belongs into `categorical`"),
        Case(text: "x,y\n1,u\n2, \n", message: "f.csv:3: column “y”: the label is empty"),
        Case(text: "a,b,y\n1,2,u\n1,u\n", message: "f.csv:3: has 2 fields where the first line has 3"),
        Case(text: "a,b,y\n1,2,u\n\n1,2,u\n", message: "f.csv:3: has 1 field where the first line has 3"),
        Case(text: "a,b,y\n1,2,u,\n", message: "f.csv:2: has 4 fields where the first line has 3"),
        Case(text: "x,y\n1,\"u\n2,v\n", message: "f.csv:2: column “y”: the quote that opens here is never closed"),
        Case(
            text: "x,y\n\"1\"2,u\n",
            message: "f.csv:2: column “x”: text follows a closing quote; a quote inside a quoted field is written twice"),
        Case(
            text: "x,y,x\n1,u,2\n",
            message: "f.csv:1: columns 0 and 2 (counted from 0) are both named “x”: every column needs a name of its own"),
        Case(
            text: "age,label\n1,u\n", target: .name("lable"),
            message: "f.csv: there is no column “lable”, named as target; did you mean “label”?"),
        Case(text: "age,label\n1,u\n", target: .name("zzz"), message: "f.csv: there is no column “zzz”, named as target"),
        Case(
            text: "job,y\n1,u\n", categorical: [.name("Jobs")],
            message: "f.csv: there is no column “Jobs”, named as categorical; did you mean “job”?"),
        Case(
            text: "1,2\n", header: false,
            message: "f.csv: `target` is the name “y”, but `header: false` says that columns have no names: give its number, counted from 0"
        ),
        Case(text: "x,y\n1,2\n", target: .index(2), message: "f.csv: `target` is column 2, but columns are numbered 0 to 1"),
        Case(text: "x,y\n1,2\n", target: .index(-1), message: "f.csv: `target` is column -1, but columns are numbered 0 to 1"),
        Case(
            text: "x,y\n1,2\n", categorical: [.index(1)],
            message: "f.csv: column “y” is both target and categorical; a target needs no `categorical`"),
        Case(
            text: "x,y\n1,2\n", delimiter: "\"",
            message: "f.csv: the delimiter “\"” must be one ASCII character, neither a quote nor a line end"),
        Case(
            text: "x,y\n1,2\n", delimiter: "→",
            message: "f.csv: the delimiter “→” must be one ASCII character, neither a quote nor a line end"),
        Case(
            text: "x,y\n1,2\n", delimiter: "\r\n",
            message: "f.csv: the delimiter “\\r\\n” must be one ASCII character, neither a quote nor a line end"),
        Case(
            text: "x,y\n1,u\n2,w\n", encoding: TableEncoding(columns: [.init(name: "x")], classNames: ["u", "v"]),
            message: "f.csv:3: column “y”: the label “w” does not occur in the training source; known are “u”, “v”"),
        Case(
            text: "x,y\nred,u\ntea,u\n", categorical: [.name("x")],
            encoding: TableEncoding(columns: [.init(name: "x", categories: ["red"])], classNames: ["u", "v"]),
            message: "f.csv:3: column “x”: the category “tea” does not occur in the training source; known are “red”"),
        Case(
            text: "a,b,y\n1,2,u\n", encoding: TableEncoding(columns: [.init(name: "a")], classNames: ["u", "v"]),
            message: "f.csv: has 2 columns beside the target, the training source has 1"),
        Case(
            text: "y,b,a\nu,1,2\n", encoding: TableEncoding(columns: [.init(name: "a"), .init(name: "b")], classNames: ["u", "v"]),
            message: "f.csv: feature column 0 (counted from 0, without the target) is “b”, in the training source “a”: "
                + "columns must be the same and in the same order"),
        Case(
            text: "x,y\n1,u\n", encoding: TableEncoding(columns: [.init(name: "x", categories: ["1"])], classNames: ["u", "v"]),
            message: "f.csv: column “x” is categorical in the training source, but not here"),
    ])
    func isToldWithItsPlace(fault: Case) {
        let specification = CSVSpecification(
            path: "f.csv", target: fault.target, delimiter: fault.delimiter, header: fault.header, categorical: fault.categorical)
        let error = #expect(throws: CSVFault.self) {
            try CSVReader.table(Array(fault.text.utf8), specification: specification, task: fault.task, encoding: fault.encoding)
        }
        #expect(error.map { DatasetError.csv(path: "f.csv", $0).description } == fault.message)
    }

    @Test func tooManyCategoriesAreRefused() {
        let rows = (0...DatasetLimits.distinctTexts).map { "\($0),u" }.joined(separator: "\n")
        let specification = CSVSpecification(path: "f", target: .index(1), header: false, categorical: [.index(0)])
        #expect(throws: CSVFault.tooManyTexts(column: "column 0 (counted from 0)", limit: DatasetLimits.distinctTexts)) {
            try CSVReader.table(Array(rows.utf8), specification: specification, task: .classification)
        }
    }

    @Test func longTextsAreCutInTheMessage() {
        let text = String(repeating: "x", count: 1000)
        let specification = CSVSpecification(path: "f", target: .index(1), header: false)
        let error = #expect(throws: CSVFault.self) {
            try CSVReader.table(Array("\(text),1\n".utf8), specification: specification, task: .classification)
        }
        #expect(error?.description.contains("“" + String(repeating: "x", count: 60) + "…”") == true)
    }
}
