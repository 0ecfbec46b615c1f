extension CheckpointStore {
    /// Renames the sets of later steps, so that they are no sets any more; nobody may be committing meanwhile.
    ///
    /// The best weights that they name stay as long as other sets name them.
    /// - Returns: the new names.
    public static func setAside(after step: Int, in folder: String) throws(CheckpointError) -> [String] {
        let disk = Disk()
        var renamed: [String] = []
        for name in try disk.names(in: folder) {
            guard let found = SetName.step(ofSet: name), found > step else { continue }
            let target = SetName.doubtfulPrefix + name
            if disk.exists(folder + "/" + target) { try disk.remove(folder + "/" + target) }
            try disk.rename(folder + "/" + name, to: folder + "/" + target)
            renamed.append(target)
        }
        if !renamed.isEmpty { try disk.synchronizeFolder(folder) }
        return renamed
    }
}
