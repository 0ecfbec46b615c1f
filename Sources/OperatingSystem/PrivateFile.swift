internal import CLinux
internal import Glibc

/// Files that nobody but their owner may read: keys.
public enum PrivateFile {
    /// Why a file or folder is not private, and what mends it.
    public enum Defect: Error, Equatable, Sendable, CustomStringConvertible {
        /// Others can get at it.
        case open(path: String, mode: UInt32, remedy: String)
        case foreign(path: String, owner: UInt32)
        /// A link, a device, or something else that is neither file nor folder.
        case notPlain(path: String)
        case tooLong(path: String, limit: Int)

        public var description: String {
            switch self {
            case .open(let path, let mode, let remedy):
                "\(path): others can get at it (mode 0\(String(mode, radix: 8))); make it private: \(remedy)"
            case .foreign(let path, let owner):
                "\(path): belongs to user \(owner); keys must belong to the user who runs the program, or to root"
            case .notPlain(let path): "\(path): is not a plain file or folder"
            case .tooLong(let path, let limit): "\(path): is longer than the \(limit) bytes that such a file can have"
            }
        }
    }

    /// Makes a folder that only its owner can enter; one that exists must be such a folder.
    public static func makeFolder(_ path: String) throws {
        if mkdir(path, 0o700) == 0 { return }
        let code = errno
        guard code == EEXIST else { throw SystemError(code: .init(rawValue: code), call: "mkdir", path: path) }
        try checkFolder(path)
    }

    /// Refuses a folder that others can enter or list.
    public static func checkFolder(_ path: String) throws {
        let folder = Descriptor(adopting: try check("open", path: path) { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
        let status = try status(of: folder.number, path)
        guard status.st_mode & 0o077 == 0 else {
            throw Defect.open(path: path, mode: status.st_mode & 0o7777, remedy: "chmod 700 \(path)")
        }
        try checkOwner(status, path)
    }

    /// Writes a new file that only its owner can read, durably; one that exists is left alone and is an error.
    public static func create(_ path: String, _ bytes: [UInt8]) throws {
        let file = Descriptor(adopting: try check("open", path: path) { open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) })
        try bytes.withUnsafeBytes { try file.write($0) }
        try check("fsync", path: path) { fsync(file.number) }
    }

    /// The bytes of a file that nobody else may read, or, if it `isPublic`, that nobody else may write.
    public static func read(_ path: String, isPublic: Bool = false, limit: Int = 4_096) throws -> [UInt8] {
        let file = Descriptor(
            adopting: try check("open", path: path) { open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) })
        let status = try status(of: file.number, path)
        guard status.st_mode & S_IFMT == S_IFREG else { throw Defect.notPlain(path: path) }
        guard status.st_mode & (isPublic ? 0o022 : 0o077) == 0 else {
            throw Defect.open(path: path, mode: status.st_mode & 0o7777, remedy: "chmod \(isPublic ? "go-w" : "600") \(path)")
        }
        try checkOwner(status, path)
        guard status.st_size <= limit else { throw Defect.tooLong(path: path, limit: limit) }
        return try file.readAll()
    }

    private static func status(of descriptor: CInt, _ path: String) throws(SystemError) -> stat {
        var status = stat()
        try check("fstat", path: path) { fstat(descriptor, &status) }
        return status
    }

    private static func checkOwner(_ status: stat, _ path: String) throws(Defect) {
        guard status.st_uid == geteuid() || status.st_uid == 0 else { throw .foreign(path: path, owner: status.st_uid) }
    }
}

/// What changes about a file when somebody writes it; nil where there is none.
public struct FileStamp: Equatable, Sendable {
    private let modified: Duration
    private let size: Int
    private let number: UInt64

    public init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        modified = .seconds(Int64(status.st_mtim.tv_sec)) + .nanoseconds(Int64(status.st_mtim.tv_nsec))
        size = Int(status.st_size)
        number = UInt64(status.st_ino)
    }
}
