public import Hashing

/// `weights_sha256`: the SHA-256 of the tensors' elements in the given order, without names, shapes or padding.
///
/// With the parameters in layout order it equals the digest of the layout's one block.
public func weightsDigest(of tensors: [NamedTensor]) -> Digest {
    var hash = SHA256()
    for tensor in tensors { hash.update(tensor.bytes) }
    return hash.finalize()
}
