/// The forms `name` and `{name: options}` that a value may take, each with the function that reads its options.
typealias Variants<Value> = Names<@Sendable (Payload) -> Value?>

/// What stands behind a variant's name; nothing where only the name was written.
struct Payload {
    let tree: Tree?
    let path: SettingPath
    let place: Place
    let diagnostics: Diagnostics

    /// The options as a map of keys.
    func options<Value>(_ body: (Section) -> Value?) -> Value? {
        Section.read(tree, at: path, place, diagnostics, body) ?? nil
    }

    /// The value of a variant such as `{constant: 0}`.
    func value<Value>(_ kind: ValueKind<Value>) -> Value? {
        guard let tree else { return fail("needs a value: \(kind.expectation)") }
        do { return try kind.read(tree) } catch { return fail(error.text(kind, tree)) }
    }

    func fail<Value>(_ text: String) -> Value? {
        diagnostics.report(place, path, text)
        return nil
    }

    /// A variant without options: an empty map is allowed behind it.
    func plain<Value>(_ value: Value) -> Value? {
        options { _ in value }
    }
}

extension Names {
    /// "one of a, b, c", of what works.
    var expectation: String { (supported.count == 1 ? "" : "one of ") + list }

    /// Reads a name or `{name: options}`.
    func read<Result>(_ tree: Tree, at path: SettingPath, _ place: Place, _ diagnostics: Diagnostics) -> Result?
    where Value == @Sendable (Payload) -> Result? {
        if case .map(let entries) = tree.content, entries.count > 1 {
            let keys = entries.map { Scalar.shown(key: $0.key) }.joined(separator: " and ")
            diagnostics.report(place, path, "must be exactly \(expectation), got \(keys)\(hint(entries))")
            return nil
        }
        guard let (name, options) = tree.nameAndOptions else {
            diagnostics.report(place, path, "must be \(expectation), got \(tree.summary)")
            return nil
        }
        guard let reader = self[name] else {
            diagnostics.report(place, path, complaint(about: name))
            return nil
        }
        return reader(Payload(tree: options?.value, path: path.key(name), place: options?.place ?? place, diagnostics: diagnostics))
    }

    /// For options that stand beside their name instead of below it.
    private func hint(_ entries: [Tree.Entry]) -> String {
        guard entries[0].value.isNull, self[entries[0].key] != nil, self[entries[1].key] == nil else { return "" }
        return "; indent the options further than \(entries[0].key)"
    }
}

extension Tree {
    /// The two parts of `name` and `{name: options}`.
    fileprivate var nameAndOptions: (name: String, options: Entry?)? {
        switch content {
        case .scalar(let scalar):
            if case .text(let name) = scalar.meaning { (name, nil) } else { nil }
        case .map(let entries): entries.count == 1 ? (entries[0].key, entries[0]) : nil
        case .list: nil
        }
    }
}
