internal import CXXHash

/// XXH3 with 64 bits and seed 0: finds damage in a message's body, proves nothing against a forger.
///
/// The corresponding C function is `XXH3_64bits`.
public func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    XXH3_64bits(bytes.baseAddress, bytes.count)
}
