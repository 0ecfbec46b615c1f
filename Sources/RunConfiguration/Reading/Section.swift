/// A map of the run file that is being read: knows its path and place, reports every problem, and knows which keys nobody asked for.
///
/// A value that cannot be read is reported and replaced by its default, so that reading goes on to the next problem.
final class Section {
    let path: SettingPath
    let place: Place
    let diagnostics: Diagnostics
    private let entries: [Tree.Entry]
    private var asked: [String] = []

    /// Reads a map's keys; those that `body` did not ask for are problems. nil, with a problem reported, if the tree is neither map nor null.
    static func read<Result>(
        _ tree: Tree?, at path: SettingPath, _ place: Place, _ diagnostics: Diagnostics, _ body: (Section) -> Result
    ) -> Result? {
        var entries: [Tree.Entry] = []
        switch tree?.content {
        case .map(let found): entries = found
        case .scalar where tree?.isNull == true: break
        case nil: break
        case .some:
            diagnostics.report(place, path, "must be a map of keys, got \(tree?.summary ?? "nothing")")
            return nil
        }
        let section = Section(entries, path, place, diagnostics)
        let result = body(section)
        for entry in entries where !section.asked.contains(entry.key) {
            diagnostics.noteUnknown(entry, in: path, allowed: section.asked)
        }
        return result
    }

    private init(_ entries: [Tree.Entry], _ path: SettingPath, _ place: Place, _ diagnostics: Diagnostics) {
        self.path = path
        self.place = place
        self.diagnostics = diagnostics
        self.entries = entries
    }

    /// The entry of a key, which is known from now on.
    func entry(_ key: String) -> Tree.Entry? {
        if !asked.contains(key) {
            asked.append(key)
            diagnostics.noteAsked(key, in: path)
        }
        return entries.first { $0.key == key }
    }

    func value<Value>(_ key: String, _ kind: ValueKind<Value>, default standard: Value) -> Value {
        guard let entry = entry(key) else { return standard }
        return read(entry, kind) ?? standard
    }

    /// nil if the key is missing, or its value is the name that stands for nil.
    func optional<Value>(_ key: String, _ kind: ValueKind<Value>, nilName: String = "none") -> Value? {
        value(key, kind.or(nilName), default: nil)
    }

    /// nil, with a problem reported, if the key is missing or its value is not of this kind.
    func required<Value>(_ key: String, _ kind: ValueKind<Value>) -> Value? {
        guard let entry = entry(key) else { return missing(key, kind.expectation) }
        return read(entry, kind)
    }

    func section<Result>(_ key: String, _ body: (Section) -> Result) -> Result? {
        let entry = entry(key)
        return Section.read(entry?.value, at: path.key(key), entry?.place ?? place, diagnostics, body)
    }

    /// nil if it is missing or `none`.
    func sectionOrNone<Result>(_ key: String, _ body: (Section) -> Result) -> Result? {
        guard let entry = entry(key), !entry.value.isPlainText("none") else { return nil }
        if case .scalar = entry.value.content {
            report(key, "must be a map of keys or none, got \(entry.value.summary)")
            return nil
        }
        return Section.read(entry.value, at: path.key(key), entry.place, diagnostics, body)
    }

    /// A name, or `{name: options}`; nil, with a problem reported, if it cannot be read.
    func variant<Value>(_ key: String, _ variants: Variants<Value>, default standard: Value) -> Value? {
        guard let entry = entry(key) else { return standard }
        return variants.read(entry.value, at: path.key(key), entry.place, diagnostics)
    }

    /// A name, or `{name: options}`; nil, with a problem reported, if it is missing or cannot be read.
    func requiredVariant<Value>(_ key: String, _ variants: Variants<Value>) -> Value? {
        guard let entry = entry(key) else { return missing(key, variants.expectation) }
        return variants.read(entry.value, at: path.key(key), entry.place, diagnostics)
    }

    func missing<Value>(_ key: String, _ expectation: String) -> Value? {
        diagnostics.report(place, path.key(key), "is required: \(expectation)")
        return nil
    }

    func report(_ key: String, _ text: String) {
        diagnostics.report(entry(key)?.place ?? place, path.key(key), text)
    }

    private func read<Value>(_ entry: Tree.Entry, _ kind: ValueKind<Value>) -> Value? {
        do { return try kind.read(entry.value) } catch {
            diagnostics.report(entry.place, path.key(entry.key), error.text(kind, entry.value))
            return nil
        }
    }
}
