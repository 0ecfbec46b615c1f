import Optimization
import RunConfiguration
import Testing

/// `optimizer` and `regularization`: what is read, and what is said of what cannot be.
@Suite struct OptimizerSettingsTests {
    private func optimizer(_ fragment: String) throws -> OptimizerSettings {
        try RunFile(fragment).load().optimizer
    }

    @Test(
        arguments: [
            ("sgd: {learning_rate: 0.5}", .sgd(learningRate: 0.5)), ("momentum: {learning_rate: 0.5}", .momentum(learningRate: 0.5)),
            ("adagrad: {learning_rate: 0.5}", .adagrad(learningRate: 0.5, rateDecay: 0, initialAccumulator: 0, epsilon: 1e-10)),
            ("rmsprop: {learning_rate: 0.5}", .rmsprop(learningRate: 0.5, alpha: 0.99, epsilon: 1e-8, centered: false, momentum: 0)),
            ("adam: {}", .adam(learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, amsgrad: false)),
            ("adamw: {}", .adamw(learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, amsgrad: false, weightDecay: 0.01)),
            ("adamax: {}", .adamax(learningRate: 2e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8)),
            ("nadam: {}", .nadam(learningRate: 2e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, momentumDecay: 4e-3)),
            ("radam: {}", .radam(learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8)),
            ("adadelta: {}", .adadelta(learningRate: 1, rho: 0.9, epsilon: 1e-6)),
        ] as [(String, RuleSpecification)])
    func rulesHaveTheirDefaults(text: String, rule: RuleSpecification) throws {
        #expect(try optimizer("optimizer: {rule: {\(text)}}").rule == rule)
    }

    @Test(
        arguments: [
            ("constant", .constant), ("{step: {step_size: 3}}", .step(stepSize: 3, gamma: 0.1)),
            ("{exponential: {gamma: 0.5}}", .exponential(gamma: 0.5)), ("cosine", .cosine(steps: nil, minRate: 0)),
            ("{cosine: {steps: 25, min_lr: 0.0001}}", .cosine(steps: 25, minRate: 0.0001)),
            ("polynomial", .polynomial(steps: nil, power: 1)),
            ("{one_cycle: {max_lr: 0.5}}", .oneCycle(maxRate: 0.5, totalSteps: nil)),
            ("reduce_on_plateau", .reduceOnPlateau(factor: 0.1, patience: 5, minDelta: 0, minRate: 0)),
        ] as [(String, ScheduleSpecification)])
    func schedulesHaveTheirDefaults(text: String, schedule: ScheduleSpecification) throws {
        #expect(try optimizer("optimizer: {rule: adam, schedule: \(text)}").schedule == schedule)
    }

    @Test func groupsInheritWhatTheyDoNotSay() throws {
        let groups = try optimizer(
            """
            optimizer:
              rule: {adamw: {learning_rate: 0.5, epsilon: 1e-3}}
              groups:
                - {match: "layers.1.*", learning_rate: 0.25}
                - {match: "layers.*", weight_decay: 0.01}
                - {match: "*", l1: 0, max_norm: none, frozen: true}
            """
        ).groups
        #expect(
            groups == [
                ParameterGroup(match: "layers.1.*", rule: .adamw(learningRate: 0.25, epsilon: 1e-3)),
                ParameterGroup(match: "layers.*", setsWeightDecay: true),
                ParameterGroup(match: "*", l1: 0, maxNorm: ParameterGroup.RowLimit.none, isFrozen: true),
            ])
    }

    @Test(arguments: problemCases)
    func whatCannotBeReadIsReportedWithItsPlace(_ example: Case) {
        #expect(problems(in: RunFile(example.fragment).text) == example.expected)
    }

    static let problemCases = [
        Case(
            """
            optimizer:
              rule: {adagrad: {rate_decay: -1}}
            """,
            "run.yaml:7:10: optimizer.rule.adagrad.learning_rate: is required: a number > 0",
            "run.yaml:7:32: optimizer.rule.adagrad.rate_decay: must be a number ≥ 0, got -1"),
        Case(
            """
            optimizer:
              rule: {radam: {betas: [0.9, 0.5]}}
            """,
            "run.yaml:7:18: optimizer.rule.radam.betas: the second must be > 0.6, where radam's variance is defined, got 0.5"),
        Case(
            """
            optimizer:
              rule: adam
              schedule: {step: {gamma: 2}}
              clip: {global_norm: 0}
            """,
            "run.yaml:8:14: optimizer.schedule.step.step_size: is required: a whole number in 1…1099511627776",
            "run.yaml:8:28: optimizer.schedule.step.gamma: must be a number > 0 and ≤ 1, got 2",
            "run.yaml:9:23: optimizer.clip.global_norm: must be a number > 0, got 0"),
        Case(
            """
            optimizer:
              rule: adam
              groups:
                - {learning_rate: 0}
                - {match: 3, frozen: yes, momentum: 0.9}
                - {match: "layers.[0.*", max_norm: 0}
                - all
            """,
            "run.yaml:9:7: optimizer.groups[0].match: is required: a pattern over parameter names such as \"layers.1.*\"",
            "run.yaml:9:23: optimizer.groups[0].learning_rate: must be a number > 0, got 0",
            """
            run.yaml:10:15: optimizer.groups[1].match: must be a pattern over parameter names such as "layers.1.*", got 3; \
            to have it as text, write "3" with the quotes
            """,
            #"run.yaml:10:26: optimizer.groups[1].frozen: must be true or false, got the text "yes"; did you mean true?"#,
            """
            run.yaml:10:31: optimizer.groups[1].momentum: unknown key; allowed: match, learning_rate, betas, epsilon, amsgrad, \
            l1, l2, max_norm, frozen
            """,
            """
            run.yaml:11:15: optimizer.groups[2].match: must be a pattern over parameter names such as "layers.1.*", got the \
            text "layers.[0.*"; a [ needs its ], and a range goes upwards
            """,
            "run.yaml:11:40: optimizer.groups[2].max_norm: must be a number > 0 or none, got 0",
            #"run.yaml:12:7: optimizer.groups[3]: must be a map of keys, got the text "all""#),
        Case(
            """
            optimizer:
              rule: {momentum: {learning_rate: 1, nesterov: true}}
              groups: [{match: a, dampening: 0.5}]
            """,
            "run.yaml:8:12: optimizer.groups[0].nesterov: needs momentum > 0 and dampening 0"),
        Case(
            """
            optimizer: {rule: adamw, groups: [{match: a, l2: 1}]}
            regularization: {l2: 0.1}
            """,
            "run.yaml:6:50: optimizer.groups[0].l2: adamw decays weights itself: use its weight_decay, or rule adam with l2",
            "run.yaml:7:22: regularization.l2: adamw decays weights itself: use its weight_decay, or rule adam with l2"),
        Case(
            """
            data: {train: {builtin: digits}, validation: none}
            optimizer:
              rule: adam
              schedule: {reduce_on_plateau: {patience: 2}}
            """,
            "run.yaml:7:3: optimizer.schedule: reduce_on_plateau needs validation rows, but data.validation is none"),
    ]
}
