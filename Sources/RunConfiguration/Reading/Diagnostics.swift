/// Collects every problem of one reading, and which keys could have been there.
final class Diagnostics {
    private(set) var problems: [Problem] = []
    /// Where everything was written; filled when the tree is complete.
    var sourceMap: SourceMap
    private var unknownKeys: [(entry: Tree.Entry, section: SettingPath, allowed: [String])] = []
    /// The first path that ends in each key.
    private var pathOfKey: [String: SettingPath] = [:]

    init(file: String) {
        sourceMap = SourceMap(file: file)
    }

    func report(_ place: Place, _ path: SettingPath, _ text: String) {
        problems.append(Problem(place: place, path: path, text: text))
    }

    /// Reports a problem with a value that was read, such as one that does not go with another.
    func report(at path: SettingPath, _ text: String) {
        problems.append(sourceMap.problem(at: path, text))
    }

    /// Whether a value could not be read, so that rules about it have nothing to say.
    func hasProblem(atOrAbove path: SettingPath) -> Bool {
        problems.contains { !$0.path.isRoot && path.isAtOrBelow($0.path) }
    }

    func noteAsked(_ key: String, in section: SettingPath) {
        if pathOfKey[key] == nil { pathOfKey[key] = section.key(key) }
    }

    func noteUnknown(_ entry: Tree.Entry, in section: SettingPath, allowed: [String]) {
        unknownKeys.append((entry, section, allowed))
    }

    /// Reports the keys that nobody asked for. Comes last: a key may belong to a section that is read later.
    func reportUnknownKeys() {
        for (entry, section, allowed) in unknownKeys {
            report(entry.keyPlace, section.key(entry.key), unknownKeyText(entry.key, allowed: allowed))
        }
        unknownKeys = []
    }

    private func unknownKeyText(_ key: String, allowed: [String]) -> String {
        if key == "<<" { return "merge keys are not part of YAML 1.2; repeat the keys" }
        let list = allowed.isEmpty ? "unknown key; none are allowed here" : "unknown key; allowed: \(allowed.joined(separator: ", "))"
        if let near = nearestName(to: key, among: allowed) { return "\(list); did you mean \(near)?" }
        return pathOfKey[key].map { "\(list); did you mean \($0)?" } ?? list
    }
}
