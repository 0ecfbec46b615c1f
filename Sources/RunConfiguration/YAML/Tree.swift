/// A YAML document as a tree in which every value and every key knows where it was written.
struct Tree {
    enum Content {
        case scalar(Scalar)
        case list([Tree])
        case map([Entry])
    }

    struct Entry {
        var key: String
        var keyPlace: Place
        var value: Tree

        /// Where to point at: a short value itself, the key of a long one.
        var place: Place {
            if case .scalar = value.content, !value.isNull { value.place } else { keyPlace }
        }
    }

    var content: Content
    var place: Place

    static func null(at place: Place) -> Tree {
        Tree(content: .scalar(Scalar(text: "", isPlain: true)), place: place)
    }

    var isNull: Bool {
        if case .scalar(let scalar) = content, case .null = scalar.meaning { true } else { false }
    }

    /// What was found, for "must be …, got …".
    var summary: String {
        switch content {
        case .scalar(let scalar): scalar.summary
        case .list(let items): items.isEmpty ? "an empty list" : "a list"
        case .map(let entries): entries.isEmpty ? "an empty map" : "a map with the key \(Scalar.shown(key: entries[0].key))"
        }
    }

    /// The places of this value and of all below it.
    func collectPlaces(at path: SettingPath, into places: inout [SettingPath: Place]) {
        switch content {
        case .scalar: break
        case .list(let items):
            for (index, item) in items.enumerated() {
                places[path.index(index)] = item.place
                item.collectPlaces(at: path.index(index), into: &places)
            }
        case .map(let entries):
            for entry in entries {
                places[path.key(entry.key)] = entry.place
                entry.value.collectPlaces(at: path.key(entry.key), into: &places)
            }
        }
    }
}
