internal import CLinux
internal import Glibc

/// A segment of memory that processes share by its descriptor; its size is sealed, so that no mapping of it can ever fault.
public final class SharedMemory: @unchecked Sendable {  // plain memory; the protocol of its users decides who writes when
    /// What the processes that adopt a segment may do.
    public enum Sharing: Sendable {
        /// Only the creator's own mapping can write; the kernel refuses all later ones.
        case creatorWrites
        /// Those who have mapped it for writing before `closeToWriters` can write; the kernel refuses all later ones.
        case earlyWrite
        case allWrite
    }

    /// What a mapping of ours is for.
    public enum Access: Sendable {
        case read
        case readWrite
    }

    /// Close-on-exec; hand it down by `ChildProcess.Inheritance` or `DescriptorPassing`.
    public let descriptor: CInt
    public let byteCount: Int
    public let access: Access
    private let base: UnsafeMutableRawPointer

    private init(descriptor: CInt, byteCount: Int, access: Access, base: UnsafeMutableRawPointer) {
        self.descriptor = descriptor
        self.byteCount = byteCount
        self.access = access
        self.base = base
    }

    deinit {
        munmap(base, byteCount)
        close(descriptor)
    }

    /// A new segment of zeros, aligned to a page.
    /// - Parameter name: for /proc only.
    public static func create(byteCount: Int, sharing: Sharing, name: String) throws(SystemError) -> SharedMemory {
        precondition(byteCount > 0, "a segment holds at least one byte")
        let file = Descriptor(adopting: try check("memfd_create", path: name) { linux_memfd(name) })
        try check("ftruncate", path: name) { ftruncate(file.number, byteCount) }
        // The creator's writable mapping has to exist before the seal against later ones.
        let base = try map(file.number, byteCount: byteCount, access: .readWrite, name: name)
        do throws(SystemError) {
            try check("fcntl", path: name) {
                linux_memfd_seal(file.number, sharing == .creatorWrites ? 1 : 0, sharing == .earlyWrite ? 0 : 1)
            }
        } catch {
            munmap(base, byteCount)
            throw error
        }
        return SharedMemory(descriptor: file.release(), byteCount: byteCount, access: .readWrite, base: base)
    }

    /// Maps a segment that another process made. The descriptor is ours from now on, also if this throws.
    ///
    /// Refused with `.invalid` if it has another size than expected, or one that could still change.
    public static func adopt(descriptor: CInt, byteCount: Int, access: Access) throws(SystemError) -> SharedMemory {
        let file = Descriptor(adopting: descriptor)
        let name = "shared memory, descriptor \(descriptor)"
        var status = stat()
        try check("fstat", path: name) { fstat(descriptor, &status) }
        let isSealed = try check("fcntl", path: name) { linux_memfd_size_is_sealed(descriptor) }
        guard isSealed == 1, byteCount > 0, status.st_size == byteCount else {
            throw SystemError(code: .invalid, call: "mmap", path: "\(name): \(status.st_size) bytes, expected \(byteCount), sealed")
        }
        let base = try map(descriptor, byteCount: byteCount, access: access, name: name)
        return SharedMemory(descriptor: file.release(), byteCount: byteCount, access: access, base: base)
    }

    /// Ends what `.earlyWrite` lets others do: from now on the segment is as one of `.creatorWrites`, but for the writers it has.
    public func closeToWriters() throws(SystemError) {
        try check("fcntl", path: "shared memory, descriptor \(descriptor)") { linux_memfd_seal(descriptor, 1, 1) }
    }

    /// Gives the pages back; the bytes are zeros again, in every mapping. For segments mapped for writing that all may write.
    public func discard() throws(SystemError) {
        precondition(access == .readWrite, "the segment is mapped for reading only")
        try check("madvise", path: "shared memory, descriptor \(descriptor)") { madvise(base, byteCount, MADV_REMOVE) }
    }

    public var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base, count: byteCount)
    }

    /// For segments mapped for writing.
    public var mutableBytes: UnsafeMutableRawBufferPointer {
        precondition(access == .readWrite, "the segment is mapped for reading only")
        return UnsafeMutableRawBufferPointer(start: base, count: byteCount)
    }

    private static func map(
        _ descriptor: CInt, byteCount: Int, access: Access, name: String
    ) throws(SystemError) -> UnsafeMutableRawPointer {
        let protection = access == .readWrite ? PROT_READ | PROT_WRITE : PROT_READ
        guard let base = mmap(nil, byteCount, protection, MAP_SHARED, descriptor, 0), base != MAP_FAILED else {
            let code = errno
            throw SystemError(code: .init(rawValue: code), call: "mmap", path: name)
        }
        return base
    }
}
