import Foundation
import Hashing
import Testing

@testable import Checkpoints

@Suite struct ManifestTests {
    private let manifest = Manifest(
        version: ManifestFile.version, step: 1 << 60, epoch: 7, identity: TestRun.identity, incarnation: 2,
        weights: FileRecord(name: "weights.safetensors", byteCount: 1, sha256: SHA256.hash(of: [3])),
        slots: FileRecord(name: "slots.safetensors", byteCount: 2, sha256: SHA256.hash(of: [4])),
        best: .init(
            step: 5, value: 0.1 + 0.2,
            file: FileRecord(name: "best-step-5.safetensors", byteCount: 3, sha256: SHA256.hash(of: [5]))),
        coordinator: TestState(), configuration: "name: “größe”\n\"\\")

    private func decode(_ text: [UInt8]) throws -> Manifest<TestState> {
        try ManifestFile.decode(text, as: Manifest<TestState>.self, path: "m")
    }

    @Test func everyBitComesBack() throws {
        let text = try ManifestFile.encode(manifest, path: "m")
        let decoded = try decode(text)
        #expect(decoded.coordinator == manifest.coordinator)
        #expect(decoded.best == manifest.best)
        #expect(decoded.step == manifest.step)
        #expect(decoded.configuration == manifest.configuration)
        #expect(try ManifestFile.encode(decoded, path: "m") == text)
    }

    @Test func isJSONForOthers() throws {
        struct Envelope: Decodable {
            struct Inside: Decodable {
                var step, epoch: Int
                var weights: FileRecord
                var identity: [String: Value]
            }
            /// Either kind of value of the identity.
            enum Value: Decodable, Equatable {
                case text(String), number(Int)

                init(from decoder: any Decoder) throws {
                    let container = try decoder.singleValueContainer()
                    self =
                        if let number = try? container.decode(Int.self) { .number(number) } else {
                            .text(try container.decode(String.self))
                        }
                }
            }
            var sha256: Digest
            var manifest: Inside
        }
        let envelope = try JSONDecoder().decode(Envelope.self, from: Data(ManifestFile.encode(manifest, path: "m")))
        #expect(envelope.manifest.step == 1 << 60)
        #expect(envelope.manifest.weights == manifest.weights)
        #expect(envelope.manifest.identity["run_sha256"] == .text(SHA256.hash(of: [1]).description))
        #expect(envelope.manifest.identity["numerics_version"] == .number(1))
    }

    @Test func anyChangedByteIsNoticed() throws {
        let text = try ManifestFile.encode(manifest, path: "m")
        for index in text.indices {
            var changed = text
            changed[index] ^= 0x01
            let error = #expect(throws: CheckpointError.self, "byte \(index)") { try decode(changed) }
            #expect(error?.isDamage == true)
        }
    }

    @Test func anyMissingEndIsNoticed() throws {
        let text = try ManifestFile.encode(manifest, path: "m")
        for count in text.indices {
            let error = #expect(throws: CheckpointError.self, "cut after \(count) bytes") { try decode(Array(text[..<count])) }
            #expect(error?.isDamage == true)
        }
    }

    @Test func anotherVersionIsNamed() throws {
        let other = Manifest(
            version: 9, step: 1, epoch: 0, identity: manifest.identity, incarnation: 0, weights: manifest.weights,
            slots: manifest.slots, best: nil, coordinator: 1, configuration: "")
        let text = try ManifestFile.encode(other, path: "m")
        #expect(throws: CheckpointError.otherManifestVersion(path: "m", found: 9, supported: 1)) { try decode(text) }
    }

    @Test func anotherStateIsNotTakenForDamage() throws {
        let other = Manifest(
            version: ManifestFile.version, step: 1, epoch: 0, identity: manifest.identity, incarnation: 0,
            weights: manifest.weights, slots: manifest.slots, best: nil, coordinator: 1, configuration: "")
        let text = try ManifestFile.encode(other, path: "m")
        let error = #expect(throws: CheckpointError.self) { try decode(text) }
        guard case .foreignManifest = error else {
            Issue.record("not foreignManifest: \(String(describing: error))")
            return
        }
    }
}
