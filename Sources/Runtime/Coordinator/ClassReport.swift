internal import Training
internal import Wire

/// Which classes were taken for which, of one part of the data, and what follows for each of them.
struct ClassReport: Equatable {
    /// Rows by truth, columns by what was found.
    var confusion: [[Int]]
    var classes: [String: Figures]

    struct Figures: Codable, Equatable {
        /// Share of the rows taken for this class that belong to it; nil where none were.
        var precision: Double?
        /// Share of the rows of this class that were found; nil where there are none.
        var recall: Double?
        /// Rows of this class.
        var support: Int
    }

    /// - Parameters:
    ///   - counts: nil or empty gives nil.
    ///   - names: of the data's classes; a net may have more outputs.
    init?(_ counts: [ConfusionCount], classCount: Int?, names: [String]) {
        guard let classCount, !counts.isEmpty else { return nil }
        confusion = Array(repeating: Array(repeating: 0, count: classCount), count: classCount)
        for pair in counts { confusion[Int(pair.truth)][Int(pair.found)] = Int(pair.count) }
        classes = [:]
        for index in 0..<classCount {
            let support = confusion[index].reduce(0, +), taken = confusion.reduce(0) { $0 + $1[index] }
            let hits = Double(confusion[index][index])
            classes[index < names.count ? names[index] : "output \(index)"] = Figures(
                precision: taken > 0 ? hits / Double(taken) : nil, recall: support > 0 ? hits / Double(support) : nil, support: support)
        }
    }
}

extension ClassReport.Figures {
    private enum CodingKeys: String, CodingKey {
        case precision, recall, support
    }

    /// Every key is always there.
    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(precision, forKey: .precision)
        try values.encode(recall, forKey: .recall)
        try values.encode(support, forKey: .support)
    }
}
