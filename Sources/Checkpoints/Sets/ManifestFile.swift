internal import Foundation
internal import Hashing

/// The text of `manifest.json`: an object of the manifest's own SHA-256 and the manifest, so that no damage goes unnoticed.
enum ManifestFile {
    /// 1: the first.
    static let version = 1

    private static let opening = Array(#"{"sha256": ""#.utf8)
    private static let middle = Array("\",\n\"manifest\": ".utf8)
    private static let closing = Array("\n}\n".utf8)
    private static let digestRange = opening.count..<opening.count + 2 * Digest.byteCount
    private static let bodyOffset = digestRange.upperBound + middle.count

    static func encode<State>(_ manifest: Manifest<State>, path: String) throws(CheckpointError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do {
            let body = Array(try encoder.encode(manifest))
            return opening + Array(SHA256.hash(of: body).description.utf8) + middle + body + closing
        } catch {
            throw .unwritable(path: path, reason: "\(error)")
        }
    }

    /// - Throws: `badManifest` or `otherManifestVersion`.
    static func decode<State>(
        _ text: [UInt8], as type: Manifest<State>.Type, path: String
    ) throws(CheckpointError) -> Manifest<State> {
        let body = try body(of: text, path: path)
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do {
            let found = try decoder.decode(Version.self, from: body).version
            guard found == version else {
                throw CheckpointError.otherManifestVersion(path: path, found: found, supported: version)
            }
            return try decoder.decode(type, from: body)
        } catch let error as CheckpointError {
            throw error
        } catch {
            throw .foreignManifest(path: path, reason: "\(error)")
        }
    }

    private struct Version: Decodable {
        let version: Int
    }

    private static func body(of text: [UInt8], path: String) throws(CheckpointError) -> Data {
        guard text.count >= bodyOffset + closing.count, text.starts(with: opening), text.suffix(closing.count) == closing[...],
            text[digestRange.upperBound..<bodyOffset] == middle[...]
        else { throw .badManifest(path: path, reason: "it does not begin and end as one") }
        let body = Array(text[bodyOffset..<text.count - closing.count])
        let found = SHA256.hash(of: body).description
        let expected = String(decoding: text[digestRange], as: UTF8.self)
        guard found == expected else {
            throw .badManifest(path: path, reason: "its SHA-256 is \(found), its first line says \(expected)")
        }
        return Data(body)
    }
}
