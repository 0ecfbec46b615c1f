import Foundation
import Testing

/// ONNX's published tests (release 1.21, Apache-2.0: Fixtures/onnx/LICENSE), those that our layers can compute.
///
/// A few are copied here; with `DNN_ORACLES` all of the archive are run, and the table in Fixtures/onnx/cases.md, which says what became
/// of each, must be true. With `DNN_ONNX_TABLE=FILE` it is written anew.
@Suite struct ONNXTests {
    /// Relative to the largest value: a few roundings of Float.
    static let tolerance = 1e-5

    @Test(arguments: ONNXCase.committed)
    func committedCasesAgree(_ example: ONNXCase) throws {
        let result = try example.run(by: ONNXOperators.all)
        #expect(result.difference <= Self.tolerance)
        #expect(result.outputs >= 1)
    }

    @Test func everyOperatorHasACommittedCase() {
        let seen = Set(ONNXCase.committed.flatMap { $0.nodes.map(\.op) })
        #expect(seen.isSuperset(of: ONNXOperators.all.keys))
    }

    @Test(.enabled(if: ONNXCase.archive != nil, "DNN_ORACLES is not set"))
    func allOfTheArchiveAgreeAndTheTableIsTrue() throws {
        let archive = try #require(ONNXCase.archive)
        var rows: [String] = []
        var compared = 0
        for example in try ONNXCase.all(in: archive) {
            var verdict: String
            do {
                let result = try example.run(by: ONNXOperators.all)
                #expect(result.difference <= Self.tolerance, "\(example.testDescription)")
                verdict = "runs"
                compared += 1
            } catch let reason as ONNXCase.DoesNotApply {
                verdict = reason.reason
            }
            rows.append("| \(example.testDescription) | \(verdict) |")
        }
        #expect(compared >= 100)
        let head = "\(compared) of \(rows.count) run.\n\n| test | what becomes of it |\n|---|---|\n"
        let text = Self.title + head + rows.joined(separator: "\n") + "\n"
        if let file = ProcessInfo.processInfo.environment["DNN_ONNX_TABLE"] {
            try text.write(to: URL(fileURLWithPath: file), atomically: true, encoding: .utf8)
        }
        let committed = ONNXCase.fixtures.map { $0.appending(path: "cases.md") }
        #expect(try committed.map { try String(contentsOf: $0, encoding: .utf8) } == text, "write it anew with DNN_ONNX_TABLE")
    }

    private static let title = """
        # ONNX's node tests and what becomes of them

        Written by the test `allOfTheArchiveAgreeAndTheTableIsTrue`.
        """ + "\n\n"
}

extension ONNXCase {
    static let fixtures = Bundle.module.url(forResource: "Fixtures", withExtension: nil)?.appending(path: "onnx")

    static let committed: [ONNXCase] = fixtures.flatMap { try? all(in: $0) } ?? []

    /// The archive of the oracles folder, unpacked.
    static let archive: URL? = {
        guard let oracles = ProcessInfo.processInfo.environment["DNN_ORACLES"] else { return nil }
        let folder = FileManager.default.temporaryDirectory.appending(path: "onnx-\(ProcessInfo.processInfo.processIdentifier)")
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tar.arguments = ["tar", "xzf", "\(oracles)/onnx-vectors.tar.gz", "-C", folder.path, "--strip-components=1"]
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try tar.run()
        } catch {
            return nil
        }
        tar.waitUntilExit()
        return tar.terminationStatus == 0 ? folder : nil
    }()

    /// The cases below a folder, by kind and name.
    static func all(in folder: URL) throws -> [ONNXCase] {
        func names(_ url: URL) -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).filter { !$0.contains(".") }.sorted()
        }
        return try names(folder).flatMap { kind in
            try names(folder.appending(path: kind)).map { test in
                let place = folder.appending(path: kind).appending(path: test)
                var example = try JSONDecoder().decode(ONNXCase.self, from: Data(contentsOf: place.appending(path: "case.json")))
                example.folder = place
                return example
            }
        }
    }
}
