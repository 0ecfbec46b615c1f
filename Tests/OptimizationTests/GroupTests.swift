import Foundation
import Kernels
import Testing

@testable import Optimization

@Suite struct GroupTests {
    /// Float arithmetic over 20 steps against double, relative to the largest weight.
    private static let tolerance: Float = 1e-5

    @Test(arguments: OracleFiles.cases("groups_and_clipping", GroupCase.self))
    func groupsAndTheNormOfAllOfThemFollowPyTorch(_ oracle: GroupCase) throws {
        let (a, b) = (try #require(oracle.groups["a"]), try #require(oracle.groups["b"]))
        let segments = [
            UpdateSegment(range: 0..<oracle.a0.count, isRegularized: true, name: "a"),
            UpdateSegment(range: oracle.a0.count..<oracle.a0.count + oracle.b0.count, isRegularized: false, name: "b"),
        ]
        let optimizer = try Optimizer(
            rule: a.rule, treatment: GradientTreatment(clipNorm: oracle.clipGlobalNorm, l2: a.weightDecay ?? 0),
            groups: [ParameterGroup(match: "b", rule: b.rule, l2: b.weightDecay ?? 0)], weights: FloatBlock(oracle.a0 + oracle.b0),
            segments: segments)
        for (index, step) in oracle.steps.enumerated() {
            for (element, value) in (step.gradientA + step.gradientB).enumerated() { optimizer.gradient.mutableView[element] = value }
            try optimizer.step()
            let norm = try #require(optimizer.gradientNorm)
            #expect(abs(norm - step.norm) <= 1e-5 * step.norm, "step \(index + 1)")
            for (ours, theirs) in zip([segments[0], segments[1]].map { optimizer.weights.values[$0.range] }, [step.a, step.b]) {
                let largest = theirs.map(\.magnitude).max() ?? 0
                let difference = zip(ours, theirs).map { ($0 - $1).magnitude }.max() ?? 0
                #expect(difference <= Self.tolerance * largest, "step \(index + 1)")
            }
        }
    }

    // MARK: Who belongs where

    private static let names = ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias", "layers.head.weight"]
    private static let segments = names.enumerated().map { index, name in
        UpdateSegment(range: index * 2..<index * 2 + 2, isRegularized: !name.hasSuffix("bias"), name: name)
    }
    private static let start: [Float] = [1, -2, 3, -4, 5, -6, 7, -8, 9, -10]

    private func optimizer(
        _ rule: RuleSpecification, _ treatment: GradientTreatment = GradientTreatment(), _ groups: [ParameterGroup]
    ) throws -> Optimizer {
        let optimizer = try Optimizer(
            rule: rule, treatment: treatment, groups: groups, weights: FloatBlock(Self.start), segments: Self.segments)
        optimizer.gradient.mutableView.fill(1)
        return optimizer
    }

    @Test func theFirstGroupThatMatchesWinsAndTheRestIsInherited() throws {
        let optimizer = try optimizer(
            .sgd(learningRate: 1), GradientTreatment(l2: 0.5),
            [
                ParameterGroup(match: "layers.1.bias", rule: .sgd(learningRate: 0.5)),
                ParameterGroup(match: "layers.1.*", rule: .sgd(learningRate: 0.25), l2: 0),
                ParameterGroup(match: "layers.*.bias", l2: 1),
            ])
        try optimizer.step()
        // Everybody's w − (1 + w/2); the third group's bias w − (1 + w); the second's w − ¼; the first's w − ½, as a bias inherits no l2.
        let expected: [Float] = [-0.5, -2, -1, -1, 4.75, -6.25, 6.5, -8.5, 3.5, -6]
        #expect(optimizer.weights.values == expected)
    }

    @Test func thePenaltyHasEachGroupsOwnCoefficients() throws {
        let treatment = GradientTreatment(l2: 0.5, l1: 1)
        let groups = [ParameterGroup(match: "*.0.bias", l2: 1), ParameterGroup(match: "*.head.*", isFrozen: true)]
        let optimizer = try optimizer(.sgd(learningRate: 1), treatment, groups)
        let (squares, sizes): (Double, Double) = (1 + 4 + 25 + 36, 1 + 2 + 5 + 6)
        let bias: Double = 9 + 16
        #expect(optimizer.penalty == 0.25 * squares + sizes + 0.5 * bias)
    }

    @Test func frozenParametersKeepWeightsAndSlotsAndHaveNoGradient() throws {
        let optimizer = try optimizer(
            .momentum(learningRate: 1), GradientTreatment(clipNorm: 1, l2: 1),
            [
                ParameterGroup(match: "layers.0.*", isFrozen: true)
            ])
        for _ in 0..<3 {
            optimizer.gradient.mutableView[0] = .nan
            optimizer.gradient.mutableView[3] = 1e30
            try optimizer.step()
        }
        #expect(Array(optimizer.weights.values[..<4]) == Array(Self.start[..<4]))
        #expect(optimizer.slots.allSatisfy { Array($0.values[..<4]) == [0, 0, 0, 0] })
        #expect(optimizer.gradientNorm == 6.0.squareRoot())
        #expect(zip(optimizer.weights.values, Self.start).dropFirst(4).allSatisfy { $0 != $1 })
    }

    @Test func adamWDecaysBiasesOnlyWhereAGroupSaysSo() throws {
        let rule = RuleSpecification.adamw(learningRate: 0.5, weightDecay: 0.5)
        let optimizer = try optimizer(
            rule, GradientTreatment(),
            [
                ParameterGroup(match: "layers.0.*", rule: rule, setsWeightDecay: true),
                ParameterGroup(match: "layers.1.weight", rule: .adamw(learningRate: 0.5, weightDecay: 0)),
            ])
        optimizer.gradient.mutableView.fill(0)
        try optimizer.step()
        #expect(optimizer.weights.values == [0.75, -1.5, 2.25, -3, 5, -6, 7, -8, 6.75, -7.5])
    }

    /// Each group's steps are those of a net that has nothing else; slots of others stay 0.
    @Test(
        arguments: [
            [.rmsprop(learningRate: 0.1), .rmsprop(learningRate: 0.2, centered: true), .rmsprop(learningRate: 0.3, momentum: 0.9)],
            [.adam(), .adam(amsgrad: true), .adam(learningRate: 0.1, beta1: 0.5)],
            [
                .momentum(learningRate: 0.1), .momentum(learningRate: 0.1, dampening: 0.5),
                .momentum(learningRate: 0.1, momentum: 0.5, nesterov: true),
            ],
            [.adagrad(learningRate: 0.1), .adagrad(learningRate: 0.1, initialAccumulator: 0.5), .adagrad(learningRate: 0.1, rateDecay: 1)],
        ] as [[RuleSpecification]])
    func groupsMayDifferInEveryOption(rules: [RuleSpecification]) throws {
        let matches = ["layers.0.*", "layers.1.*", "*"]
        let groups = zip(matches, [rules[1], rules[2], rules[0]]).map { ParameterGroup(match: $0, rule: $1) }
        let joint = try optimizer(rules[0], GradientTreatment(), groups)
        let parts: [(Range<Int>, RuleSpecification)] = [(0..<4, rules[1]), (4..<8, rules[2]), (8..<10, rules[0])]
        let alone = try parts.map { try Optimizer(rule: $1, weights: FloatBlock(Array(Self.start[$0]))) }
        for step in 0..<4 {
            let gradient = TestNumbers.array(10, seed: UInt32(step))
            for (index, value) in gradient.enumerated() { joint.gradient.mutableView[index] = value }
            try joint.step()
            for (optimizer, (range, _)) in zip(alone, parts) {
                for (index, value) in gradient[range].enumerated() { optimizer.gradient.mutableView[index] = value }
                try optimizer.step()
            }
        }
        #expect(joint.weights.values == alone.flatMap(\.weights.values))
        for (optimizer, (range, rule)) in zip(alone, parts) {
            for (slot, name) in joint.slotNames.enumerated() {
                let own = rule.slotNames.firstIndex(of: name).map { optimizer.slots[$0].values }
                #expect(Array(joint.slots[slot].values[range]) == own ?? Array(repeating: 0, count: range.count))
            }
        }
    }

    @Test func ratesOfGroupsFollowTheSchedule() throws {
        let schedule = LearningRateSchedule(base: 0.5, specification: .step(stepSize: 1, gamma: 0.5))
        let optimizer = try Optimizer(
            rule: .sgd(learningRate: 0.5), groups: [ParameterGroup(match: "layers.0.*", rule: .sgd(learningRate: 2))], schedule: schedule,
            weights: FloatBlock(Self.start), segments: Self.segments)
        optimizer.gradient.mutableView.fill(1)
        for _ in 0..<3 { try optimizer.step() }
        #expect(optimizer.weights.values[0] == 1 - 2 - 1 - 0.5)
        #expect(optimizer.weights.values[4] == 5 - 0.5 - 0.25 - 0.125)
        #expect(optimizer.learningRate == 0.0625)
    }

    @Test func aPlateauLowersTheOptimizersRate() throws {
        let schedule = LearningRateSchedule(base: 0.5, specification: .reduceOnPlateau(factor: 0.5, patience: 0))
        let optimizer = try Optimizer(rule: .sgd(learningRate: 0.5), schedule: schedule, weights: FloatBlock([1]))
        try optimizer.step()
        #expect(!optimizer.observe(validationLoss: 1))
        #expect(optimizer.observe(validationLoss: 1))
        #expect(optimizer.learningRate == 0.25)
        try optimizer.step()
        #expect(optimizer.learningRate == 0.25)
    }

    // MARK: What is refused

    @Test func whatIsWrongWithAGroupIsNamed() {
        let cases: [(RuleSpecification, [ParameterGroup], OptimizationError)] = [
            (.adam(), [.init(match: "layers.7.*")], .unmatchedPattern(group: 0, "layers.7.*", names: Self.names)),
            (.adam(), [.init(match: "*"), .init(match: "")], .unmatchedPattern(group: 1, "", names: Self.names)),
            (.adam(), [.init(match: "*.weight", isFrozen: true), .init(match: "*", isFrozen: true)], .everythingFrozen),
            (
                .adamw(), [.init(match: "*"), .init(match: "*", l2: 1)],
                .groupOption(1, "l2", problem: "adamw decays weights itself: use its weight_decay, or rule adam with l2")
            ),
            (
                .adam(), [.init(match: "*", rule: .sgd(learningRate: 1))],
                .groupOption(0, "rule", problem: "must be adam, the optimizer's rule, got sgd")
            ),
            (
                .adam(), [.init(match: "[a")],
                .groupOption(0, "match", problem: "\"[a\" has a [ without its ], or a range that is upside down")
            ),
            (
                .adam(), [.init(match: "*", maxNorm: .length(0))],
                .groupOption(0, "max_norm", problem: "must be a positive number, got 0.0")
            ),
        ]
        for (rule, groups, expected) in cases {
            #expect(throws: expected) { try optimizer(rule, GradientTreatment(), groups) }
        }
    }

    @Test(arguments: [
        ("layers.1.*", "layers.1.weight", true), ("layers.1.*", "layers.10.weight", false), ("*", "anything", true),
        ("*.weight", "layers.3.layers.0.weight", true), ("layers.?.bias", "layers.12.bias", false),
        ("layers.?.bias", "layers.2.bias", true),
        ("layers.[0-3].*", "layers.2.bias", true), ("layers.[!0-3].*", "layers.2.bias", false), ("layers.[!0-3].*", "layers.4.b", true),
        ("layers.[]x].*", "layers.].b", true), ("a*b*c", "aXbXbc", true), ("a*b*c", "aXbXbd", false),
        ("layers.1", "layers.1.weight", false),
        ("", "a", false), ("**", "", true), ("layers.head.*", "layers.head.weight", true), ("LAYERS.*", "layers.1.b", false),
    ])
    func patternsAreGlobs(pattern: String, name: String, isMatch: Bool) throws {
        #expect(try #require(GlobPattern(pattern)).matches(name) == isMatch)
    }

    @Test func manyStarsTakeNoLongerThanOne() throws {
        let pattern = try #require(GlobPattern(String(repeating: "*a", count: 40) + "b"))
        #expect(!pattern.matches(String(repeating: "a", count: 2_000)))
    }
}

/// A case of `groups_and_clipping.json`: momentum with two groups.
struct GroupCase: Decodable, Sendable {
    struct Group: Decodable, Sendable {
        let lr: Double
        let momentum: Double?
        let weightDecay: Double?

        private enum CodingKeys: String, CodingKey {
            case lr, momentum
            case weightDecay = "weight_decay"
        }

        var rule: RuleSpecification { .momentum(learningRate: lr, momentum: momentum ?? 0) }
    }

    struct Step: Decodable, Sendable {
        let gradientA: [Float]
        let gradientB: [Float]
        let norm: Double
        let a: [Float]
        let b: [Float]

        private enum CodingKeys: String, CodingKey {
            case a, b
            case gradientA = "gradient_a"
            case gradientB = "gradient_b"
            case norm = "norm_before_clip"
        }
    }

    let groups: [String: Group]
    let clipGlobalNorm: Double?
    let a0: [Float]
    let b0: [Float]
    let steps: [Step]

    private enum CodingKeys: String, CodingKey {
        case groups, a0, b0, steps
        case clipGlobalNorm = "clip_global_norm"
    }
}
