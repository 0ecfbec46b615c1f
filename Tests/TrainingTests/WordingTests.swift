import Testing

@testable import Training

@Suite struct WordingTests {
    @Test(arguments: [
        ([3], "shard 3"), ([0, 1, 2], "shards 0–2"), ([0, 2, 3, 7], "shards 0, 2–3, 7"),
        ([0, 2, 4, 6, 8, 10, 12], "shards 0, 2, 4, 6, 8 and 2 more"),
    ])
    func shardsAreNamedInRuns(shards: [Int], text: String) {
        #expect(Wording.shards(shards) == text)
    }

    @Test(arguments: [("plain ä–ß", "plain ä–ß"), ("\u{1B}[2Jx\n\u{202E}y", "?[2Jx??y"), (String(repeating: "é", count: 500), nil)])
    func aPeersWordsCannotMoveTheCursorOrFillTheScreen(text: String, shown: String?) {
        let quoted = Wording.quoted(text)
        if let shown { #expect(quoted == shown) }
        #expect(quoted.count <= 401)
    }

    @Test(arguments: [(Duration.seconds(60), "60 s"), (.milliseconds(1_250), "1.2 s"), (.zero, "0 s")])
    func timesAreInSeconds(duration: Duration, text: String) {
        #expect(Wording.seconds(duration) == text)
    }
}
