internal import Glibc
internal import Synchronization

/// Files that are there as a whole or not at all, also after a power cut.
public enum AtomicFile {
    /// Distinguishes the temporary files of one process.
    private static let serial = Atomic<Int>(0)

    /// Replaces the file at `path` by the `parts`, one after the other; what was there stays if it fails.
    ///
    /// A file beside it is written, synced, renamed over it, and the folder is synced.
    public static func writeDurably(_ parts: [UnsafeRawBufferPointer], to path: String) throws(SystemError) {
        let (folder, name) = split(path)
        let temporary = "\(folder)/.\(name).\(getpid())-\(serial.add(1, ordering: .relaxed).newValue)"
        do throws(SystemError) {
            try write(parts, toNew: temporary)
            try check("rename", path: path) { rename(temporary, path) }
        } catch {
            unlink(temporary)
            throw error
        }
        try syncFolder(folder)
    }

    /// As above, for bytes in an array.
    public static func writeDurably(_ bytes: [UInt8], to path: String) throws(SystemError) {
        var failure: SystemError?
        bytes.withUnsafeBytes { (buffer) in
            do throws(SystemError) {
                try writeDurably([buffer], to: path)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// Makes renames, new and removed names inside a folder survive a power cut.
    public static func syncFolder(_ path: String) throws(SystemError) {
        let folder = Descriptor(adopting: try check("open", path: path) { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
        try check("fsync", path: path) { fsync(folder.number) }
    }

    private static func write(_ parts: [UnsafeRawBufferPointer], toNew path: String) throws(SystemError) {
        let file = Descriptor(adopting: try check("open", path: path) { open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) })
        do throws(SystemError) {
            for part in parts {
                try file.write(part)
            }
        } catch {
            throw SystemError(code: error.code, call: error.call, path: path)
        }
        try check("fsync", path: path) { fsync(file.number) }
    }

    private static func split(_ path: String) -> (folder: String, name: Substring) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path[...]) }
        let folder = path[..<slash]
        return (folder.isEmpty ? "/" : String(folder), path[path.index(after: slash)...])
    }
}
