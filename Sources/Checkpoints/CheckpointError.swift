internal import Glibc
public import Hashing

/// Why a checkpoint or a safetensors file could not be written or read; always names the file.
public enum CheckpointError: Error, Hashable, Sendable {
    // The system.
    case system(operation: String, path: String, errorNumber: Int32)

    // A safetensors file.
    case malformed(path: String, defect: SafetensorsFile.Defect)
    case unwritable(path: String, reason: String)
    case missingTensor(path: String, name: String)
    case unexpectedTensor(path: String, name: String)
    case wrongShape(path: String, name: String, found: [Int], expected: [Int])
    case wrongType(path: String, name: String, found: SafetensorsFile.ElementType)

    // A checkpoint set.
    case wrongLength(path: String, found: Int, expected: Int)
    case wrongDigest(path: String, found: Digest, expected: Digest)
    case badManifest(path: String, reason: String)
    case foreignManifest(path: String, reason: String)
    case otherManifestVersion(path: String, found: Int, supported: Int)
    case noValidSet(folder: String, rejected: [RejectedSet])
}

/// A set on disk that cannot be used, and why.
public struct RejectedSet: Hashable, Sendable {
    public let step: Int
    public let reason: CheckpointError
}

extension CheckpointError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .system(let operation, let path, let errorNumber):
            "\(path): \(operation) failed: \(String(cString: strerror(errorNumber)))"
        case .malformed(let path, let defect):
            "\(path): is no whole safetensors file: \(defect)"
        case .unwritable(let path, let reason):
            "\(path): cannot be written: \(reason)"
        case .missingTensor(let path, let name):
            "\(path): has no tensor “\(name)”; was it written for another net?"
        case .unexpectedTensor(let path, let name):
            "\(path): has a tensor “\(name)” that nothing asks for; was it written for another net?"
        case .wrongShape(let path, let name, let found, let expected):
            "\(path): tensor “\(name)” has shape \(found), expected is \(expected)"
        case .wrongType(let path, let name, let found):
            "\(path): tensor “\(name)” holds \(found.rawValue), which is not read as numbers here; allowed are F32, F16, BF16 and F64"
        case .wrongLength(let path, let found, let expected):
            "\(path): is damaged: it has \(found) bytes, its manifest says \(expected)"
        case .wrongDigest(let path, let found, let expected):
            "\(path): is damaged: its SHA-256 is \(found), its manifest says \(expected)"
        case .badManifest(let path, let reason):
            "\(path): is no whole manifest: \(reason)"
        case .foreignManifest(let path, let reason):
            "\(path): is whole but not of this build: \(reason); resume with the build that wrote it"
        case .otherManifestVersion(let path, let found, let supported):
            "\(path): has manifest version \(found), this build reads version \(supported); resume with the build that wrote it"
        case .noValidSet(let folder, let rejected):
            "\(folder): none of its \(rejected.count) checkpoints can be used: "
                + rejected.map { "step \($0.step): \($0.reason)" }.joined(separator: "; ")
        }
    }
}
