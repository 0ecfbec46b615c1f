internal import CZeroMQ

/// A public key of CurveZMQ: 32 bytes, written as 40 characters of Z85 (ZeroMQ RFC 32).
public struct CurvePublicKey: Hashable, Sendable, CustomStringConvertible {
    public static let byteCount = 32

    let storage: SIMD32<UInt8>

    /// Nil unless there are 32 bytes.
    public init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        storage = bytes.loadUnaligned(as: SIMD32<UInt8>.self)
    }

    /// Nil unless the text is 40 characters of Z85.
    public init?(z85: String) {
        guard let storage = decodeZ85(z85) else { return nil }
        self.storage = storage
    }

    public var z85: String { encodeZ85(storage) }
    public var description: String { z85 }
}

/// A secret key of CurveZMQ. Its text appears only where `revealedZ85` is asked for: not in logs, not in dumps.
public struct CurveSecretKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let storage: SIMD32<UInt8>

    /// Nil unless the text is 40 characters of Z85.
    public init?(z85: String) {
        guard let storage = decodeZ85(z85) else { return nil }
        self.storage = storage
    }

    /// To be written to a key file, nowhere else.
    public var revealedZ85: String { encodeZ85(storage) }
    public var description: String { "CurveSecretKey(hidden)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

/// A secret key with its public key.
public struct CurveKeyPair: Sendable {
    public let publicKey: CurvePublicKey
    public let secretKey: CurveSecretKey

    /// A new pair. The corresponding C function is `zmq_curve_keypair`.
    public static func generate() throws(ZMQError) -> CurveKeyPair {
        var (open, hidden) = ([CChar](repeating: 0, count: 41), [CChar](repeating: 0, count: 41))
        try check("zmq_curve_keypair") { zmq_curve_keypair(&open, &hidden) }
        return try CurveKeyPair(z85Public: text(open), z85Secret: text(hidden))
    }

    /// The pair of a known secret key. The corresponding C function is `zmq_curve_public`.
    public init(secretKey: CurveSecretKey) throws(ZMQError) {
        var open = [CChar](repeating: 0, count: 41)
        try check("zmq_curve_public") { zmq_curve_public(&open, secretKey.revealedZ85) }
        try self.init(z85Public: text(open), z85Secret: secretKey.revealedZ85)
    }

    private init(z85Public: String, z85Secret: String) throws(ZMQError) {
        guard let publicKey = CurvePublicKey(z85: z85Public), let secretKey = CurveSecretKey(z85: z85Secret) else {
            throw ZMQError(code: .invalid, call: "zmq_z85_decode", subject: "a key made by libzmq")
        }
        self.publicKey = publicKey
        self.secretKey = secretKey
    }
}

private func decodeZ85(_ text: String) -> SIMD32<UInt8>? {
    guard text.utf8.count == 40 else { return nil }
    var storage = SIMD32<UInt8>()
    let isDecoded = withUnsafeMutableBytes(of: &storage) { bytes in
        zmq_z85_decode(bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), text) != nil
    }
    return isDecoded ? storage : nil
}

private func encodeZ85(_ storage: SIMD32<UInt8>) -> String {
    var characters = [CChar](repeating: 0, count: 41)
    withUnsafeBytes(of: storage) { bytes in
        _ = zmq_z85_encode(&characters, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
    }
    return text(characters)
}

/// The text before the first null.
func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
