import RunConfiguration
import Testing

@Suite struct ProblemListTests {
    @Test func problemsAreOrderedByLineThenColumnWithOverridesLast() {
        let at = { (line: Int, column: Int) in Place.position(file: "f", line: line, column: column) }
        let list = ProblemList([
            Problem(place: .override("a=1"), path: "a", text: "1"),
            Problem(place: at(10, 1), path: "b", text: "2"),
            Problem(place: at(9, 12), path: "c[1].d", text: "3"),
            Problem(place: at(9, 2), path: "e", text: "4"),
            Problem(place: at(9, 2), path: "a", text: "5"),
            Problem(place: .file("f"), path: SettingPath(), text: "6"),
        ])
        #expect(list.description == "f: 6\nf:9:2: e: 4\nf:9:2: a: 5\nf:9:12: c[1].d: 3\nf:10:1: b: 2\n--set a=1: a: 1")
    }
}

@Suite struct SettingPathTests {
    @Test(arguments: [
        ("model.loss", "model.loss"), ("model.layers.3.dropout.rate", "model.layers[3].dropout.rate"),
        ("model.layers[3].dropout", "model.layers[3].dropout"), ("shape[0][1]", "shape[0][1]"),
    ])
    func bothWaysToWriteAnIndexMeanTheSame(written: String, printed: String) {
        #expect(SettingPath(parsing: written)?.description == printed)
    }

    @Test(arguments: ["", ".", "a.", ".a", "a..b", "a[", "a[x]", "a[-1]", "a[1", "[1]", "a[99999999999999999999]"])
    func pathsWithEmptyOrOpenStepsAreNone(written: String) {
        #expect(SettingPath(parsing: written) == nil)
    }
}
