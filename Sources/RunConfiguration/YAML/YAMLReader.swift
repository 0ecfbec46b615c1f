internal import Yams

/// Reads one YAML document. The only place that knows the YAML library.
struct YAMLReader {
    /// Whose text it is: a file, or the value of an override.
    enum Origin {
        case file(String)
        case override(String)

        func place(line: Int, column: Int) -> Place {
            switch self {
            case .file(let file): .position(file: file, line: line, column: column)
            case .override(let text): .override(text)
            }
        }
    }

    let origin: Origin
    /// The path of the document's top, for problems inside an override's value.
    let top: SettingPath
    let diagnostics: Diagnostics

    /// The document as a tree; nil, with a problem reported, if it is not YAML or too large; null if it is empty.
    func read(_ text: String) -> Tree? {
        guard text.utf8.count <= Limits.fileByteCount else {
            return fail(line: 1, column: 1, "is larger than 1 MiB, the most that is read; data belongs in files of its own")
        }
        if let position = text.positionOfComplexKeyBesideAliases {
            return fail(line: position.line, column: position.column, "keys must be plain text: neither aliases nor lists nor maps")
        }
        var masked = MaskedText(text.hasPrefix("\u{FEFF}") ? String(text.unicodeScalars.dropFirst()) : text)
        while true {
            do {
                let parser = try Parser(yaml: masked.text, resolver: .basic, encoding: .utf8)
                guard let root = try parser.nextRoot() else { return Tree.null(at: place(nil)) }
                if let second = try parser.nextRoot() {
                    return fail(second.mark, "a second document begins here; a run file is one document")
                }
                var conversion = TreeConversion(reader: self, masked: masked)
                return conversion.tree(root, at: top)
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                // The library stops here. With this one out of its sight the rest can be read, and the key is reported with its path.
                if !masked.hideKey(line: context.mark.line, column: context.mark.column) {
                    return fail(context.mark, "key given twice: \(Scalar.shown(key: names.first ?? ""))")
                }
            } catch {
                return fail(error, in: masked.text)
            }
        }
    }

    func place(_ mark: Mark?) -> Place {
        origin.place(line: mark?.line ?? 1, column: mark?.column ?? 1)
    }

    private func fail(_ mark: Mark?, _ text: String) -> Tree? {
        fail(line: mark?.line ?? 1, column: mark?.column ?? 1, text)
    }

    private func fail(line: Int, column: Int, _ text: String) -> Tree? {
        diagnostics.report(origin.place(line: line, column: column), top, text)
        return nil
    }

    private func fail(_ error: any Error, in text: String) -> Tree? {
        guard let error = error as? YamlError else { return fail(nil, "not YAML: \(error)") }
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            if text.character(line: mark.line, column: mark.column) == "\t" {
                return fail(mark, "not YAML: a tab; indentation is made of spaces")
            }
            let activity = context.map { " \($0.text)" + ($0.mark.line == mark.line ? "," : " that begins on line \($0.mark.line),") } ?? ""
            return fail(mark, "not YAML:\(activity) \(problem)")
        case .reader(let problem, let offset, _, _):
            // The library counts whole characters.
            let index = text.index(text.startIndex, offsetBy: offset ?? 0, limitedBy: text.endIndex) ?? text.startIndex
            let position = text.position(ofByte: text.utf8.distance(from: text.startIndex, to: index))
            return fail(line: position.line, column: position.column, "not YAML: \(problem)")
        default:
            return fail(nil, "not YAML: \(error)")
        }
    }
}

/// Turns the library's nodes into a tree, aliases expanded, within the limits.
private struct TreeConversion {
    let reader: YAMLReader
    let masked: MaskedText
    private var valueCount = 0
    private var hasFailed = false

    init(reader: YAMLReader, masked: MaskedText) {
        self.reader = reader
        self.masked = masked
    }

    /// nil once a limit is passed, which is reported.
    mutating func tree(_ node: Node, at path: SettingPath) -> Tree? {
        valueCount += 1
        let place = reader.place(node.mark)
        if valueCount > Limits.valueCount { return exceeded(place, path, "more than \(Limits.valueCount) values, aliases expanded") }
        if path.steps.count > Limits.depth { return exceeded(place, path, "maps and lists are more than \(Limits.depth) deep") }
        switch node {
        case .scalar(let scalar):
            let isText = checkTag(scalar.tag, place, path)
            return Tree(content: .scalar(Scalar(text: scalar.string, isPlain: scalar.style == .plain && !isText)), place: place)
        case .sequence(let sequence):
            _ = checkTag(sequence.tag, place, path)
            var items: [Tree] = []
            for (index, item) in sequence.enumerated() {
                guard let item = tree(item, at: path.index(index)) else { return nil }
                items.append(item)
            }
            return Tree(content: .list(items), place: place)
        case .mapping(let mapping):
            _ = checkTag(mapping.tag, place, path)
            guard let entries = entries(of: mapping, at: path) else { return nil }
            return Tree(content: .map(entries), place: place)
        case .alias:
            return exceeded(place, path, "an alias without its anchor")
        }
    }

    private mutating func entries(of mapping: Node.Mapping, at path: SettingPath) -> [Tree.Entry]? {
        var entries: [Tree.Entry] = []
        var firstPlaces: [String: Mark?] = [:]
        for (keyNode, valueNode) in mapping {
            let keyPlace = reader.place(keyNode.mark)
            guard case .scalar(let scalar) = keyNode else {
                reader.diagnostics.report(keyPlace, path, "keys must be plain text, not lists or maps")
                continue
            }
            let key = masked.unhidden(scalar.string)
            if let first = firstPlaces[key] {
                let line = first.map { "; first on line \($0.line)" } ?? ""
                reader.diagnostics.report(keyPlace, path.key(key), "key given twice\(line)")
                continue
            }
            firstPlaces[key] = .some(keyNode.mark)
            guard let value = tree(valueNode, at: path.key(key)) else { return nil }
            entries.append(Tree.Entry(key: key, keyPlace: keyPlace, value: value))
        }
        return entries
    }

    /// Whether the tag says text. Tags of other types than YAML's own are problems.
    private func checkTag(_ tag: Tag, _ place: Place, _ path: SettingPath) -> Bool {
        let own = "tag:yaml.org,2002:"
        switch tag.rawValue {
        case "!", own + "str": return true
        case "", own + "int", own + "float", own + "bool", own + "null", own + "seq", own + "map": return false
        case let name:
            let written = name.hasPrefix(own) ? "!!" + name.dropFirst(own.count) : name
            reader.diagnostics.report(place, path, "the tag \(Scalar.shown(key: written)) is unknown; tags are not needed in run files")
            return false
        }
    }

    private mutating func exceeded(_ place: Place, _ path: SettingPath, _ text: String) -> Tree? {
        if !hasFailed { reader.diagnostics.report(place, path, text) }
        hasFailed = true
        return nil
    }
}
