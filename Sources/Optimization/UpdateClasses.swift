internal import Kernels

/// What holds for a parameter, groups resolved. Parameters with equal ones share a class.
struct UpdateClass: Equatable {
    /// Without decay of its own where that does not apply.
    var rule: RuleSpecification
    var l1: Double
    var l2: Double
    var maxNorm: Double?
    var isFrozen: Bool
    var slots: SlotMap

    /// The rate, given that of the optimizer's rule.
    func rate(learningRate: Double, base: Double) -> Double {
        // A quotient would cost bits where the rate is not the group's own.
        if rule.learningRate == base || base == 0 { return base == 0 ? rule.learningRate : learningRate }
        return rule.learningRate * (learningRate / base)
    }
}

/// The classes of a net's parameters.
struct UpdateClasses {
    private(set) var classes: [UpdateClass] = []
    /// By segment.
    private(set) var indices: [Int] = []
    /// By segment; nil for those that no group matches.
    private(set) var groups: [Int?] = []
    let slotNames: [String]

    /// Throws what is wrong with a group, or with its pattern.
    init(
        rule: RuleSpecification, treatment: GradientTreatment, groups: [ParameterGroup], segments: [UpdateSegment]
    ) throws(OptimizationError) {
        var patterns: [GlobPattern] = []
        for (index, group) in groups.enumerated() {
            do throws(OptimizationError) { try rule.validate(group) } catch {
                guard case .option(let name, let problem) = error else { throw error }
                throw .groupOption(index, name, problem: problem)
            }
            guard let pattern = GlobPattern(group.match) else {
                throw .groupOption(index, "match", problem: "\"\(group.match)\" has a [ without its ], or a range that is upside down")
            }
            guard segments.contains(where: { pattern.matches($0.name) }) else {
                throw .unmatchedPattern(group: index, group.match, names: segments.map(\.name))
            }
            patterns.append(pattern)
        }
        let rules = [rule] + groups.compactMap(\.rule)
        let names = rule.possibleSlotNames.filter { name in rules.contains { $0.slotNames.contains(name) } }
        slotNames = names
        for segment in segments {
            let match = patterns.firstIndex { $0.matches(segment.name) }
            let group = match.map { groups[$0] }
            self.groups.append(match)
            let chosen = group?.rule ?? rule
            let isRegularized = segment.isRegularized
            let found = UpdateClass(
                rule: isRegularized || group?.setsWeightDecay == true ? chosen : chosen.withoutDecay,
                l1: group?.l1 ?? (isRegularized ? treatment.l1 : 0), l2: group?.l2 ?? (isRegularized ? treatment.l2 : 0),
                maxNorm: group?.maxNorm.map(\.length) ?? treatment.maxNorm, isFrozen: group?.isFrozen ?? false,
                slots: SlotMap(chosen.slotNames.compactMap { names.firstIndex(of: $0) }))
            if let known = classes.firstIndex(of: found) {
                indices.append(known)
            } else {
                indices.append(classes.count)
                classes.append(found)
            }
        }
        if !classes.isEmpty, classes.allSatisfy(\.isFrozen) { throw .everythingFrozen }
    }
}
