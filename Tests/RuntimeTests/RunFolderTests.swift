import Foundation
import OperatingSystem
import Testing

@testable import Runtime

@Suite struct RunFolderTests {
    private let folder: TemporaryFolder
    private var path: String { folder.appending("run") }

    init() throws {
        folder = try TemporaryFolder(prefix: "dnn-test-")
    }

    private func write(_ text: String, _ name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: path + "/" + name, encoding: .utf8)
    }

    @Test func everyStartHasAHigherNumberAndTheRunKeepsItsName() throws {
        let first = try RunFolder(creating: path).begin(runFile: "name: a\n", keeping: HistoryCut(), after: nil)
        let second = try RunFolder(resuming: path).begin(runFile: "name: a\n", keeping: HistoryCut(), after: 0)
        // A checkpoint may know a higher number than the note, which can have been lost.
        let third = try RunFolder(resuming: path).begin(runFile: "name: a\n", keeping: HistoryCut(), after: 7)
        #expect([first, second, third].map(\.incarnation) == [1, 2, 8])
        #expect(second.run == first.run && third.run == first.run)
        #expect(first.isSuperseded(in: path) && second.isSuperseded(in: path) && !third.isSuperseded(in: path))
    }

    @Test func aRunThatIsBegunAnewHasAnotherName() throws {
        let first = try RunFolder(creating: path).begin(runFile: "", keeping: HistoryCut(), after: nil)
        let second = try RunFolder(creating: path).begin(runFile: "", keeping: HistoryCut(), after: nil)
        #expect(second.run != first.run && second.incarnation == 2)
        #expect(first.isSuperseded(in: path))
    }

    @Test func aNoteThatIsLostSupersedesNobody() throws {
        let start = try RunFolder(creating: path).begin(runFile: "", keeping: HistoryCut(), after: nil)
        try FileManager.default.removeItem(atPath: path + "/.incarnation")
        #expect(!start.isSuperseded(in: path))
        try write("no JSON", ".incarnation")
        #expect(!start.isSuperseded(in: path))
        let next = try RunFolder(resuming: path).begin(runFile: "", keeping: HistoryCut(), after: start.incarnation)
        #expect(next.incarnation == 2)
    }

    @Test func theResultOfAnEarlierStartGoesAndTheRunFileIsTheEffectiveOne() throws {
        _ = try RunFolder(creating: path).begin(runFile: "name: a\n", keeping: HistoryCut(), after: nil)
        try write("{}", "result.json")
        _ = try RunFolder(resuming: path).begin(runFile: "name: b\n", keeping: HistoryCut(), after: 1)
        #expect(try text("run.yaml") == "name: b\n")
        #expect(!FileManager.default.fileExists(atPath: path + "/result.json"))
    }

    @Test func aFolderIsHeldByOne() throws {
        let holder = try RunFolder(creating: path)
        _ = try holder.begin(runFile: "", keeping: HistoryCut(), after: nil)
        #expect { try RunFolder(resuming: path) } throws: { "\($0)".contains("in use by another coordinator (process \(getpid()))") }
        withExtendedLifetime(holder) {}
    }

    @Test func whatHoldsARunIsNotBegunAnew() throws {
        _ = try RunFolder(creating: path).begin(runFile: "", keeping: HistoryCut(), after: nil)
        try FileManager.default.createDirectory(atPath: path + "/checkpoints/step-3", withIntermediateDirectories: true)
        #expect { try RunFolder(creating: path) } throws: { "\($0)".contains("continue it with `dnn-coord resume \(path)`") }
        #expect { try RunFolder(resuming: folder.path) } throws: { "\($0)".contains("holds no run") }
    }

    // MARK: History

    private static let lines = [
        #"{"step":10,"train":{"loss":1},"validation":null}"#, #"{"step":20,"train":{"loss":1},"validation":{"loss":1}}"#,
        #"{"step":20,"train":null,"validation":null}"#, #"{"step":30,"train":{"loss":1},"validation":{"loss":1}}"#,
    ]

    @Test(arguments: [(nil, []), (5, []), (10, [0]), (20, [0, 1]), (25, [0, 1]), (30, [0, 1, 3])] as [(UInt64?, [Int])])
    func theHistoryIsCutBackToWhatTheCheckpointHasSeen(lastJudged: UInt64?, kept: [Int]) {
        let history = Data((Self.lines.joined(separator: "\n") + "\n").utf8)
        let expected = kept.map { Self.lines[$0] + "\n" }.joined()
        #expect(String(decoding: HistoryCut(lastJudged: lastJudged).apply(to: history), as: UTF8.self) == expected)
    }

    @Test func aLineThatWasCutOffGoes() {
        let history = Data((Self.lines[0] + "\n" + Self.lines[1].prefix(30)).utf8)
        #expect(String(decoding: HistoryCut(lastJudged: 99).apply(to: history), as: UTF8.self) == Self.lines[0] + "\n")
    }
}
