internal import Glibc

/// A file that cannot be hashed because it cannot be read.
public struct UnreadableFile: Error, Hashable, Sendable, CustomStringConvertible {
    public let path: String
    /// The `errno` of the failed call.
    public let errorNumber: Int32

    public var description: String {
        "\(path): cannot be read: \(String(cString: strerror(errorNumber)))"
    }
}
