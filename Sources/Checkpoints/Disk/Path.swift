/// Cuts paths at their last slash.
enum Path {
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func name(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return path }
        return String(path[path.index(after: slash)...])
    }

    /// The hidden name beside a file under which it is written before it gets its own.
    static func partial(of path: String) -> String {
        folder(of: path) + "/." + name(of: path) + partialSuffix
    }

    static let partialSuffix = ".partial"
}
