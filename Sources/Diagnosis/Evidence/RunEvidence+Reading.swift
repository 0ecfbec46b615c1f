public import Foundation

extension RunEvidence {
    /// Reads the files of a run folder. A line that a killed run left half written at the end of the history is no error.
    /// - Parameters:
    ///   - settings: the text of `run.yaml`.
    ///   - history: `history.jsonl`; nil where there is none.
    ///   - result: `result.json`; nil where there is none.
    public init(settings: String, history: Data?, result: Data?) throws(EvidenceError) {
        self.settings = try RunSettings(yaml: settings)
        self.history = try Self.lines(history ?? Data())
        do {
            self.result = try result.map { try JSONDecoder().decode(RunOutcome.self, from: $0) }
        } catch {
            throw .unreadable("result.json", reason: Self.text(error))
        }
    }

    private static func lines(_ data: Data) throws(EvidenceError) -> [HistoryEntry] {
        let lines = data.split(separator: UInt8(ascii: "\n"))
        var entries: [HistoryEntry] = []
        for (index, line) in lines.enumerated() {
            do {
                entries.append(try JSONDecoder().decode(HistoryEntry.self, from: line))
            } catch {
                if index == lines.count - 1, data.last != UInt8(ascii: "\n") { break }
                throw .unreadable("history.jsonl:\(index + 1)", reason: text(error))
            }
        }
        return entries
    }

    private static func text(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return error.localizedDescription }
        func place(_ path: [any CodingKey]) -> String { path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".") }
        switch error {
        case .keyNotFound(let key, let context):
            return "the key \(place(context.codingPath + [key])) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "\(place(context.codingPath)): \(context.debugDescription)"
        case .dataCorrupted(let context): return context.debugDescription
        @unknown default: return "\(error)"
        }
    }
}

/// What a run folder holds is not what a run writes.
public enum EvidenceError: Error, Equatable, CustomStringConvertible {
    case unreadable(String, reason: String)

    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file): \(reason)"
        }
    }
}
