public import Hashing

/// What a file must be: its name within the folder it belongs to, its length and its SHA-256.
public struct FileRecord: Hashable, Sendable, Codable {
    public let name: String
    public let byteCount: Int
    public let sha256: Digest

    private enum CodingKeys: String, CodingKey {
        case name, sha256
        case byteCount = "bytes"
    }
}
