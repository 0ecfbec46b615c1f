/// One thing that is wrong with a run file: where, under which key, and what is allowed.
public struct Problem: Hashable, Sendable, CustomStringConvertible {
    public var place: Place
    /// Empty where a problem concerns the document as a whole.
    public var path: SettingPath
    public var text: String

    public init(place: Place, path: SettingPath, text: String) {
        self.place = place
        self.path = path
        self.text = text
    }

    public var description: String {
        path.isRoot ? "\(place): \(text)" : "\(place): \(path): \(text)"
    }
}

/// Everything that is wrong with a run file, in the order of its lines.
public struct ProblemList: Error, Equatable, Sendable, CustomStringConvertible {
    public let problems: [Problem]

    public init(_ problems: [Problem]) {
        let ranked = problems.enumerated().sorted { a, b in
            let (first, second) = (a.element.place.rank, b.element.place.rank)
            return first == second ? a.offset < b.offset : first < second
        }
        self.problems = ranked.map { $0.element }
    }

    /// One problem per line.
    public var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}
