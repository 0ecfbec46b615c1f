/// How a connection is protected.
public enum Security: Sendable {
    /// Not at all: for ipc in a folder of our own, inproc, loopback.
    case none
    /// CurveZMQ, the side that is known by its key.
    case curveServer(CurveSecretKey)
    /// CurveZMQ, the side that knows the server's key.
    case curveClient(CurveKeyPair, server: CurvePublicKey)
}
