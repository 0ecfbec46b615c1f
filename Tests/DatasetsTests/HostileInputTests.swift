import Testing

@testable import Datasets

/// Whatever the bytes are, a reader returns or throws; a trap would end the test program.
@Suite struct HostileInputTests {
    private func damaged(_ bytes: [UInt8], _ generator: inout FixedGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let index = Int.random(in: bytes.indices, using: &generator)
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.remove(at: index)
            default: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
            }
        }
        return bytes
    }

    @Test func readersSurviveDamagedFiles() throws {
        var generator = FixedGenerator(state: 11)
        let images = idx([3, 2, 2], Array(1...12))
        let labels = idx([3], [7, 0, 7])
        let text = Array("a,\"b\",y\r\n1,2.5e3,\"u \"\"x\"\"\"\n-3,nan,v\n\n".utf8)
        let specification = CSVSpecification(path: "f", target: .index(2), categorical: [.index(0)])
        var (read, refused) = (0, 0)
        for _ in 0..<3_000 {
            do {
                _ = try IDXReader.table(
                    labels: damaged(labels, &generator), features: damaged(images, &generator), names: ("x", "y"), task: .classification)
                read += 1
            } catch { refused += 1 }
            do {
                _ = try CSVReader.table(damaged(text, &generator), specification: specification, task: .classification)
                read += 1
            } catch { refused += 1 }
        }
        #expect(read > 0)
        #expect(refused > 0)
    }

    @Test func readersOfOtherFormatsSurviveDamagedFiles() throws {
        var generator = FixedGenerator(state: 13)
        let files: [(PredictionFile.Format, [UInt8])] = [
            (.npy, try fixture("npy/features-f4.npy")), (.npy, Array(try fixture("npy/labels-u1.npy").prefix(60))),
            (.libsvm, try fixture("libsvm/from-one.libsvm")), (.cifar10, Array(try fixture("cifar10/batch.bin").prefix(3_073))),
            (.csv, Array("a,\"b\"\r\n1,2.5e3\n-3,nan\n".utf8)),
        ]
        let encodings = [
            TableEncoding(columns: nil, classNames: nil),
            TableEncoding(columns: [.init(name: "a"), .init(name: "b", categories: ["2", "5"])], classNames: ["u", "v"]),
        ]
        var (read, refused) = (0, 0)
        for _ in 0..<1_000 {
            for (format, bytes) in files {
                let bytes = damaged(bytes, &generator)
                for format in [format, nil] {
                    do {
                        _ = try PredictionFile(bytes, name: "f", format: format)
                            .rows(encoding: encodings.randomElement(using: &generator) ?? encodings[0], featureCount: 3)
                        read += 1
                    } catch { refused += 1 }
                }
            }
        }
        #expect(read > 0)
        #expect(refused > 0)
    }

    @Test func unpackingSurvivesDamagedFiles() throws {
        var generator = FixedGenerator(state: 12)
        let whole = try fixture("images.idx.gz") + fixture("labels.idx.gz")
        var refused = 0
        for _ in 0..<1_000 {
            let bytes = damaged(whole, &generator)
            var unpacker = Unpacker(head: Array(bytes.prefix(2)), packedByteCount: bytes.count, name: "f", limit: 1 << 20)
            do {
                try bytes.withUnsafeBytes { try unpacker.take($0) }
                _ = try unpacker.finish()
            } catch { refused += 1 }
        }
        #expect(refused > 0)
    }
}
