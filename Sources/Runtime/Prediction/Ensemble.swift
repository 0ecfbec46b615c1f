internal import Datasets

/// Several nets that answer as one.
struct Ensemble {
    private let members: [Predictor]
    private let combination: PredictCommand.Combination
    let answer: SavedModel.Answer

    init(_ members: [Predictor], _ combination: PredictCommand.Combination) throws(EnsembleError) {
        let first = members[0].model
        for member in members.dropFirst() {
            let other = member.model
            switch (first.answer, other.answer) {
            case (.value, .value): continue
            case (.classes(let names), .classes(let others)) where names == others: continue
            case (.classes(let names), .classes(let others)) where names.count != others.count:
                throw .classCounts(first.path, names.count, other.path, others.count)
            case (.classes(let names), .classes(let others)):
                let index = names.indices.first { names[$0] != others[$0] } ?? 0
                throw .classNames(first.path, names[index], other.path, others[index])
            default: throw .tasks(first.path, other.path)
            }
        }
        if first.answer == .value, combination == .vote { throw .votingValues }
        self.members = members
        self.combination = combination
        answer = first.answer
    }

    func answers(for block: Range<Int>) -> Predictor.Answers {
        guard members.count > 1 else { return members[0].answers(for: block) }
        let width = members[0].width
        var means = [Double](repeating: 0, count: block.count * width)
        var votes = means
        for member in members {
            let answers = member.answers(for: block)
            for (index, value) in answers.values.enumerated() { means[index] += value }
            for (row, choice) in answers.choices.enumerated() { votes[row * width + choice] += 1 }
        }
        let count = Double(members.count)
        for index in means.indices {
            means[index] /= count
            votes[index] /= count
        }
        guard answer != .value else { return Predictor.Answers(values: means, choices: []) }
        switch combination {
        case .mean: return Predictor.Answers(values: means, choices: largest(means, width: width))
        case .vote:
            // A vote weighs more than any probability: that decides between equal numbers of votes.
            let ranks = zip(votes, means).map { ($0 * count).rounded() * 2 + $1 }
            return Predictor.Answers(values: votes, choices: largest(ranks, width: width))
        }
    }
}

/// Why nets can't answer together: exit code 2.
enum EnsembleError: Error, CustomStringConvertible {
    case classCounts(String, Int, String, Int)
    case classNames(String, String, String, String)
    case tasks(String, String)
    case votingValues

    var description: String {
        switch self {
        case .classCounts(let first, let count, let other, let otherCount):
            "\(first) tells \(count) classes apart, \(other) \(otherCount): nets that are combined need the same classes"
        case .classNames(let first, let name, let other, let otherName):
            "\(first) has a class “\(name)” where \(other) has “\(otherName)”: nets that are combined need the same classes"
        case .tasks(let first, let other):
            "of \(first) and \(other) one gives classes, the other values: they can't be combined"
        case .votingValues:
            "--combine vote is for classes; a regression's values can be averaged: --combine mean"
        }
    }
}
