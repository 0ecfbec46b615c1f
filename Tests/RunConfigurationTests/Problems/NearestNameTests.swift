import Testing

@testable import RunConfiguration

@Suite struct NearestNameTests {
    @Test(arguments: [
        ("batch_siez", "batch_size"), ("Batch_Size", "batch_size"), ("batchsize", "batch_size"), ("epoch", "epochs"), ("epohcs", "epochs"),
        ("sede", "seed"), ("seeed", "seed"),
    ])
    func oneOrTwoSlipsAreSeenThrough(written: String, meant: String) {
        #expect(nearestName(to: written, among: ["seed", "epochs", "batch_size"]) == meant)
    }

    @Test(arguments: ["", "x", "size", "validation", String(repeating: "seed", count: 100_000)])
    func nothingIsNearToSomethingElse(written: String) {
        #expect(nearestName(to: written, among: ["seed", "epochs", "batch_size"]) == nil)
    }

    @Test func swappedNeighboursCountAsOneSlip() {
        #expect(nearestName(to: "ab", among: ["ba"]) == "ba")
        #expect(nearestName(to: "abc", among: ["cab"]) == nil)
    }
}
