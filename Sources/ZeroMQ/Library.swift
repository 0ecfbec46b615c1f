internal import CZeroMQ

/// The libzmq that this process has loaded.
public enum Library {
    /// Such as "4.3.4".
    public static var version: String {
        var (major, minor, patch): (CInt, CInt, CInt) = (0, 0, 0)
        zmq_version(&major, &minor, &patch)
        return "\(major).\(minor).\(patch)"
    }

    /// Whether it was built with encryption.
    public static var hasCURVE: Bool { zmq_has("curve") == 1 }
}
