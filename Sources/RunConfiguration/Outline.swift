/// A configuration as an ordered tree of written values: what the effective run file and the bit-relevant keys are made from.
indirect enum Outline {
    /// As YAML writes it, quotes included.
    case leaf(String)
    case list([Outline])
    case map([Entry])

    /// What a value has to do with the resulting bits.
    enum Role {
        case bits
        case free
    }

    struct Entry {
        let key: String
        let value: Outline
        let role: Role

        init(_ key: String, _ value: Outline, _ role: Role = .free) {
            self.key = key
            self.value = value
            self.role = role
        }
    }

    static func word(_ text: String) -> Self { .leaf(text) }
    static func text(_ text: String) -> Self { .leaf(Scalar.quoted(text)) }
    static func whole(_ value: some BinaryInteger) -> Self { .leaf("\(value)") }
    static func number(_ value: Double) -> Self { .leaf(Scalar.decimal(value)) }
    static func flag(_ value: Bool) -> Self { .leaf("\(value)") }
    static var none: Self { .leaf("none") }

    /// `{name: {options}}`, all bit-relevant.
    static func variant(_ name: String, _ options: KeyValuePairs<String, Outline> = [:]) -> Self {
        .map([Entry(name, .map(options.map { Entry($0.key, $0.value, .bits) }), .bits)])
    }

    /// `{name: value}`, bit-relevant.
    static func single(_ name: String, _ value: Outline) -> Self {
        .map([Entry(name, value, .bits)])
    }
}

extension Outline {
    /// The bit-relevant values below a path. A list of simple values is one value; so is a bit-relevant map without any.
    func bitRelevantKeys(at path: SettingPath, _ role: Role) -> [BitRelevantKey] {
        switch self {
        case .leaf(let text): return role == .bits ? [BitRelevantKey(key: path.description, value: text)] : []
        case .list(let items):
            if items.contains(where: \.isMap) {
                return items.enumerated().flatMap { $0.element.bitRelevantKeys(at: path.index($0.offset), role) }
            }
            return role == .bits ? [BitRelevantKey(key: path.description, value: flow)] : []
        case .map(let entries):
            let keys = entries.flatMap { $0.value.bitRelevantKeys(at: path.key($0.key), $0.role) }
            return keys.isEmpty && role == .bits ? [BitRelevantKey(key: path.description, value: "{}")] : keys
        }
    }

    /// On one line.
    var flow: String {
        switch self {
        case .leaf(let text): text
        case .list(let items): "[" + items.map(\.flow).joined(separator: ", ") + "]"
        case .map(let entries): "{" + entries.map { "\($0.key): \($0.value.flow)" }.joined(separator: ", ") + "}"
        }
    }

    /// As a block of lines, two levels of keys deep; below that on one line, lists of maps an item per line.
    func block(depth: Int = 0) -> String {
        guard case .map(let entries) = self else { return flow + "\n" }
        let indentation = String(repeating: "  ", count: depth)
        var text = ""
        for entry in entries {
            text += indentation + entry.key + ":"
            switch entry.value {
            case .map where depth == 0: text += "\n" + entry.value.block(depth: depth + 1)
            case .list(let items) where items.contains(where: \.isMap):
                text += "\n" + items.map { "\(indentation)  - \($0.flow)\n" }.joined()
            default: text += " \(entry.value.flow)\n"
            }
        }
        return text
    }

    private var isMap: Bool {
        if case .map = self { true } else { false }
    }
}
