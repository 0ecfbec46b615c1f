import Testing

/// Documented names and values that wait for their feature.
@Suite struct NotSupportedYetTests {
    @Test(arguments: cases)
    func knownNamesAreRefusedAsNotSupportedYet(_ example: Case) {
        #expect(problems(in: RunFile(example.fragment).text) == example.expected)
    }

    static let cases = [
        Case(
            """
            data:
              train: {builtin: digits}
              ship: false
            """,
            #"run.yaml:8:9: data.ship: "ship: false" is not supported yet; only true is"#)
    ]
}
