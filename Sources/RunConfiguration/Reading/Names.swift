/// The names that a value may take.
struct Names<Value> {
    let supported: [(name: String, value: Value)]

    init(_ supported: KeyValuePairs<String, Value>) {
        self.supported = supported.map { ($0.key, $0.value) }
    }

    init(_ supported: [(name: String, value: Value)]) {
        self.supported = supported
    }

    subscript(name: String) -> Value? {
        supported.first { $0.name == name }?.value
    }

    /// "relu, tanh, …".
    var list: String { supported.map(\.name).joined(separator: ", ") }

    /// What is wrong with a name that is none of these.
    func complaint(about name: String) -> String {
        let hint = nearestName(to: name, among: supported.map(\.name)).map { "; did you mean \($0)?" } ?? ""
        return "must be \(supported.count == 1 ? "" : "one of ")\(list), got \(Scalar.quoted(Scalar.shortened(name)))\(hint)"
    }
}

extension Names where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// The cases of an enum whose raw values are the names.
    init(_ type: Value.Type = Value.self) {
        self.init(Value.allCases.map { ($0.rawValue, $0) })
    }
}

extension Names: Sendable where Value: Sendable {}
