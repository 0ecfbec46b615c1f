extension SafetensorsHeader {
    /// Checks every rule of the format: known types, no key twice, and bytes that cover the data without gap or overlap.
    init(parsing text: [UInt8], dataByteCount: Int) throws(SafetensorsFile.Defect) {
        guard text.first == UInt8(ascii: "{") else { throw .badHeader(offset: 0, expected: "“{”, without white space before it") }
        var scanner = JSONScanner(text)
        var metadata: [String: String] = [:]
        var entries: [SafetensorsFile.Entry] = []
        try scanner.object { (scanner, key) throws(SafetensorsFile.Defect) in
            if key == Self.metadataKey {
                try scanner.object { (scanner, key) throws(SafetensorsFile.Defect) in metadata[key] = try scanner.string() }
            } else {
                entries.append(try Self.entry(named: key, from: &scanner))
            }
        }
        try scanner.end()
        self.metadata = metadata
        self.entries = try Self.inOrder(entries, dataByteCount: dataByteCount)
    }

    private static func entry(
        named name: String, from scanner: inout JSONScanner
    ) throws(SafetensorsFile.Defect) -> SafetensorsFile.Entry {
        var typeName: String?
        var shape: [Int]?
        var offsets: [Int]?
        try scanner.object { (scanner, key) throws(SafetensorsFile.Defect) in
            switch key {
            case "dtype": typeName = try scanner.string()
            case "shape": shape = try scanner.wholeNumbers()
            case "data_offsets": offsets = try scanner.wholeNumbers(exactly: 2)
            default: throw .unknownKey(tensor: name, key: key)
            }
        }
        guard let typeName else { throw .missingKey(tensor: name, key: "dtype") }
        guard let shape else { throw .missingKey(tensor: name, key: "shape") }
        guard let offsets else { throw .missingKey(tensor: name, key: "data_offsets") }
        guard let type = SafetensorsFile.ElementType(rawValue: typeName) else {
            throw .unknownType(tensor: name, type: typeName)
        }
        let needed = try byteCount(of: shape, type, tensor: name)
        guard offsets[0] <= offsets[1], offsets[1] - offsets[0] == needed else {
            throw .wrongByteCount(tensor: name, found: offsets[1] - offsets[0], expected: needed)
        }
        return .init(name: name, type: type, shape: shape, byteRange: offsets[0]..<offsets[1])
    }

    private static func byteCount(
        of shape: [Int], _ type: SafetensorsFile.ElementType, tensor: String
    ) throws(SafetensorsFile.Defect) -> Int {
        var product = type.byteCount
        for size in shape {
            let (next, overflow) = product.multipliedReportingOverflow(by: size)
            guard !overflow else { throw .tooLarge(tensor: tensor, shape: shape) }
            product = next
        }
        return product
    }

    /// Sorted by place. An empty tensor stands before the one that begins where it does.
    private static func inOrder(
        _ entries: [SafetensorsFile.Entry], dataByteCount: Int
    ) throws(SafetensorsFile.Defect) -> [SafetensorsFile.Entry] {
        let sorted = entries.enumerated().sorted {
            let (a, b) = ($0.element.byteRange, $1.element.byteRange)
            return (a.lowerBound, a.upperBound, $0.offset) < (b.lowerBound, b.upperBound, $1.offset)
        }.map(\.element)
        var end = 0
        for entry in sorted {
            guard entry.byteRange.lowerBound == end else {
                throw .gapOrOverlap(tensor: entry.name, begin: entry.byteRange.lowerBound, expected: end)
            }
            end = entry.byteRange.upperBound
        }
        guard end <= dataByteCount else { throw .truncated(found: dataByteCount, needed: end) }
        guard end == dataByteCount else { throw .trailingBytes(dataByteCount - end) }
        return sorted
    }
}
