public import Hashing

/// What must be the same for a run to go on exactly where a checkpoint left it.
public struct RunIdentity: Hashable, Sendable, Codable {
    /// Of the keys of the run file that bear on bits.
    public let runSHA256: Digest
    /// Of the bytes of all sources and of the weights started from.
    public let dataSHA256: Digest
    /// Of the workers' arithmetic.
    public let leafClass: String
    public let numericsVersion: Int

    public init(runSHA256: Digest, dataSHA256: Digest, leafClass: String, numericsVersion: Int) {
        self.runSHA256 = runSHA256
        self.dataSHA256 = dataSHA256
        self.leafClass = leafClass
        self.numericsVersion = numericsVersion
    }

    private enum CodingKeys: String, CodingKey {
        case runSHA256 = "run_sha256"
        case dataSHA256 = "data_sha256"
        case leafClass = "leaf_class"
        case numericsVersion = "numerics_version"
    }
}
