internal import Glibc

/// A refusal of the operating system: which call, on what, and why.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// An errno number; the named ones are those that callers branch on.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: CInt

        public init(rawValue: CInt) {
            self.rawValue = rawValue
        }

        public static let notFound = Code(rawValue: ENOENT)
        public static let exists = Code(rawValue: EEXIST)
        public static let accessDenied = Code(rawValue: EACCES)
        public static let notPermitted = Code(rawValue: EPERM)
        public static let noSpace = Code(rawValue: ENOSPC)
        public static let overQuota = Code(rawValue: EDQUOT)
        public static let readOnlyFileSystem = Code(rawValue: EROFS)
        public static let notADirectory = Code(rawValue: ENOTDIR)
        public static let isADirectory = Code(rawValue: EISDIR)
        public static let invalid = Code(rawValue: EINVAL)
        public static let badDescriptor = Code(rawValue: EBADF)
        public static let brokenPipe = Code(rawValue: EPIPE)
        public static let timedOut = Code(rawValue: ETIMEDOUT)
    }

    public let code: Code
    /// The call that failed, such as "open".
    public let call: String
    /// The path or other subject of the call.
    public let path: String?

    public init(code: Code, call: String, path: String? = nil) {
        self.code = code
        self.call = call
        self.path = path
    }

    public var description: String {
        let subject = path.map { " \($0)" } ?? ""
        return "\(call)\(subject): \(String(cString: strerror(code.rawValue))) (errno \(code.rawValue))"
    }
}

/// Repeats `body` while a signal interrupts it; a negative result throws, errno having been read first.
@discardableResult
func check<R: FixedWidthInteger>(_ call: String, path: String? = nil, _ body: () -> R) throws(SystemError) -> R {
    while true {
        let result = body()
        if result >= 0 { return result }
        let code = errno
        if code != EINTR { throw SystemError(code: .init(rawValue: code), call: call, path: path) }
    }
}

/// For the calls of pthreads and posix_spawn, which return the number itself.
func checkReturned(_ call: String, path: String? = nil, _ code: CInt) throws(SystemError) {
    if code != 0 { throw SystemError(code: .init(rawValue: code), call: call, path: path) }
}
