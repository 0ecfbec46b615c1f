extension CheckpointStore {
    /// What follows a commit: links for people, and removal of what is no longer needed. Returns what went wrong.
    func tidy(after manifest: Manifest<State>, previous: Manifest<State>?) -> [CheckpointError] {
        var warnings: [CheckpointError] = []
        func attempt(_ action: () throws(CheckpointError) -> Void) {
            do throws(CheckpointError) { try action() } catch { warnings.append(error) }
        }

        attempt { () throws(CheckpointError) in
            try disk.link(path(SetName.lastLink), to: SetName.set(manifest.step) + "/" + manifest.weights.name)
        }
        attempt { () throws(CheckpointError) in
            if let best = manifest.best {
                try disk.link(path(SetName.bestLink), to: best.file.name)
            } else {
                try disk.remove(path(SetName.bestLink))
            }
        }
        attempt { () throws(CheckpointError) in
            for step in try superfluousSteps(after: manifest, previous: previous) { try disk.remove(path(SetName.set(step))) }
            try removeUnnamedBest(except: manifest.best?.file.name)
        }
        attempt { () throws(CheckpointError) in try disk.removeLeftovers(in: folder) }
        return warnings
    }

    /// Sets beyond the newest `keep`, and those of a future that the run did not go on from.
    private func superfluousSteps(after manifest: Manifest<State>, previous: Manifest<State>?) throws(CheckpointError) -> [Int] {
        let steps = try disk.names(in: folder).compactMap(SetName.step(ofSet:)).sorted(by: >)
        let reached = previous?.step ?? -1
        let valid = steps.filter { $0 == manifest.step || $0 <= min(reached, manifest.step) }
        let kept = Set(valid.prefix(keep))
        return steps.filter { !kept.contains($0) }
    }

    /// Removes files of best weights that no set names.
    private func removeUnnamedBest(except current: String?) throws(CheckpointError) {
        let names = try disk.names(in: folder)
        var named = Set([current])
        for name in names where SetName.step(ofSet: name) != nil {
            named.insert(try nameOfBest(inSet: name))
        }
        for name in names where SetName.step(ofBest: name) != nil && !named.contains(name) {
            try disk.remove(path(name))
        }
    }

    /// A manifest that is damaged or of another build names nothing, as its set cannot be used; one that only cannot be read
    /// now is an error.
    private func nameOfBest(inSet name: String) throws(CheckpointError) -> String? {
        let path = path(name) + "/" + SetName.manifest
        do throws(CheckpointError) {
            return try ManifestFile.decode(try disk.contents(of: path), as: Manifest<State>.self, path: path).best?.file.name
        } catch {
            if case .system = error, !error.isDamage { throw error }
            return nil
        }
    }
}

extension Disk {
    /// Removes what interrupted commits have left under hidden names; a set that had made room for one that never came is
    /// put back.
    func removeLeftovers(in folder: String) throws(CheckpointError) {
        for name in try names(in: folder) where name.hasPrefix(".") {
            let path = folder + "/" + name
            if name.hasSuffix(Path.partialSuffix) {
                try remove(path)
            } else if name.hasSuffix(SetName.replacedSuffix) {
                let original = folder + "/" + name.dropFirst().dropLast(SetName.replacedSuffix.count)
                if exists(original) { try remove(path) } else { try rename(path, to: original) }
            }
        }
    }
}
