internal import Exactness

extension TrainingMode {
    /// A bound beyond it is none: there are no runs of so many steps between two validations.
    private static let largestStaleness = 1_000_000
    private static let standardStaleness = 2

    static let variants: Variants<TrainingMode> = Names([
        "exact": { $0.plain(.exact) },
        "fast": { $0.plain(.fast) },
        "ssp": { $0.options { .ssp(staleness: $0.value("staleness", .whole(in: 0...largestStaleness), default: standardStaleness)) } },
        "async": { $0.plain(.async) },
    ])

    var outline: Outline {
        switch self {
        case .exact, .fast, .async: .word(keyword)
        case .ssp(let staleness): .variant(keyword, ["staleness": .whole(staleness)])
        }
    }
}
