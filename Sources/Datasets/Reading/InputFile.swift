internal import Glibc

/// A regular file open for reading from its start to its end.
struct InputFile: ~Copyable {
    /// Large enough that the calls cost nothing beside unpacking.
    static let pieceByteCount = 256 << 10

    let path: String
    let byteCount: Int
    private let descriptor: CInt

    /// - Parameter path: where to open it; `name` is what error texts call it.
    init(path: String, name: String) throws(DatasetError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .unreadable(path: name, reason: Self.reason(errno)) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let reason = Self.reason(errno)
            close(descriptor)
            throw .unreadable(path: name, reason: reason)
        }
        // A pipe would wait for its writer for ever.
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .unreadable(path: name, reason: status.st_mode & S_IFMT == S_IFDIR ? "it is a folder" : "it is not a regular file")
        }
        self.path = name
        self.byteCount = Int(status.st_size)
        self.descriptor = descriptor
    }

    /// What is piped into the program; its size is unknown.
    init(standardInput name: String) throws(DatasetError) {
        let descriptor = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { throw .unreadable(path: name, reason: Self.reason(errno)) }
        path = name
        byteCount = Self.pieceByteCount
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Fills `buffer` as far as the file goes; 0 at its end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = Glibc.read(descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled)
            if count > 0 {
                filled += count
            } else if count == 0 {
                break
            } else {
                let code = errno
                if code != EINTR { throw .unreadable(path: path, reason: Self.reason(code)) }
            }
        }
        return filled
    }

    private static func reason(_ code: CInt) -> String {
        code == ENOENT ? "there is no such file" : String(cString: strerror(code))
    }
}
