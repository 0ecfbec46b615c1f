internal import Glibc
internal import Hashing

/// A set on disk whose files were found as its manifest says.
public struct CheckpointSet<State: Codable & Sendable>: Sendable {
    /// The set's own folder.
    public let folder: String
    public let manifest: Manifest<State>
    let disk: Disk

    public func weights() throws(CheckpointError) -> SafetensorsFile {
        try SafetensorsFile(path: folder + "/" + manifest.weights.name, disk: disk)
    }

    public func slots() throws(CheckpointError) -> SafetensorsFile {
        try SafetensorsFile(path: folder + "/" + manifest.slots.name, disk: disk)
    }

    /// Nothing if there were no best weights yet.
    public func best() throws(CheckpointError) -> SafetensorsFile? {
        guard let best = manifest.best else { return nil }
        return try SafetensorsFile(path: Path.folder(of: folder) + "/" + best.file.name, disk: disk)
    }
}

extension CheckpointSet {
    /// The newest set that can be used, and the newer ones that cannot.
    public struct Search: Sendable {
        public let set: CheckpointSet?
        /// Newest first.
        public let rejected: [RejectedSet]
    }

    /// Finds the newest whole set in the folder of checkpoints and changes nothing there.
    ///
    /// A damaged set is passed over. One that is whole but of another build is not: it would be lost by going on without it.
    /// - Throws: `noValidSet` if there are only damaged ones, `otherManifestVersion`, `foreignManifest`, `system`.
    public static func latest(in folder: String) throws(CheckpointError) -> Search {
        try latest(in: folder, disk: Disk())
    }

    static func latest(in folder: String, disk: Disk) throws(CheckpointError) -> Search {
        var rejected: [RejectedSet] = []
        for step in try disk.names(in: folder).compactMap(SetName.step(ofSet:)).sorted(by: >) {
            do throws(CheckpointError) {
                return Search(set: try CheckpointSet(verifying: step, in: folder, disk: disk), rejected: rejected)
            } catch {
                guard error.isDamage else { throw error }
                rejected.append(RejectedSet(step: step, reason: error))
            }
        }
        guard rejected.isEmpty else { throw .noValidSet(folder: folder, rejected: rejected) }
        return Search(set: nil, rejected: [])
    }

    private init(verifying step: Int, in parent: String, disk: Disk) throws(CheckpointError) {
        folder = parent + "/" + SetName.set(step)
        self.disk = disk
        let path = folder + "/" + SetName.manifest
        manifest = try ManifestFile.decode(try disk.contents(of: path), as: Manifest<State>.self, path: path)
        guard manifest.step == step, manifest.hasExpectedNames else {
            throw .badManifest(path: path, reason: "it belongs to another set")
        }
        try disk.verify(manifest.weights, in: folder)
        try disk.verify(manifest.slots, in: folder)
        if let best = manifest.best { try disk.verify(best.file, in: parent) }
    }
}

extension Manifest {
    /// Names come from a file: only the ones we give are followed.
    var hasExpectedNames: Bool {
        weights.name == SetName.weights && slots.name == SetName.slots && best.map { $0.file.name == SetName.best($0.step) } ?? true
    }
}

extension Disk {
    func contents(of path: String) throws(CheckpointError) -> [UInt8] {
        let file = try open(path)
        return try bytes(of: file, at: path, from: 0, count: try byteCount(of: file, at: path))
    }

    /// Compares a file with its record; the length first, since a short file is the commonest damage.
    func verify(_ record: FileRecord, in folder: String) throws(CheckpointError) {
        let path = folder + "/" + record.name
        let found = try byteCount(of: try open(path), at: path)
        guard found == record.byteCount else { throw .wrongLength(path: path, found: found, expected: record.byteCount) }
        let digest: Digest
        do throws(UnreadableFile) {
            digest = try SHA256.hash(ofFile: path)
        } catch {
            throw .system(operation: Operation.read.rawValue, path: path, errorNumber: error.errorNumber)
        }
        guard digest == record.sha256 else { throw .wrongDigest(path: path, found: digest, expected: record.sha256) }
    }
}

extension CheckpointError {
    /// Whether the bytes on disk are not those that were written: an older set is then better than none.
    var isDamage: Bool {
        switch self {
        case .wrongLength, .wrongDigest, .badManifest: true
        case .system(_, _, let errorNumber): [ENOENT, ENOTDIR, EISDIR, ELOOP, EIO].contains(errorNumber)
        default: false
        }
    }
}
