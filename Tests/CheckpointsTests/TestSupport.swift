import Checkpoints
import Foundation
import Hashing
import Testing

/// A folder of its own, removed with its last owner; in memory where that can be had, since hundreds of commits wait for the
/// disk otherwise.
final class TemporaryFolder {
    let path: String

    init() throws {
        let inMemory = "/dev/shm"
        let parent =
            FileManager.default.isWritableFile(atPath: inMemory) ? inMemory : FileManager.default.temporaryDirectory.path
        path = parent + "/checkpoints-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func callAsFunction(_ name: String) -> String { path + "/" + name }
}

/// A tensor that owns its elements.
struct TestTensor: Hashable {
    var name: String
    var shape: [Int]
    var values: [Float]
}

/// Lends the tensors' elements, one behind the other in one block as in a layout.
func withTensors<R>(_ tensors: [TestTensor], _ body: ([NamedTensor]) throws -> R) rethrows -> R {
    try tensors.flatMap(\.values).withUnsafeBytes { block in
        var offset = 0
        let named = tensors.map { tensor in
            let range = offset..<offset + tensor.values.count * MemoryLayout<Float>.size
            offset = range.upperBound
            return NamedTensor(name: tensor.name, shape: tensor.shape, bytes: UnsafeRawBufferPointer(rebasing: block[range]))
        }
        return try body(named)
    }
}

extension SafetensorsFile {
    /// All tensors, which must be Floats.
    func contents() throws -> [TestTensor] {
        try entries.map { TestTensor(name: $0.name, shape: $0.shape, values: try read($0.name)) }
    }
}

func bytes(ofFile path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path)))
}

func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
}

func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
}

/// The path of a committed fixture.
func fixture(_ name: String) throws -> String {
    try #require(Bundle.module.url(forResource: "Fixtures/" + name, withExtension: nil)).path
}
