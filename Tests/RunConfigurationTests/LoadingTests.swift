import Datasets
import Foundation
import RunConfiguration
import Testing

/// `load(path:)`.
@Suite struct LoadingTests {
    private func inTemporaryFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("RunConfiguration-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func problems(path: String) -> [String] {
        do throws(ProblemList) {
            _ = try RunConfiguration.load(path: path)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test func relativePathsStartInTheFolderOfTheFile() throws {
        try inTemporaryFolder { folder in
            let path = folder + "/houses.v2.yaml"
            try Data(RunFile("data: {train: {csv: {path: a.csv, target: 0}}}").text.utf8).write(to: URL(fileURLWithPath: path))
            let configuration = try RunConfiguration.load(path: path, overrides: ["seed=9"])
            #expect(configuration.data.train == .csv(CSVSpecification(path: folder + "/a.csv", target: .index(0))))
            #expect(configuration.name == "houses.v2")
            #expect(configuration.seed == 9)
        }
    }

    @Test func filesThatCannotBeReadAreProblems() throws {
        try inTemporaryFolder { folder in
            #expect(problems(path: folder + "/none.yaml") == ["\(folder)/none.yaml: cannot be read: No such file or directory"])
            #expect(problems(path: folder) == ["\(folder): cannot be read: Is a directory"])
            let path = folder + "/bytes.yaml"
            try Data([0x61, 0xFF, 0xFE]).write(to: URL(fileURLWithPath: path))
            #expect(problems(path: path) == ["\(path): is not UTF-8 text, so it is no run file"])
            try Data(repeating: UInt8(ascii: "#"), count: 3 << 20).write(to: URL(fileURLWithPath: path))
            #expect(problems(path: path).map { $0.hasPrefix("\(path):1:1: is larger than 1 MiB") } == [true])
        }
    }
}
