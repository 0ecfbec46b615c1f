internal import CCrypto

/// A running SHA-256 (FIPS 180-4) over bytes given in pieces.
///
/// OpenSSL takes the processor's SHA instructions where there are some.
public struct SHA256: ~Copyable {
    private let context: OpaquePointer

    public init() {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("no memory for a digest's state") }
        precondition(EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1, "this OpenSSL offers no SHA-256")
        self.context = context
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1, "a running digest took no bytes")
    }

    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// Adds the text's UTF-8 bytes, without a terminator or a length.
    public mutating func update(_ text: String) {
        update(Array(text.utf8))
    }

    public consuming func finalize() -> Digest {
        var bytes = [UInt8](repeating: 0, count: Digest.byteCount)
        precondition(EVP_DigestFinal_ex(context, &bytes, nil) == 1, "a running digest did not end")
        guard let digest = Digest(bytes: bytes) else { preconditionFailure("a digest of another length") }
        return digest
    }
}

extension SHA256 {
    public static func hash(of bytes: [UInt8]) -> Digest {
        bytes.withUnsafeBytes { hash(of: $0) }
    }

    public static func hash(of bytes: UnsafeRawBufferPointer) -> Digest {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finalize()
    }
}
