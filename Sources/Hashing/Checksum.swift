internal import CXXHash

/// XXH3 with 64 bits and seed 0: finds damage in a message's body, proves nothing against a forger.
///
/// The corresponding C functions are `XXH3_64bits` and, for x86, `XXH3_64bits_dispatch`.
public func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    dnn_xxh3_64bits(bytes.baseAddress, bytes.count)
}
