internal import CLinux
internal import Glibc

/// An exclusive lock on a file, held until the object is gone or the process dies, however it dies.
public final class FileLock: Sendable {
    public let path: String
    private let descriptor: CInt

    private init(path: String, descriptor: CInt) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        // A child that is just being spawned holds a copy of the descriptor until its exec: closing ours alone would not unlock.
        linux_unlock(descriptor)
        close(descriptor)
    }

    /// Locks the file, which is made if missing and stays there; nil if another holds it. Never waits.
    ///
    /// The holder's process number is written inside, for messages.
    public static func acquire(_ path: String) throws(SystemError) -> FileLock? {
        let descriptor = try check("open", path: path) { open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666) }
        let lock = FileLock(path: path, descriptor: descriptor)
        do throws(SystemError) {
            try check("flock", path: path) { linux_flock_exclusive_now(descriptor) }
        } catch {
            if error.code.rawValue == EWOULDBLOCK { return nil }
            throw error
        }
        let text = "\(getpid())\n"
        try check("ftruncate", path: path) { ftruncate(descriptor, 0) }
        try check("pwrite", path: path) { pwrite(descriptor, text, text.utf8.count, 0) }
        return lock
    }

    /// The process number that the last holder wrote, nil if there is none.
    public static func lastHolder(of path: String) -> CInt? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        let file = Descriptor(adopting: descriptor)
        guard let bytes = try? file.readAll() else { return nil }
        return CInt(String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}
