/// What paths in a run file are relative to, and where `${NAME}` comes from.
struct PathContext {
    let folder: String
    let environment: [String: String]

    /// A file's path; relative ones are completed with the folder of the run file.
    var path: ValueKind<String> {
        let text = ValueKind<String>.text("a path")
        return ValueKind("a path") { tree throws(ValueKind<String>.Mismatch) in
            let written = try text.read(tree)
            let expanded = try expand(written)
            if expanded.isEmpty { throw .unexpected }
            if expanded.hasPrefix("/") { return expanded }
            if expanded == "~" || expanded.hasPrefix("~/") { throw .other("~ is not expanded; write ${HOME}") }
            return folder.hasSuffix("/") ? folder + expanded : folder + "/" + expanded
        }
    }

    private func expand(_ text: String) throws(ValueKind<String>.Mismatch) -> String {
        if text.unicodeScalars.contains("\0") { throw .other("a path cannot contain the character NUL") }
        var result = ""
        var rest = Substring(text)
        while let dollar = rest.range(ofText: "${") {
            result += rest[..<dollar.lowerBound]
            rest = rest[dollar.upperBound...]
            guard let end = rest.firstIndex(of: "}") else { throw .other("${ has no closing }") }
            let name = String(rest[..<end])
            rest = rest[rest.index(after: end)...]
            guard Self.isVariableName(name) else {
                throw .other("${\(name)} is not the name of an environment variable: letters, digits and _")
            }
            guard let value = environment[name] else { throw .other("the environment variable \(name) is not set") }
            // The expanded path is written into the run folder's copy, where it would be expanded again.
            if value.contains("${") { throw .other("the environment variable \(name) itself contains ${") }
            result += value
        }
        result += rest
        if result.contains("${") { throw .other("${…} cannot be put together from several variables") }
        return result
    }

    private static func isVariableName(_ name: String) -> Bool {
        let isLetter = { (c: Character) in c.isASCII && (c.isLetter || c == "_") }
        guard let first = name.first, isLetter(first) else { return false }
        return name.allSatisfy { isLetter($0) || ($0.isASCII && $0.isNumber) }
    }
}

extension Substring {
    fileprivate func range(ofText text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
