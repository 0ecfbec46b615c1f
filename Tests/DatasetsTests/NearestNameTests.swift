import Testing

@testable import Datasets

@Suite struct NearestNameTests {
    @Test(
        arguments: [
            ("taget", "target"), ("TARGET", "target"), ("ag", "age"), ("aeg", "age"), ("tagret", "target"),
            ("hours per week", "hours-per-week"), ("zzz", nil), ("", nil),
        ] as [(String, String?)])
    func closeNamesAreFound(name: String, nearest: String?) {
        #expect(nearestName(to: name, in: ["age", "target", "hours-per-week"]) == nearest)
    }
}
