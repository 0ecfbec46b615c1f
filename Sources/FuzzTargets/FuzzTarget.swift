internal import Checkpoints
internal import Datasets
internal import Exactness
internal import OperatingSystem
internal import RunConfiguration
internal import Wire

/// Decoders of bytes that others have made. Whatever the bytes are, a decoder gives a value or an error: it never traps, reads outside
/// of them, or takes memory that they do not account for.
public enum FuzzTarget: String, CaseIterable, Sendable {
    case header, control, figures, idx, csv, gzip, npy, cifar10, libsvm, safetensors
    case runFile = "run-file"

    /// Decodes `bytes` once.
    public func run(_ bytes: UnsafeRawBufferPointer) {
        switch self {
        case .header: header(bytes)
        case .control: control(bytes)
        case .figures: figures(bytes)
        case .idx:
            // One file serves as features and as labels: what is wrong with either is found by itself.
            reading(bytes, as: "data.idx") { _ = try Table.read(.idx(features: $0, labels: $0), task: .classification, folder: "/") }
        case .npy:
            reading(bytes, as: "data.npy") { _ = try Table.read(.npy(features: $0, labels: $0), task: .regression, folder: "/") }
        case .cifar10:
            reading(bytes, as: "data.bin") { _ = try Table.read(.cifar10(paths: [$0]), task: .classification, folder: "/") }
        case .libsvm:
            reading(bytes, as: "data.txt") { _ = try Table.read(.libsvm(path: $0, features: 9), task: .classification, folder: "/") }
        case .gzip:
            reading(bytes, as: "data.csv.gz") { _ = try table(ofCSV: $0, task: .classification, hasHeader: false) }
        case .csv:
            // The first byte chooses how the rest is read.
            let choice = bytes.first ?? 0
            reading(UnsafeRawBufferPointer(rebasing: bytes.dropFirst()), as: "data.csv") {
                _ = try table(ofCSV: $0, task: choice & 1 == 0 ? .classification : .regression, hasHeader: choice & 2 == 0)
            }
        case .safetensors:
            reading(bytes, as: "model.safetensors") { path in
                let file = try SafetensorsFile(path: path)
                for entry in file.entries where entry.byteRange.count <= bytes.count { _ = try file.read(entry.name) }
            }
        case .runFile:
            _ = try? RunConfiguration.load(text: String(decoding: bytes, as: UTF8.self), file: "run.yaml", folder: "/")
        }
    }

    private func header(_ bytes: UnsafeRawBufferPointer) {
        guard let header = try? DataHeader(decoding: bytes) else { return }
        withUnsafeTemporaryAllocation(byteCount: DataHeader.byteCount, alignment: 8) { buffer in
            header.encode(into: buffer)
            precondition(buffer.elementsEqual(bytes), "a header that is understood is written as it came")
        }
    }

    private func control(_ bytes: UnsafeRawBufferPointer) {
        if let message = try? ControlCodec.decode(WorkerMessage.self, from: bytes) { _ = ControlCodec.encode(message) }
        if let message = try? ControlCodec.decode(CoordinatorMessage.self, from: bytes) { _ = ControlCodec.encode(message) }
    }

    private func figures(_ bytes: UnsafeRawBufferPointer) {
        // The first byte chooses what is expected.
        guard let choice = bytes.first else { return }
        let body = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
        if let notice = try? RoundNotice(decoding: body) {
            withUnsafeTemporaryAllocation(byteCount: RoundNotice.byteCount, alignment: 8) { notice.encode(into: $0) }
        }
        let rows = Array(repeating: 4, count: Int(choice & 7))
        _ = try? ShardFigures.decode(body, expectedRows: rows, classes: choice & 8 == 0 ? nil : 3)
    }

    private func table(ofCSV path: String, task: LearningTask, hasHeader: Bool) throws -> Table {
        let file = CSVSpecification(path: path, target: .index(0), header: hasHeader, categorical: [.index(1)])
        return try Table.read(.csv(file), task: task, folder: "/").table
    }

    private func reading(_ bytes: UnsafeRawBufferPointer, as name: String, _ read: (String) throws -> Void) {
        do {
            // In memory where there is such a place.
            let folder = try (try? TemporaryFolder(prefix: "dnn-fuzz-", in: "/dev/shm")) ?? TemporaryFolder(prefix: "dnn-fuzz-")
            let path = folder.appending(name)
            try Self.replace(path, by: bytes)
            try read(path)
        } catch {
            _ = "\(error)"  // its text is made of foreign bytes as well
        }
    }
}
