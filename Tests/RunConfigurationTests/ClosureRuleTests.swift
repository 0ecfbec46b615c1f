import Optimization
import Testing

@testable import RunConfiguration

@Suite struct ClosureRuleTests {
    @Test func defaultsAreThoseOfTheTable() throws {
        let lbfgs = LBFGSOptions(
            learningRate: 1, history: 10, lineSearch: .strongWolfe,
            limits: ClosureLimits(maxEvaluations: 25, toleranceGradient: 1e-7, toleranceChange: 1e-9, isFullPass: true))
        #expect(try RunFile("optimizer: {rule: lbfgs}").load().optimizer.rule == .lbfgs(lbfgs))
        #expect(
            try RunFile("optimizer: {rule: conjugate_gradient}").load().optimizer.rule
                == .conjugateGradient(ConjugateGradientOptions(restart: .automatic, limits: lbfgs.limits)))
    }

    @Test func everyKeyIsRead() throws {
        let text = """
            optimizer:
              rule:
                lbfgs:
                  learning_rate: 0.5
                  history: 4
                  max_evaluations: 60
                  tolerance_gradient: 1e-5
                  tolerance_change: 0
                  line_search: none
                  full_pass: false
            """
        let limits = ClosureLimits(maxEvaluations: 60, toleranceGradient: 1e-5, toleranceChange: 0, isFullPass: false)
        #expect(
            try RunFile(text).load().optimizer.rule
                == .lbfgs(LBFGSOptions(learningRate: 0.5, history: 4, lineSearch: .none, limits: limits)))
        let other = "optimizer: {rule: {conjugate_gradient: {restart: 20, max_evaluations: 9}}}"
        #expect(
            try RunFile(other).load().optimizer.rule
                == .conjugateGradient(ConjugateGradientOptions(restart: .every(20), limits: ClosureLimits(maxEvaluations: 9))))
    }

    @Test(arguments: ["lbfgs", "{lbfgs: {history: 3, line_search: none}}", "conjugate_gradient", "{conjugate_gradient: {restart: 7}}"])
    func theEffectiveFileReadsBackAsTheSame(rule: String) throws {
        let configuration = try RunFile("optimizer: {rule: \(rule)}").load()
        let again = try RunFile.load(configuration.effectiveYAML)
        #expect(again.optimizer == configuration.optimizer)
        #expect(again.bitRelevantCanonical == configuration.bitRelevantCanonical)
    }

    @Test func everyKeyIsBitRelevant() throws {
        let keys = try RunFile("optimizer: {rule: lbfgs}").load().bitRelevantKeys.map(\.key).filter { $0.hasPrefix("optimizer.rule") }
        let names = ["learning_rate", "history", "max_evaluations", "tolerance_gradient", "tolerance_change", "line_search", "full_pass"]
        #expect(keys == names.map { "optimizer.rule.lbfgs.\($0)" })
    }

    @Test(arguments: [
        ("history: 0", "optimizer.rule.lbfgs.history: must be a whole number in 1…1000, got 0"),
        ("max_evaluations: 1", "optimizer.rule.lbfgs.max_evaluations: must be a whole number in 2…1000000, got 1"),
        ("tolerance_gradient: -1", "optimizer.rule.lbfgs.tolerance_gradient: must be a number ≥ 0, got -1"),
        ("learning_rate: 0", "optimizer.rule.lbfgs.learning_rate: must be a number > 0, got 0"),
        (
            "line_search: wolfe",
            "optimizer.rule.lbfgs.line_search: must be one of strong_wolfe, none, got \"wolfe\""
        ),
        ("full_pass: 1", "optimizer.rule.lbfgs.full_pass: must be true or false, got 1; did you mean true?"),
    ])
    func whatIsOutsideItsRangeIsNamed(option: String, problem: String) throws {
        let found = problems(in: RunFile("optimizer: {rule: {lbfgs: {\(option)}}}").text)
        #expect(found.count == 1)
        #expect(found.first?.contains(problem) == true, "\(found)")
    }

    @Test func keysOfOtherRulesAreUnknown() {
        let found = problems(in: RunFile("optimizer: {rule: {conjugate_gradient: {learning_rate: 1}}}").text)
        #expect(found.first?.contains("optimizer.rule.conjugate_gradient.learning_rate: unknown key") == true, "\(found)")
    }

    @Test(arguments: ["lbfgs", "conjugate_gradient"])
    func whatDoesNotGoWithASearchIsRefused(rule: String) {
        let text = """
            optimizer:
              rule: \(rule)
              schedule: {exponential: {gamma: 0.9}}
              warmup_steps: 5
              clip: {global_norm: 5}
              groups: [{match: "*", max_norm: 2}]
            regularization: {max_norm: 3}
            training: {non_finite: skip}
            """
        let found = problems(in: RunFile(text).text)
        for (key, reason) in [
            ("optimizer.schedule", "its search finds the length of every step; only constant is allowed"),
            ("optimizer.warmup_steps", "its search finds the length of every step; only 0 is allowed"),
            ("optimizer.clip", "its search needs the gradient of the loss as it is; only none is allowed"),
            ("regularization.max_norm", "weights that are scaled back leave the line it searches; only none is allowed"),
            ("optimizer.groups[0].max_norm", "weights that are scaled back leave the line it searches; only none is allowed"),
            ("training.non_finite", "a step that is left out would come again as it was; only stop is allowed"),
        ] {
            #expect(found.contains { $0.contains("\(key): does not go with rule \(rule): \(reason)") }, "\(key) in \(found)")
        }
        #expect(found.count == 6)
    }

    @Test func whatChangesNothingIsAllowedBesideASearch() throws {
        let text = """
            optimizer: {rule: lbfgs, schedule: constant, warmup_steps: 0, clip: none, groups: [{match: "*.bias", l2: 1, frozen: true}]}
            regularization: {l1: 0.1, l2: 0.2, max_norm: none}
            training: {mode: exact, non_finite: stop}
            """
        #expect(try RunFile(text).load().optimizer.groups.count == 1)
    }

    @Test func aGroupHasNoRateOfItsOwn() {
        let found = problems(in: RunFile("optimizer: {rule: lbfgs, groups: [{match: \"*\", learning_rate: 0.1}]}").text)
        #expect(found.first?.contains("optimizer.groups[0].learning_rate: unknown key") == true, "\(found)")
    }
}
