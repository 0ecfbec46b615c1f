/// The folder of checkpoints of one run, held by its one owner.
///
/// A commit writes a whole set under a hidden name, makes it durable and then renames its folder: that rename is the commit.
/// Whatever happens before it leaves the sets that were there as they were. What follows it – links for people, removal of
/// old sets – cannot undo it and is only reported.
public struct CheckpointStore<State: Codable & Sendable>: Sendable {
    public let folder: String
    /// How many sets are kept, the newest ones.
    public let keep: Int
    /// What was there when the store was opened: the set to go on from and the damaged ones that are newer.
    public let found: CheckpointSet<State>.Search

    let disk: Disk
    /// The set that the run's state follows from: the one found, then the last one committed.
    private(set) var base: Manifest<State>?

    /// Makes the folder if there is none, removes what interrupted writes have left, and finds the newest whole set.
    /// - Throws: as `CheckpointSet.latest(in:)`.
    /// - Precondition: `keep` is at least 1.
    public init(folder: String, keep: Int) throws(CheckpointError) {
        try self.init(folder: folder, keep: keep, disk: Disk())
    }

    init(folder: String, keep: Int, disk: Disk) throws(CheckpointError) {
        precondition(keep >= 1, "a store keeps at least one set")
        if !disk.exists(folder) {
            try disk.makeFolder(folder)
            try disk.synchronizeFolder(Path.folder(of: folder))
        }
        try disk.removeLeftovers(in: folder)
        self.folder = folder
        self.keep = keep
        self.disk = disk
        found = try CheckpointSet.latest(in: folder, disk: disk)
        base = found.set?.manifest
    }

    /// What a commit did.
    public struct Commit: Sendable {
        public let manifest: Manifest<State>
        /// What went wrong after the set was safe.
        public let warnings: [CheckpointError]
    }

    /// Commits the snapshot as a whole or not at all. A set of the same step is replaced; sets of later steps, which the run
    /// did not go on from, are removed.
    /// - Throws: `system` (disk full, read-only, …), `unwritable`; the sets there before are then as they were.
    public mutating func commit(_ snapshot: Snapshot<State>) throws(CheckpointError) -> Commit {
        try disk.removeLeftovers(in: folder)
        let partial = Path.partial(of: path(SetName.set(snapshot.step)))
        let manifest: Manifest<State>
        do throws(CheckpointError) {
            manifest = try write(snapshot, into: partial)
            try publish(partial, step: snapshot.step)
        } catch {
            // The first failure is the one to report; leftovers are hidden and go with the next commit or opening.
            try? disk.removeLeftovers(in: folder)
            throw error
        }
        let previous = base
        base = manifest
        return Commit(manifest: manifest, warnings: tidy(after: manifest, previous: previous))
    }
}

extension CheckpointStore {
    func path(_ name: String) -> String { folder + "/" + name }

    private func write(_ snapshot: Snapshot<State>, into partial: String) throws(CheckpointError) -> Manifest<State> {
        try disk.makeFolder(partial)
        let manifest = Manifest(
            version: ManifestFile.version, step: snapshot.step, epoch: snapshot.epoch, identity: snapshot.identity,
            incarnation: snapshot.incarnation,
            weights: try disk.createSafetensors(
                snapshot.weights, metadata: snapshot.metadata, at: partial + "/" + SetName.weights),
            slots: try disk.createSafetensors(snapshot.slots, metadata: [:], at: partial + "/" + SetName.slots),
            best: try snapshot.best.map { (best) throws(CheckpointError) in try write(best, metadata: snapshot.metadata) },
            coordinator: snapshot.coordinator, configuration: snapshot.configuration)

        let path = partial + "/" + SetName.manifest
        let text = try ManifestFile.encode(manifest, path: path)
        var file = try OutputFile(creating: path, on: disk)
        try file.write(text)
        _ = try file.finish()
        try disk.synchronizeFolder(partial)
        return manifest
    }

    /// Leaves a file alone that the previous set names too: writing it anew could only harm.
    private func write(_ best: Snapshot<State>.Best, metadata: [String: String]) throws(CheckpointError) -> Manifest<State>.Best {
        if let known = base?.best, known.step == best.step, (try? disk.verify(known.file, in: folder)) != nil {
            return known
        }
        let file = try disk.replaceSafetensors(best.weights, metadata: metadata, at: path(SetName.best(best.step)))
        return .init(step: best.step, value: best.value, file: file)
    }

    private func publish(_ partial: String, step: Int) throws(CheckpointError) {
        let target = path(SetName.set(step))
        if disk.exists(target) {
            try disk.rename(target, to: path("." + SetName.set(step) + SetName.replacedSuffix))
        }
        try disk.rename(partial, to: target)
        try disk.synchronizeFolder(folder)
    }
}
