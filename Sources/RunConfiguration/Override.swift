/// A value given on the command line, `training.epochs=3`.
enum Override {
    /// Writes the value into the tree, with the override itself as its place. What cannot be written is reported.
    static func apply(_ text: String, to tree: inout Tree, _ diagnostics: Diagnostics) {
        let place = Place.override(text)
        guard let equals = text.firstIndex(of: "="), let path = SettingPath(parsing: text[..<equals].filter { $0 != " " }) else {
            diagnostics.report(place, SettingPath(), "must be KEY=VALUE, such as training.epochs=3 or model.layers.3.dropout.rate=0.5")
            return
        }
        let reader = YAMLReader(origin: .override(text), top: path, diagnostics: diagnostics)
        guard let value = reader.read(String(text[text.index(after: equals)...])) else { return }
        if let problem = write(value, at: path.steps[...], below: SettingPath(), in: &tree, place) {
            diagnostics.report(place, problem.path, problem.text)
        }
    }

    private static func write(
        _ value: Tree, at steps: ArraySlice<SettingPath.Step>, below path: SettingPath, in tree: inout Tree, _ place: Place
    ) -> (path: SettingPath, text: String)? {
        guard let step = steps.first else {
            tree = value
            return nil
        }
        switch (step, tree.content) {
        case (.key(let name), .map(var entries)):
            // Found by its first entry; entries are unique.
            var below = Tree.null(at: place)
            let found = entries.firstIndex { $0.key == name }
            if let found { below = entries[found].value }
            if let problem = write(value, at: steps.dropFirst(), below: path.key(name), in: &below, place) { return problem }
            if let found {
                entries[found].value = below
                if steps.count == 1 { entries[found].keyPlace = place }
            } else {
                entries.append(Tree.Entry(key: name, keyPlace: place, value: below))
            }
            tree.content = .map(entries)
            return nil
        case (.key, .scalar):
            // A bare name such as `adam` gets its first option; anything else is replaced, as YAML has no map inside a scalar.
            tree = Tree(content: .map([]), place: place)
            return write(value, at: steps, below: path, in: &tree, place)
        case (.index(let index), .list(var items)):
            guard items.indices.contains(index) else {
                return (path, "has \(items.count) entries, so the number must be in 0…\(items.count - 1), got \(index)")
            }
            if let problem = write(value, at: steps.dropFirst(), below: path.index(index), in: &items[index], place) { return problem }
            tree.content = .list(items)
            return nil
        case (.key(let name), .list(let items)):
            return (path, "is a list; its \(items.count) entries have numbers from 0, got \(name)")
        case (.index(let index), .map), (.index(let index), .scalar):
            return (path, "is no list, so it has no entry \(index)")
        }
    }
}
