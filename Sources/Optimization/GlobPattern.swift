/// A pattern over whole names: `*` is any run of characters, dots included, `?` any one, `[abc]`, `[a-z]` and `[!a]` one of a set.
public struct GlobPattern: Equatable, Sendable {
    private enum Piece: Equatable {
        case run
        case any
        case literal(Character)
        case set([ClosedRange<Character>], isNegated: Bool)
    }

    private let pieces: [Piece]

    /// nil where a `[` has no `]` or a range is upside down.
    public init?(_ text: String) {
        var pieces: [Piece] = []
        var rest = Substring(text)
        while let first = rest.popFirst() {
            switch first {
            case "*": if pieces.last != .run { pieces.append(.run) }
            case "?": pieces.append(.any)
            case "[":
                guard let set = Self.set(&rest) else { return nil }
                pieces.append(set)
            default: pieces.append(.literal(first))
            }
        }
        self.pieces = pieces
    }

    /// What follows a `[`, up to and with its `]`; one that comes first is meant itself.
    private static func set(_ rest: inout Substring) -> Piece? {
        let isNegated = rest.first == "!"
        if isNegated { rest.removeFirst() }
        var ranges: [ClosedRange<Character>] = []
        while let first = rest.popFirst() {
            if first == "]", !ranges.isEmpty { return .set(ranges, isNegated: isNegated) }
            var last = first
            if rest.first == "-", let end = rest.dropFirst().first, end != "]" {
                rest.removeFirst(2)
                last = end
            }
            guard first <= last else { return nil }
            ranges.append(first...last)
        }
        return nil
    }

    public func matches(_ name: String) -> Bool {
        let name = Array(name)
        var (piece, character) = (0, 0)
        // Where the last run stands, and how much of the name it has taken: only that one ever needs to take more.
        var lastRun: (piece: Int, character: Int)?
        while character < name.count {
            if piece < pieces.count, pieces[piece] == .run {
                lastRun = (piece, character)
                piece += 1
            } else if piece < pieces.count, Self.fits(pieces[piece], name[character]) {
                piece += 1
                character += 1
            } else if let run = lastRun {
                lastRun = (run.piece, run.character + 1)
                (piece, character) = (run.piece + 1, run.character + 1)
            } else {
                return false
            }
        }
        return pieces[piece...].allSatisfy { $0 == .run }
    }

    private static func fits(_ piece: Piece, _ character: Character) -> Bool {
        switch piece {
        case .run, .any: true
        case .literal(let wanted): wanted == character
        case .set(let ranges, let isNegated): ranges.contains { $0.contains(character) } != isNegated
        }
    }
}
