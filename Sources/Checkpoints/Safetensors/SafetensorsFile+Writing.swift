extension SafetensorsFile {
    /// Writes the tensors in the given order, durably and as a whole: what has the name is replaced or left as it is.
    ///
    /// The same input gives the same bytes. Nothing is copied: the elements go from their memory to the file and the hash.
    /// - Returns: the file's name, length and SHA-256.
    /// - Throws: `unwritable` for a name given twice or reserved or a header beyond the format's bound, `system`.
    @discardableResult
    public static func write(
        _ tensors: [NamedTensor], metadata: [String: String] = [:], to path: String
    ) throws(CheckpointError) -> FileRecord {
        try Disk().replaceSafetensors(tensors, metadata: metadata, at: path)
    }
}

extension Disk {
    func replaceSafetensors(
        _ tensors: [NamedTensor], metadata: [String: String], at path: String
    ) throws(CheckpointError) -> FileRecord {
        let header = try encodedHeader(of: tensors, metadata: metadata, path: path)
        return try replaceFile(at: path) { (file) throws(CheckpointError) in
            try file.write(header)
            for tensor in tensors { try file.write(tensor.bytes) }
        }
    }

    /// Only for a folder that nobody reads yet: the file has its own name from the beginning.
    func createSafetensors(
        _ tensors: [NamedTensor], metadata: [String: String], at path: String
    ) throws(CheckpointError) -> FileRecord {
        let header = try encodedHeader(of: tensors, metadata: metadata, path: path)
        var file = try OutputFile(creating: path, on: self)
        try file.write(header)
        for tensor in tensors { try file.write(tensor.bytes) }
        return try file.finish()
    }

    private func encodedHeader(
        of tensors: [NamedTensor], metadata: [String: String], path: String
    ) throws(CheckpointError) -> [UInt8] {
        var names: Set<String> = [SafetensorsHeader.metadataKey]
        for tensor in tensors where !names.insert(tensor.name).inserted {
            throw .unwritable(path: path, reason: "the tensor name “\(tensor.name)” is reserved or there twice")
        }
        let header = SafetensorsHeader(placing: tensors, metadata: metadata).encoded
        guard header.count - SafetensorsHeader.lengthByteCount <= SafetensorsHeader.maximumByteCount else {
            throw .unwritable(
                path: path, reason: "its header has \(header.count) bytes, at most \(SafetensorsHeader.maximumByteCount) are allowed")
        }
        return header
    }
}
