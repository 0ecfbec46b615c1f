internal import Glibc

/// The system calls of this target; each failure becomes `CheckpointError.system` with the path it concerns.
struct Disk: Sendable {
    enum Operation: String, Sendable {
        case open, create, read, write, list, rename, remove
        case synchronize = "fsync"
        case makeFolder = "mkdir"
        case makeLink = "symlink"
    }

    /// Bytes per write: large enough that the calls cost nothing, small enough that the hash finds them in the cache.
    var pieceByteCount = 1 << 18

    /// Asked before every call. Tests answer with an `errno` to have it fail.
    var fault: @Sendable (Operation, String) -> Int32? = { _, _ in nil }

    /// Repeats the call while a signal interrupts it; any other failure is thrown.
    @discardableResult
    func check<Result: SignedInteger>(
        _ operation: Operation, _ path: String, _ call: () -> Result
    ) throws(CheckpointError) -> Result {
        if let injected = fault(operation, path) {
            throw .system(operation: operation.rawValue, path: path, errorNumber: injected)
        }
        while true {
            let result = call()
            guard result == -1 else { return result }
            let code = errno
            if code != EINTR { throw .system(operation: operation.rawValue, path: path, errorNumber: code) }
        }
    }
}

// MARK: Files

extension Disk {
    func open(_ path: String) throws(CheckpointError) -> Descriptor {
        Descriptor(adopting: try check(.open, path) { Glibc.open(path, O_RDONLY | O_CLOEXEC) })
    }

    func create(_ path: String) throws(CheckpointError) -> Descriptor {
        Descriptor(adopting: try check(.create, path) { Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644) })
    }

    func byteCount(of file: Descriptor, at path: String) throws(CheckpointError) -> Int {
        var status = stat()
        try check(.read, path) { fstat(file.number, &status) }
        return Int(status.st_size)
    }

    /// Fills the whole buffer from the given offset; a file that ends before is an `EIO`.
    func read(
        _ file: Descriptor, at path: String, from offset: Int, into bytes: UnsafeMutableRawBufferPointer
    ) throws(CheckpointError) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[done...])
            let count = try check(.read, path) { pread(file.number, rest.baseAddress, rest.count, off_t(offset + done)) }
            guard count > 0 else { throw .system(operation: Operation.read.rawValue, path: path, errorNumber: EIO) }
            done += count
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, to file: Descriptor, at path: String) throws(CheckpointError) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = try check(.write, path) { Glibc.write(file.number, rest.baseAddress, rest.count) }
            guard count > 0 else { throw .system(operation: Operation.write.rawValue, path: path, errorNumber: EIO) }
            done += count
        }
    }

    func synchronize(_ file: Descriptor, at path: String) throws(CheckpointError) {
        try check(.synchronize, path) { fsync(file.number) }
    }
}

// MARK: Names

extension Disk {
    func makeFolder(_ path: String) throws(CheckpointError) {
        try check(.makeFolder, path) { mkdir(path, 0o755) }
    }

    func rename(_ source: String, to target: String) throws(CheckpointError) {
        try check(.rename, target) { Glibc.rename(source, target) }
    }

    /// Makes creations, renames and removals within the folder durable.
    func synchronizeFolder(_ path: String) throws(CheckpointError) {
        try synchronize(try open(path), at: path)
    }

    /// A symbolic link that replaces what has the name in one step.
    func link(_ path: String, to target: String) throws(CheckpointError) {
        let partial = Path.partial(of: path)
        try remove(partial)
        try check(.makeLink, partial) { symlink(target, partial) }
        try rename(partial, to: path)
    }

    /// Whether there is something with this name, a broken link included.
    func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// Names in the folder, without `.` and `..`, sorted.
    func names(in path: String) throws(CheckpointError) -> [String] {
        if let injected = fault(.list, path) {
            throw .system(operation: Operation.list.rawValue, path: path, errorNumber: injected)
        }
        guard let stream = opendir(path) else {
            throw .system(operation: Operation.list.rawValue, path: path, errorNumber: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a file, a link, or a folder with all it holds; nothing happens if there is none.
    func remove(_ path: String) throws(CheckpointError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in try names(in: path) { try remove(path + "/" + name) }
            try check(.remove, path) { rmdir(path) }
        } else {
            try check(.remove, path) { unlink(path) }
        }
    }
}
