import RunConfiguration
import Testing

/// Texts that are no run file at all.
@Suite struct DocumentProblemTests {
    @Test(arguments: cases)
    func textsThatAreNoMapOfKeysAreReported(_ example: Case) {
        #expect(problems(in: example.fragment) == example.expected)
    }

    static let empty = "run.yaml:1:1: the file is empty; a run file has at least data.train, model.layers, model.loss and optimizer.rule"
    static let complexKey = "keys must be plain text: neither aliases nor lists nor maps"
    static let cases = [
        Case("", empty),
        Case("\n# only a comment\n", empty),
        Case("---\n", empty),
        Case("hello", #"run.yaml:1:1: a run file is a map of keys, got the text "hello""#),
        Case("- a\n- b\n", "run.yaml:1:1: a run file is a map of keys, got a list"),
        Case("data:\n\ttrain: 3\n", "run.yaml:2:1: not YAML: a tab; indentation is made of spaces"),
        Case("data: {train: [}\n", "run.yaml:1:16: not YAML: while parsing a flow node, did not find expected node content"),
        Case(
            "data:\n  train: \"open\n",
            "run.yaml:3:1: not YAML: while scanning a quoted scalar that begins on line 2, found unexpected end of stream"),
        Case("a: *nowhere\n", "run.yaml:1:4: not YAML: found undefined alias"),
        Case("é: \u{1}\n", "run.yaml:1:4: not YAML: control characters are not allowed"),
        Case("a: 1\n---\nb: 2\n", "run.yaml:3:1: a second document begins here; a run file is one document"),
        Case("x: &a [1]\n? *a\n: 3\n", "run.yaml:2:1: \(complexKey)"),
        Case("{x: &a [1], *a : 3}\n", "run.yaml:1:13: \(complexKey)"),
        Case("{x: &a [1], [*a]: 3}\n", "run.yaml:1:16: \(complexKey)"),
    ]

    @Test func keysGivenTwiceAreReportedTogetherWithEverythingElse() {
        let fragment = """
            seed: 1
            "seed": 2
            training: {epochs: 1, epochs: 2, 'epochs': 3, batch_size: 0}
            """
        #expect(
            problems(in: RunFile(fragment).text) == [
                "run.yaml:9:1: seed: key given twice; first on line 8",
                "run.yaml:10:23: training.epochs: key given twice; first on line 10",
                "run.yaml:10:34: training.epochs: key given twice; first on line 10",
                "run.yaml:10:59: training.batch_size: must be a whole number in 1…16777216, got 0",
            ])
    }

    /// What hides such keys from the parser must not change any that are there.
    @Test(arguments: ["a\u{E000}", "\u{E000}b", "\u{E0FF}"])
    func privateUseCharactersInKeysStayAsTheyAre(key: String) {
        #expect(problems(in: RunFile("seed: 1\n\(key): 1\n").text).count == 1)
        #expect(problems(in: RunFile("seed: 1\nseed: 2\n\(key): 1\n").text) == ["run.yaml:8:1: key given twice: seed"])
    }

    @Test func countlessKeysGivenTwiceEndTheReading() {
        let text = (0..<100).map { "k\($0): 1\nk\($0): 2\n" }.joined()
        #expect(problems(in: text).count == 1)
    }

    @Test func foreignTagsAreReported() {
        #expect(
            problems(in: RunFile("seed: !!binary AQ==\nname: !mine a\n").text) == [
                #"run.yaml:8:7: seed: the tag "!!binary" is unknown; tags are not needed in run files"#,
                #"run.yaml:8:7: seed: must be a whole number in 0…18446744073709551615, got the text "AQ==""#,
                #"run.yaml:9:7: name: the tag "!mine" is unknown; tags are not needed in run files"#,
            ])
    }

    @Test(arguments: ["\u{FEFF}" + RunFile().text, RunFile().text.replacing("\n", with: "\r\n"), "---\n" + RunFile().text + "...\n"])
    func marksAndLineEndsOfOtherSystemsAreFine(text: String) throws {
        #expect(try RunFile.load(text) == RunFile().load())
    }

    @Test func aliasesAreExpanded() throws {
        let file = RunFile(
            """
            model:
              loss: softmax_cross_entropy
              layers: [flatten, &hidden {dense: {units: 7}}, &act relu, *hidden, *act, {dense: {units: 10}}]
            """)
        #expect(try file.load().model.layers.count == 6)
        #expect(try file.load().model.layers[1] == file.load().model.layers[3])
    }

    @Test func stackedAliasesAreRefused() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for i in 1...20 { text += "a\(i): &a\(i) [\(Array(repeating: "*a\(i - 1)", count: 10).joined(separator: ", "))]\n" }
        let found = problems(in: text)
        #expect(found.count == 1)
        #expect(found.first?.hasSuffix("more than 100000 values, aliases expanded") == true)
    }

    @Test func deepNestingIsRefused() {
        let nested = { (depth: Int) in "a: " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "\n" }
        #expect(problems(in: nested(100)).map { $0.hasSuffix("maps and lists are more than 64 deep") } == [true])
        #expect(problems(in: nested(100_000)).map { $0.contains("not YAML") } == [true])
    }

    @Test func textsBeyondOneMebibyteAreRefused() {
        let comment = "#" + String(repeating: "x", count: 1 << 20)
        #expect(
            problems(in: comment) == ["run.yaml:1:1: is larger than 1 MiB, the most that is read; data belongs in files of its own"])
    }

    @Test func oddKeysNeitherBreakLinesNorVanish() {
        let found = problems(in: RunFile("\"a\\nb\": 1\n\"\": {x: 1}\n").text)
        #expect(found.count == 2)
        #expect(found.first?.hasPrefix(#"run.yaml:8:1: "a\nb": unknown key"#) == true)
        #expect(found.last?.hasPrefix(#"run.yaml:9:1: "": unknown key"#) == true)
    }

    @Test func listsAsKeysAreReported() {
        let found = problems(in: RunFile("? [a, b]\n: 3\n").text)
        #expect(found == ["run.yaml:8:3: keys must be plain text, not lists or maps"])
    }

    @Test func everyMissingSectionIsNamed() {
        #expect(
            problems(in: "seed: 3\n") == [
                "run.yaml:1:1: data.train: is required: one of builtin, idx, csv",
                "run.yaml:1:1: model.layers: is required: a list of layers, each a name or {name: {options}}",
                "run.yaml:1:1: model.loss: is required: one of \(lossNames)",
                "run.yaml:1:1: optimizer.rule: is required: one of sgd, momentum, adagrad, rmsprop, adam, adamw, adamax, nadam, radam, adadelta, lbfgs, conjugate_gradient",
            ])
    }
}
