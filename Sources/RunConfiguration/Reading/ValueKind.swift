/// What a value must be, in words, and how it is read.
struct ValueKind<Value> {
    /// What is wrong with a value.
    enum Mismatch: Error {
        /// "must be …, got …", with a hint where there is one.
        case unexpected(hint: String?)
        /// A text of its own.
        case other(String)

        static var unexpected: Self { .unexpected(hint: nil) }
    }

    /// "a whole number in 1…100", to follow "must be".
    let expectation: String
    let read: (Tree) throws(Mismatch) -> Value

    init(_ expectation: String, read: @escaping (Tree) throws(Mismatch) -> Value) {
        self.expectation = expectation
        self.read = read
    }

    /// The same, or a name that stands for nil.
    func or(_ name: String) -> ValueKind<Value?> {
        let read = read
        let words = expectation.contains(",") ? "\(expectation), or \(name)" : "\(expectation) or \(name)"
        return ValueKind<Value?>(words) { tree throws(ValueKind<Value?>.Mismatch) in
            if tree.isPlainText(name) { return nil }
            do throws(Mismatch) { return try read(tree) } catch { throw error.converted() }
        }
    }
}

extension ValueKind.Mismatch {
    func converted<Other>() -> ValueKind<Other>.Mismatch {
        switch self {
        case .unexpected(let hint): .unexpected(hint: hint)
        case .other(let text): .other(text)
        }
    }

    /// The problem's text for a value.
    func text(_ kind: ValueKind<Value>, _ tree: Tree) -> String {
        switch self {
        case .unexpected(let hint): "must be \(kind.expectation), got \(tree.summary)" + (hint.map { "; \($0)" } ?? "")
        case .other(let text): text
        }
    }
}

extension Tree {
    func isPlainText(_ text: String) -> Bool {
        if case .scalar(let scalar) = content { scalar.isPlain && scalar.text == text } else { false }
    }
}
