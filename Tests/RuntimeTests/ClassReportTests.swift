import Foundation
import Testing
import Training
import Wire

@testable import Runtime

@Suite struct ClassReportTests {
    static let counts = [
        ConfusionCount(truth: 0, found: 0, count: 3), ConfusionCount(truth: 0, found: 1, count: 1),
        ConfusionCount(truth: 1, found: 0, count: 2), ConfusionCount(truth: 1, found: 1, count: 4),
    ]

    @Test func precisionRecallAndSupportFollowFromTheConfusion() throws {
        let report = try #require(ClassReport(Self.counts, classCount: 3, names: ["cat", "dog"]))
        #expect(report.confusion == [[3, 1, 0], [2, 4, 0], [0, 0, 0]])
        #expect(report.classes["cat"] == .init(precision: 0.6, recall: 0.75, support: 4))
        #expect(report.classes["dog"] == .init(precision: 0.8, recall: 4.0 / 6, support: 6))
        #expect(report.classes["output 2"] == .init(precision: nil, recall: nil, support: 0))
    }

    @Test func nothingCountedIsNoReport() {
        #expect(ClassReport([], classCount: 3, names: []) == nil)
        #expect(ClassReport(Self.counts, classCount: nil, names: []) == nil)
    }

    @Test func theKeysAreThoseOfTheInterface() throws {
        let figures = PartFigures(rows: 10, correct: 7, topFive: 9, loss: 5, squaredError: 0, confusion: Self.counts)
        var report = PartReport(figures, spread: nil, targetScaling: nil)
        report.add(figures, ClassReport(Self.counts, classCount: 2, names: ["cat", "dog"]))
        let json = try #require(JSONSerialization.jsonObject(with: JSONEncoder().encode(report)) as? [String: Any])
        #expect(Set(json.keys) == ["loss", "accuracy", "samples", "top5_accuracy", "confusion", "per_class"])
        #expect(json["top5_accuracy"] as? Double == 0.9)
        #expect(json["confusion"] as? [[Int]] == [[3, 1], [2, 4]])
        let cat = (json["per_class"] as? [String: [String: Any]])?["cat"]
        #expect(cat?["precision"] as? Double == 0.6 && cat?["recall"] as? Double == 0.75 && cat?["support"] as? Int == 4)
    }
}
