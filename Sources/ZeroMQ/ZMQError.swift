internal import CZeroMQ
internal import Glibc

/// A refusal of libzmq or of the system below it: which call, on what, and why.
///
/// Outcomes that are to be expected (would block, no such peer, timeout) are values, never errors.
public struct ZMQError: Error, Equatable, Sendable, CustomStringConvertible {
    /// An errno number; the named ones are those that callers branch on.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: CInt

        public init(rawValue: CInt) {
            self.rawValue = rawValue
        }

        /// The context has been shut down.
        public static let terminated = Code(rawValue: dnn_zmq_etype_term())
        public static let addressInUse = Code(rawValue: EADDRINUSE)
        public static let addressNotAvailable = Code(rawValue: EADDRNOTAVAIL)
        public static let accessDenied = Code(rawValue: EACCES)
        public static let notFound = Code(rawValue: ENOENT)
        public static let nameTooLong = Code(rawValue: ENAMETOOLONG)
        public static let noSuchDevice = Code(rawValue: ENODEV)
        public static let invalid = Code(rawValue: EINVAL)
        public static let protocolNotSupported = Code(rawValue: EPROTONOSUPPORT)
        public static let tooManyDescriptors = Code(rawValue: EMFILE)
    }

    public let code: Code
    /// The call that failed, such as "zmq_bind".
    public let call: String
    /// The endpoint or other subject of the call.
    public let subject: String?

    public init(code: Code, call: String, subject: String? = nil) {
        self.code = code
        self.call = call
        self.subject = subject
    }

    public var description: String {
        let subject = subject.map { " \($0)" } ?? ""
        return "\(call)\(subject): \(String(cString: zmq_strerror(code.rawValue))) (errno \(code.rawValue))"
    }
}

/// The one way through which every call of libzmq goes: repeats what a signal interrupted, reads errno once, first.
/// - Returns: the call's result if it is not negative, otherwise the errno, negated.
func callRetrying(_ body: () -> CInt) -> CInt {
    while true {
        let result = body()
        if result >= 0 { return result }
        let code = zmq_errno()
        if code != EINTR { return -code }
    }
}

/// As `callRetrying`; every failure throws.
@discardableResult
func check(_ call: String, subject: String? = nil, _ body: () -> CInt) throws(ZMQError) -> CInt {
    let result = callRetrying(body)
    if result < 0 { throw ZMQError(code: .init(rawValue: -result), call: call, subject: subject) }
    return result
}
