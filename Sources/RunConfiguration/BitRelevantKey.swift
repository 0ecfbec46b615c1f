/// A key of the run file that the resulting bits depend on, with its value as it is canonically written.
public struct BitRelevantKey: Codable, Hashable, Sendable, CustomStringConvertible {
    public var key: String
    public var value: String

    public init(key: String, value: String) {
        self.key = key
        self.value = value
    }

    public var description: String { "\(key)=\(value)" }
}

/// A bit-relevant key in which two configurations differ.
public struct BitRelevantDifference: Hashable, Sendable, CustomStringConvertible {
    public var key: String
    /// nil where only the other configuration has the key.
    public var before: String?
    public var after: String?

    public var description: String {
        "\(key): was \(before ?? "not there"), is \(after ?? "not there")"
    }

    /// The keys that two configurations do not have in common, in the order of the first, then of the second.
    public static func between(_ before: [BitRelevantKey], _ after: [BitRelevantKey]) -> [BitRelevantDifference] {
        let old = Dictionary(before.map { ($0.key, $0.value) }) { first, _ in first }
        let new = Dictionary(after.map { ($0.key, $0.value) }) { first, _ in first }
        let changed = before.filter { new[$0.key] != $0.value }.map { Self(key: $0.key, before: $0.value, after: new[$0.key]) }
        let added = after.filter { old[$0.key] == nil }.map { Self(key: $0.key, before: nil, after: $0.value) }
        return changed + added
    }
}
