import Checkpoints
import Foundation
import Testing

/// Files go to and fro between us and the reference implementation. The one of `Fixtures/reference.py` is always read, the
/// rest runs where a Python with safetensors and numpy is found (`DNN_PYTHON`, else `python3`).
@Suite struct PythonExchangeTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    @Test func readsTheReferenceFile() throws {
        try checkReference(SafetensorsFile(path: fixture("reference.safetensors")))
    }

    @Test(.enabled(if: Python.hasSafetensors)) func readsWhatPythonWrites() throws {
        _ = try Python.run([fixture("reference.py"), folder("a.safetensors")])
        try checkReference(SafetensorsFile(path: folder("a.safetensors")))
    }

    @Test(.enabled(if: Python.hasSafetensors)) func pythonReadsWhatIsWritten() throws {
        struct Description: Decodable, Equatable {
            struct Tensor: Decodable, Equatable {
                var name, type: String
                var shape: [Int]
                var hex: String
            }
            var metadata: [String: String]?
            var tensors: [Tensor]
        }
        func describe(_ tensors: [TestTensor], _ metadata: [String: String]) throws -> Description {
            try withTensors(tensors) { _ = try SafetensorsFile.write($0, metadata: metadata, to: folder("b.safetensors")) }
            let json = try Python.run([fixture("describe.py"), folder("b.safetensors")])
            return try JSONDecoder().decode(Description.self, from: json)
        }

        let metadata = ["model": "{\"a\": [\"\\\\\"]}\n\u{1}", "classes": "größe \u{1F40B}"]
        let tensors = [
            TestTensor(name: "z\t\"größe\"", shape: [2, 1], values: [1, -2]),
            TestTensor(name: "empty", shape: [3, 0], values: []),
            TestTensor(name: "a", shape: [], values: [.leastNonzeroMagnitude]),
        ]
        let described = try describe(tensors, metadata)
        #expect(described.metadata == metadata)
        #expect(
            described.tensors == [
                .init(name: "z\t\"größe\"", type: "F32", shape: [2, 1], hex: "0000803f000000c0"),
                .init(name: "empty", type: "F32", shape: [3, 0], hex: ""),
                .init(name: "a", type: "F32", shape: [], hex: "01000000"),
            ])
        #expect(try describe([], [:]) == Description(metadata: nil, tensors: []))
    }

    private func checkReference(_ file: SafetensorsFile) throws {
        #expect(file.metadata == ["format": "np", "classes": "[\"größe\", \"\\\"two\\\"\\n\"]"])
        #expect(
            Set(file.entries.map(\.name)) == [
                "dense.weight", "dense.bias", "scalar", "empty", "half", "double", "pixels", "counts", "labels", "flags",
            ])
        #expect(try file.read("dense.weight").map(\.bitPattern) == [1.5, -2.25, 3, 0.1, -0.0, 1e-40].map { Float($0).bitPattern })
        #expect(file.entry(named: "dense.weight")?.shape == [2, 3])
        #expect(try file.read("dense.bias") == [1, 2, 3])
        #expect(try file.read("scalar") == [0.3])
        #expect(file.entry(named: "scalar")?.shape == [])
        #expect(try file.read("empty") == [])
        #expect(file.entry(named: "empty")?.shape == [0, 4])
        #expect(try file.read("half") == [1, -0.5, 65504, 0x1p-24])
        #expect(try file.read("double") == [0.1, .infinity])

        #expect(try whole("pixels", .u8, of: file) as [UInt8] == [0, 1, 254, 255])
        #expect(try whole("counts", .i32, of: file) as [Int32] == [-1, .max])
        #expect(try whole("labels", .i64, of: file) as [Int64] == [-1, 1 << 40])
        #expect(try whole("flags", .bool, of: file) as [UInt8] == [1, 0, 1])
        #expect(throws: CheckpointError.wrongType(path: file.path, name: "labels", found: .i64)) { try file.read("labels") }
        #expect(throws: CheckpointError.missingTensor(path: file.path, name: "dense")) { try file.read("dense") }
    }

    private func whole<Number: FixedWidthInteger>(
        _ name: String, _ type: SafetensorsFile.ElementType, of file: SafetensorsFile
    ) throws -> [Number] {
        let entry = try #require(file.entry(named: name))
        #expect(entry.type == type)
        var numbers = [Number](repeating: 0, count: entry.elementCount)
        try numbers.withUnsafeMutableBytes { try file.readBytes(of: name, into: $0) }
        return numbers
    }
}

private enum Python {
    static let hasSafetensors = (try? run(["-c", "import numpy, safetensors"])) != nil

    struct Failure: Error {
        var status: Int32
        var output: String
    }

    static func run(_ arguments: [String]) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [ProcessInfo.processInfo.environment["DNN_PYTHON"] ?? "python3"] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(status: process.terminationStatus, output: String(decoding: text, as: UTF8.self))
        }
        return text
    }
}
