import Testing

/// Documented names and values that wait for their feature.
@Suite struct NotSupportedYetTests {
    @Test(arguments: cases)
    func knownNamesAreRefusedAsNotSupportedYet(_ example: Case) {
        #expect(problems(in: RunFile(example.fragment).text) == example.expected)
    }

    static let cases = [
        Case(
            "training: {mode: fast}",
            #"run.yaml:8:18: training.mode: "fast" is not supported yet; supported: exact"#),
        Case(
            "training: {mode: {ssp: {staleness: 2}}}",
            #"run.yaml:8:12: training.mode: "ssp" is not supported yet; supported: exact"#),
        Case(
            "training: {mode: async}",
            #"run.yaml:8:18: training.mode: "async" is not supported yet; supported: exact"#),
    ]
}
