/// How messages put numbers, lists, and what peers say of themselves.
enum Wording {
    /// Room for a path and two hashes.
    private static let longestQuote = 400
    private static let mostNames = 5

    /// What a peer has sent, without what could move a terminal's cursor or fill its screen.
    static func quoted(_ text: String) -> String {
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(longestQuote) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: shown.append("?")
            default: shown.append(scalar)
            }
        }
        return String(shown) + (text.unicodeScalars.count > longestQuote ? "…" : "")
    }

    static func seconds(_ duration: Duration) -> String {
        let tenths = duration.components.attoseconds / 100_000_000_000_000_000
        return tenths == 0 ? "\(duration.components.seconds) s" : "\(duration.components.seconds).\(tenths) s"
    }

    /// With a place behind the point.
    static func milliseconds(_ duration: Duration) -> String {
        let tenths = duration.components.seconds * 10_000 + duration.components.attoseconds / 100_000_000_000_000
        return "\(tenths / 10).\(tenths % 10) ms"
    }

    /// `shards` ascend: "shard 3", "shards 0–3, 7".
    static func shards(_ shards: [Int]) -> String {
        var runs: [ClosedRange<Int>] = []
        for shard in shards {
            if let last = runs.last, last.upperBound + 1 == shard {
                runs[runs.count - 1] = last.lowerBound...shard
            } else {
                runs.append(shard...shard)
            }
        }
        let texts = runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound)" }
        return "shard\(shards.count == 1 ? "" : "s") " + abridged(texts)
    }

    /// The first few, and how many others there are.
    static func abridged(_ texts: [String]) -> String {
        let rest = texts.count - mostNames
        return texts.prefix(mostNames).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}
