import Foundation
import Hashing
import Testing

@testable import Checkpoints

@Suite struct SafetensorsFileTests {
    private let folder: TemporaryFolder
    private let tensors = [
        TestTensor(name: "layers.0.weight", shape: [2, 3], values: [1.5, -2.25, .infinity, -0.0, .leastNonzeroMagnitude, 3]),
        TestTensor(name: "layers.0.bias", shape: [2], values: [0.25, .nan]),
        TestTensor(name: "empty", shape: [0, 7], values: []),
        TestTensor(name: "a scalar, “größe”", shape: [], values: [7]),
    ]

    init() throws {
        folder = try TemporaryFolder()
    }

    @Test func readsBackWhatWasWritten() throws {
        let metadata = ["model": "{\"layers\": [\"dense\\n\"]}", "classes": "größe\t\u{1}\u{1F40B}/\r\n", "": ""]
        let record = try withTensors(tensors) { try SafetensorsFile.write($0, metadata: metadata, to: folder("a.safetensors")) }

        let file = try SafetensorsFile(path: folder("a.safetensors"))
        #expect(file.metadata == metadata)
        #expect(file.entries.map(\.name) == tensors.map(\.name))
        #expect(file.entries.map(\.shape) == tensors.map(\.shape))
        for tensor in tensors {
            #expect(try file.read(tensor.name).map(\.bitPattern) == tensor.values.map(\.bitPattern))
        }
        #expect(try record.sha256 == SHA256.hash(ofFile: folder("a.safetensors")))
        #expect(try record.byteCount == bytes(ofFile: folder("a.safetensors")).count)
        #expect(record.name == "a.safetensors")
        #expect(try names(in: folder.path) == ["a.safetensors"])
    }

    @Test func writesTheseBytes() throws {
        let two = [TestTensor(name: "b", shape: [1, 2], values: [1, -2]), TestTensor(name: "a\"", shape: [], values: [0.5])]
        try withTensors(two) { _ = try SafetensorsFile.write($0, metadata: ["z": "1", "k": "\\"], to: folder("a")) }
        let header =
            #"{"__metadata__":{"k":"\\","z":"1"},"b":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"#
            + #""a\"":{"dtype":"F32","shape":[],"data_offsets":[8,12]}}       "#
        let expected = [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + header.utf8 + [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 0, 0, 0, 0x3F]
        #expect(header.utf8.count.isMultiple(of: 8))
        #expect(try bytes(ofFile: folder("a")) == expected)
    }

    @Test func namesOfEveryLengthLeaveTheElementsAligned() throws {
        for length in 1...16 {
            let tensor = TestTensor(name: String(repeating: "n", count: length), shape: [1], values: [Float(length)])
            try withTensors([tensor]) { _ = try SafetensorsFile.write($0, to: folder("a")) }
            let file = try SafetensorsFile(path: folder("a"))
            #expect(file.dataOffset.isMultiple(of: 8))
            #expect(try file.contents() == [tensor])
        }
    }

    @Test func holdsNoTensorsAtAll() throws {
        try SafetensorsFile.write([], to: folder("none"))
        #expect(try SafetensorsFile(path: folder("none")).entries.isEmpty)
        #expect(try bytes(ofFile: folder("none")) == [8, 0, 0, 0, 0, 0, 0, 0] + Array("{}      ".utf8))
    }

    @Test func theFileReplacesOneThatIsStillBeingRead() throws {
        let old = [TestTensor(name: "w", shape: [1], values: [1])]
        let new = [TestTensor(name: "w", shape: [2], values: [2, 3])]
        try withTensors(old) { _ = try SafetensorsFile.write($0, to: folder("a")) }
        let reader = try SafetensorsFile(path: folder("a"))
        try withTensors(new) { _ = try SafetensorsFile.write($0, to: folder("a")) }
        #expect(try reader.contents() == old)
        #expect(try SafetensorsFile(path: folder("a")).contents() == new)
    }

    @Test(arguments: [["w", "w"], ["__metadata__"]])
    func namesThatWouldNotReadBackAreRefused(names: [String]) throws {
        let tensors = names.map { TestTensor(name: $0, shape: [1], values: [1]) }
        #expect(throws: CheckpointError.unwritable(path: folder("a"), reason: "the tensor name “\(names[0])” is reserved or there twice")) {
            try withTensors(tensors) { _ = try SafetensorsFile.write($0, to: folder("a")) }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
}

// MARK: Reading into place

extension SafetensorsFileTests {
    @Test func fillsThePlacesItIsGiven() throws {
        let wanted = [tensors[3], tensors[0]]
        try withTensors(wanted) { _ = try SafetensorsFile.write($0, to: folder("a")) }
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 28, alignment: 64)
        defer { block.deallocate() }
        try SafetensorsFile(path: folder("a")).read(into: [
            TensorDestination(name: wanted[1].name, shape: [2, 3], bytes: .init(rebasing: block[..<24])),
            TensorDestination(name: wanted[0].name, shape: [], bytes: .init(rebasing: block[24...])),
        ])
        #expect(Array(block.bindMemory(to: Float.self)) == wanted[1].values + wanted[0].values)
    }

    @Test(
        arguments: [
            ([("w", [2])], "has shape [2, 1], expected is [2]"),
            ([("w", [2, 1]), ("v", [2])], "has no tensor “v”"),
            ([], "has a tensor “w” that nothing asks for"),
        ] as [([(String, [Int])], String)])
    func readsNothingIntoANetOfAnotherForm(wanted: [(String, [Int])], message: String) throws {
        try withTensors([TestTensor(name: "w", shape: [2, 1], values: [1, 2])]) { _ = try SafetensorsFile.write($0, to: folder("a")) }
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 64)
        defer { room.deallocate() }
        room.storeBytes(of: 0, as: UInt64.self)
        let error = #expect(throws: CheckpointError.self) {
            try SafetensorsFile(path: folder("a")).read(
                into: wanted.map { TensorDestination(name: $0.0, shape: $0.1, bytes: room) })
        }
        #expect(error?.description.contains(message) == true)
        #expect(room.load(as: UInt64.self) == 0)
    }

    @Test func widensBrainFloats() throws {
        let bits: [UInt16] = [0x3F80, 0xC000, 0x3F81, 0x7F80]
        try bits.withUnsafeBytes {
            _ = try SafetensorsFile.write([NamedTensor(name: "b", shape: [4], type: .bf16, bytes: $0)], to: folder("a"))
        }
        #expect(try SafetensorsFile(path: folder("a")).read("b") == [1, -2, 1.0078125, .infinity])
    }
}

// MARK: The system's failures

extension SafetensorsFileTests {
    @Test func missingFilesAndFoldersAreNamed() {
        #expect(throws: CheckpointError.system(operation: "open", path: folder("a"), errorNumber: ENOENT)) {
            try SafetensorsFile(path: folder("a"))
        }
        let path = folder("no/folder/a")
        let error = #expect(throws: CheckpointError.self) { try SafetensorsFile.write([], to: path) }
        #expect(error?.description == "\(folder("no/folder/.a.partial")): create failed: No such file or directory")
    }

    @Test func aFullDiskIsReported() throws {
        #expect(throws: CheckpointError.system(operation: "write", path: "/dev/full", errorNumber: ENOSPC)) {
            var file = try OutputFile(creating: "/dev/full", on: Disk())
            try file.write([1, 2, 3])
        }
    }

    @Test func aFullDiskLeavesTheFileThatWasThere() throws {
        try withTensors(tensors) { _ = try SafetensorsFile.write($0, to: folder("a")) }
        let before = try bytes(ofFile: folder("a"))
        let full = Disk(pieceByteCount: 16, fault: { operation, _ in operation == .write ? ENOSPC : nil })
        #expect(throws: CheckpointError.system(operation: "write", path: folder(".a.partial"), errorNumber: ENOSPC)) {
            try withTensors(tensors) { _ = try full.replaceSafetensors($0, metadata: [:], at: folder("a")) }
        }
        #expect(try bytes(ofFile: folder("a")) == before)
        #expect(try names(in: folder.path) == ["a"])
    }
}
