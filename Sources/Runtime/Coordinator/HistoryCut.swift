internal import Foundation

/// What stays of `history.jsonl` when a run goes on from a checkpoint: the validations that its state has seen.
struct HistoryCut: Equatable {
    /// Validations of steps up to this one stay; nil: nothing does.
    var lastJudged: UInt64?

    private struct Line: Decodable {
        private struct Present: Decodable {
            init(from decoder: any Decoder) throws {}
        }

        var step: UInt64
        /// A line without it tells that the run was cut short, which it is no more.
        var isValidation: Bool

        private enum CodingKeys: CodingKey {
            case step, train
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            step = try values.decode(UInt64.self, forKey: .step)
            isValidation = try values.decodeIfPresent(Present.self, forKey: .train) != nil
        }
    }

    /// A line that was cut off by the end of a process goes as well.
    func apply(to history: Data) -> Data {
        guard let lastJudged else { return Data() }
        var kept = Data()
        for text in history.split(separator: 10) {
            guard let line = try? JSONDecoder().decode(Line.self, from: Data(text)) else { continue }
            if line.isValidation, line.step <= lastJudged { kept += text + [10] }
        }
        return kept
    }
}
