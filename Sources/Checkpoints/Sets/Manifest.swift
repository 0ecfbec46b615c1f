/// What a checkpoint set consists of. A set is whole if it has its manifest and every file is as the manifest says.
public struct Manifest<State: Codable & Sendable>: Codable, Sendable {
    /// Always `ManifestFile.version`.
    public let version: Int
    public let step: Int
    public let epoch: Int
    public let identity: RunIdentity
    public let incarnation: Int
    public let weights: FileRecord
    public let slots: FileRecord
    public let best: Best?
    public let coordinator: State
    public let configuration: String

    /// The best weights so far: a file beside the sets, which many of them may name.
    public struct Best: Hashable, Sendable, Codable {
        public let step: Int
        public let value: Double
        public let file: FileRecord
    }
}
