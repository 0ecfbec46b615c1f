internal import CLinux
internal import Glibc

/// An open descriptor with one owner: closed when the owner is gone.
public struct Descriptor: ~Copyable, Sendable {
    public let number: CInt

    /// Takes over `number`, which nobody else may close from now on.
    public init(adopting number: CInt) {
        self.number = number
    }

    deinit {
        close(number)
    }

    /// Gives the number away without closing it.
    public consuming func release() -> CInt {
        let number = self.number
        discard self
        return number
    }

    /// Reads at most `buffer.count` bytes; 0 at the end.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        try check("read") { Glibc.read(number, buffer.baseAddress, buffer.count) }
    }

    /// Reads until the end.
    public func readAll() throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
        defer { piece.deallocate() }
        while true {
            let count = try read(into: piece)
            if count == 0 { return bytes }
            bytes.append(contentsOf: piece[..<count])
        }
    }

    /// Writes every byte.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            written += try check("write") {
                Glibc.write(number, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            }
        }
    }
}

/// The two ends of a pipe, both close-on-exec.
public struct PipeEnds: ~Copyable, Sendable {
    public let reading: Descriptor
    private var writing: Descriptor?
    /// -1 once we have closed it.
    public private(set) var writingNumber: CInt

    public init() throws(SystemError) {
        var ends: (CInt, CInt) = (-1, -1)
        try check("pipe2") {
            withUnsafeMutablePointer(to: &ends) {
                $0.withMemoryRebound(to: CInt.self, capacity: 2) { linux_pipe($0) }
            }
        }
        reading = Descriptor(adopting: ends.0)
        writing = Descriptor(adopting: ends.1)
        writingNumber = ends.1
    }

    /// Closes our own writing end, so that the reader sees the end once every other holder is gone.
    public mutating func closeWriting() {
        writing = nil
        writingNumber = -1
    }
}
