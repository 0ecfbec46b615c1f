internal import Yams

/// A YAML document as words, lists and maps.
indirect enum YAMLTree: Equatable, Sendable {
    case scalar(String, isQuoted: Bool)
    case list([YAMLTree])
    case map([Entry])

    struct Entry: Equatable, Sendable {
        var key: String
        var value: YAMLTree
    }

    init(yaml: String, file: String) throws(EvidenceError) {
        let node: Node?
        do {
            node = try Yams.compose(yaml: yaml)
        } catch {
            throw .unreadable(file, reason: "is no YAML: \(error)")
        }
        guard let node, case .mapping = node else { throw .unreadable(file, reason: "is no map of keys, so no run wrote it") }
        self.init(node)
    }

    private init(_ node: Node) {
        switch node {
        case .scalar(let scalar):
            self = .scalar(scalar.string, isQuoted: scalar.style == .doubleQuoted || scalar.style == .singleQuoted)
        case .sequence(let items): self = .list(items.map(YAMLTree.init))
        case .mapping(let pairs): self = .map(pairs.map { Entry(key: $0.key.string ?? "", value: YAMLTree($0.value)) })
        case .alias: self = .scalar("", isQuoted: false)
        }
    }

    subscript(key: String) -> YAMLTree? {
        guard case .map(let entries) = self else { return nil }
        return entries.first { $0.key == key }?.value
    }

    var word: String? {
        guard case .scalar(let text, _) = self else { return nil }
        return text
    }

    var number: Double? { word.flatMap(Double.init) }

    var items: [YAMLTree] {
        guard case .list(let items) = self else { return [] }
        return items
    }

    /// A name alone, or `{name: {options}}`.
    var variant: (kind: String, options: YAMLTree) {
        switch self {
        case .scalar(let word, _): (word, .map([]))
        case .map(let entries): entries.first.map { ($0.key, $0.value) } ?? ("", .map([]))
        case .list: ("", .map([]))
        }
    }

    /// On one line, as `--set` takes it.
    var flow: String {
        switch self {
        case .scalar(let text, let isQuoted):
            isQuoted ? "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\"" : text
        case .list(let items): "[" + items.map(\.flow).joined(separator: ", ") + "]"
        case .map(let entries): "{" + entries.map { "\($0.key): \($0.value.flow)" }.joined(separator: ", ") + "}"
        }
    }
}
