/// The names that a value may take: those that work, and those that are known but refused as not supported yet.
struct Names<Value> {
    let supported: [(name: String, value: Value)]
    let later: [String]

    init(_ supported: KeyValuePairs<String, Value>, later: [String] = []) {
        self.supported = supported.map { ($0.key, $0.value) }
        self.later = later
    }

    init(_ supported: [(name: String, value: Value)], later: [String] = []) {
        self.supported = supported
        self.later = later
    }

    subscript(name: String) -> Value? {
        supported.first { $0.name == name }?.value
    }

    /// "relu, tanh, …", of what works.
    var list: String { supported.map(\.name).joined(separator: ", ") }

    /// What is wrong with a name that is not supported.
    func complaint(about name: String) -> String {
        if later.contains(name) { return "\"\(name)\" is not supported yet; supported: \(list)" }
        let near = nearestName(to: name, among: supported.map(\.name) + later)
        let hint = near.map { "; did you mean \($0)?" + (later.contains($0) ? " (not supported yet)" : "") } ?? ""
        return "must be \(supported.count == 1 ? "" : "one of ")\(list), got \(Scalar.quoted(Scalar.shortened(name)))\(hint)"
    }
}

extension Names where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// The cases of an enum whose raw values are the names.
    init(_ type: Value.Type = Value.self, later: [String] = []) {
        self.init(Value.allCases.map { ($0.rawValue, $0) }, later: later)
    }
}

extension Names: Sendable where Value: Sendable {}
