/// The way from the top of a run file to a value, written `model.layers[3].dropout.rate`.
public struct SettingPath: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    public enum Step: Hashable, Sendable {
        case key(String)
        case index(Int)
    }

    public var steps: [Step]

    public init(_ steps: [Step] = []) {
        self.steps = steps
    }

    /// Reads `model.layers[3].dropout.rate`; `model.layers.3.dropout.rate` means the same. nil where a step is empty or a bracket is open.
    public init?(parsing text: String) {
        var steps: [Step] = []
        for part in text.split(separator: ".", omittingEmptySubsequences: false) {
            var pieces = part.split(separator: "[", omittingEmptySubsequences: false)
            let head = String(pieces.removeFirst())
            if head.isEmpty { return nil }
            steps.append(Self.index(head).map(Step.index) ?? .key(head))
            for piece in pieces {
                guard piece.last == "]", let index = Self.index(piece.dropLast()) else { return nil }
                steps.append(.index(index))
            }
        }
        self.steps = steps
    }

    /// A path that is known when the program is written.
    public init(stringLiteral value: String) {
        guard let path = SettingPath(parsing: value) else { preconditionFailure("not a key path: \(value)") }
        self = path
    }

    public var isRoot: Bool { steps.isEmpty }

    public var parent: SettingPath { SettingPath(Array(steps.dropLast())) }

    public func key(_ name: String) -> SettingPath { SettingPath(steps + [.key(name)]) }

    public func index(_ index: Int) -> SettingPath { SettingPath(steps + [.index(index)]) }

    public var description: String {
        var text = ""
        for step in steps {
            switch step {
            case .key(let name): text += (text.isEmpty ? "" : ".") + Scalar.shown(key: name)
            case .index(let index): text += "[\(index)]"
            }
        }
        return text
    }

    func isAtOrBelow(_ ancestor: SettingPath) -> Bool { steps.starts(with: ancestor.steps) }

    private static func index(_ text: some StringProtocol) -> Int? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text) : nil
    }
}
