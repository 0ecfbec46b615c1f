/// The JSON header of a safetensors file.
struct SafetensorsHeader {
    /// The header's length stands before it, as a little-endian 64-bit number.
    static let lengthByteCount = 8
    /// The reference implementation's bound; nothing is allocated for a longer one.
    static let maximumByteCount = 100_000_000
    static let metadataKey = "__metadata__"

    var metadata: [String: String] = [:]
    var entries: [SafetensorsFile.Entry] = []
}

// MARK: Writing

extension SafetensorsHeader {
    /// Places the tensors one behind the other in the given order.
    init(placing tensors: [NamedTensor], metadata: [String: String]) {
        self.metadata = metadata
        var end = 0
        for tensor in tensors {
            let range = end..<end + tensor.bytes.count
            entries.append(.init(name: tensor.name, type: tensor.type, shape: tensor.shape, byteRange: range))
            end = range.upperBound
        }
    }

    /// Length and text, padded with spaces so that the elements begin at a multiple of 8 bytes.
    var encoded: [UInt8] {
        var members: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { quoted($0.key) + ":" + quoted($0.value) }
            members.append(quoted(Self.metadataKey) + ":{" + pairs.joined(separator: ",") + "}")
        }
        for entry in entries {
            let shape = entry.shape.map(String.init).joined(separator: ",")
            let offsets = "\(entry.byteRange.lowerBound),\(entry.byteRange.upperBound)"
            members.append(
                quoted(entry.name) + #":{"dtype":"\#(entry.type.rawValue)","shape":[\#(shape)],"data_offsets":[\#(offsets)]}"#)
        }
        var text = Array(("{" + members.joined(separator: ",") + "}").utf8)
        while !text.count.isMultiple(of: 8) { text.append(UInt8(ascii: " ")) }
        return (0..<Self.lengthByteCount).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
    }

    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
