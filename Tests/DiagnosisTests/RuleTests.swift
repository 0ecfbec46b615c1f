import Foundation
import Testing

@testable import Diagnosis

/// Every rule of the table with a run that shows it and one that looks alike and does not.
@Suite struct RuleTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var id: Diagnosis.CauseID
        var name: String
        var run: SampleRun

        init(_ id: Diagnosis.CauseID, _ name: String, _ run: SampleRun) {
            (self.id, self.name, self.run) = (id, name, run)
        }

        var testDescription: String { "\(id.rawValue): \(name)" }
    }

    static let notFinite = "step 3: the gradient of layers.1.weight is not finite (NaN or infinity); a smaller learning_rate may help"

    static let narrowWithDropout = SampleRun.unfitted {
        $0.widths = [64, 8, 10]; $0.dropout = 0.5; $0.maskedLoss = 1.6
        $0.losses = [2, 1.6, 1.3, 1.2, 1.1, 1.05, 1.02, 0.99, 0.96]
    }

    static let shown = [
        Case(
            .nonFinite, "NaN at step 3, one line",
            .with {
                $0.losses = []; $0.error = notFinite
            }),
        Case(
            .explodingGradient, "the first loss is wild and gradients are longer than weights",
            .stuck {
                $0.firstLoss = 70_000; $0.gradients = [2e3, 2e3, 2e3]; $0.losses = Array(repeating: 500, count: 9)
            }),
        Case(
            .explodingGradient, "gradients grow towards the input",
            .stuck {
                $0.gradients = [5_000, 50, 0.5]; $0.weights = [900, 900, 900]
            }),
        Case(.explodingGradient, "targets that nobody has scaled", .stuck { $0.gradients = [1e6, 1e6, 1e6] }),
        Case(
            .learningRateTooHigh, "a step's loss far above the first",
            .stuck {
                $0.highestLoss = 1e5; $0.updates = [0, 0, 2e-3]
            }),
        Case(
            .learningRateTooHigh, "NaN after steps that went up",
            .with {
                $0.losses = []; $0.error = notFinite; $0.highestLoss = 1e30; $0.updates = [1, 1, 1]
            }),
        Case(
            .learningRateTooHigh, "NaN after steps of which nobody saw a loss",
            .with {
                $0.losses = []; $0.error = notFinite; $0.updates = [0.6, 1, 1]
            }),
        Case(
            .learningRateTooHigh, "a rate of 10 that fits in the end",
            .with {
                $0.rule = "{sgd: {learning_rate: 10}}"; $0.highestLoss = 25; $0.updates = [0.01, 0.01, 0.01]
            }),
        Case(
            .learningRateTooHigh, "a rate of 10 that has learned much, but not enough",
            .unfitted {
                $0.losses = [2.3, 1.8, 1.6, 1.2, 1, 0.95, 0.9, 0.87, 0.85]; $0.highestLoss = 16; $0.updates = [0.05, 0.05, 0.05]
            }),
        Case(.learningRateTooHigh, "updates as large as weights", .stuck { $0.updates = [0.01, 0.2, 0.01] }),
        Case(
            .learningRateTooHigh, "the loss goes up and down",
            .unfitted {
                $0.losses = [2, 2.5, 1.4, 2.1, 1.2, 1.9, 1.1, 1.8, 1.2]; $0.updates = [0.02, 0.02, 0.02]
            }),
        Case(
            .deadUnits, "a layer is 0 on every row",
            .stuck {
                $0.dead = 1; $0.gradients = [0, 0, 0.1]; $0.updates = [0, 0, 1e-4]
            }),
        Case(
            .deadUnits, "no unit statistics, gradients that stop",
            .stuck {
                $0.gradients = [0, 0, 0.1]; $0.updates = [0, 0, 1e-4]
            }),
        Case(
            .saturatedUnits, "tanh at its ends",
            .stuck {
                $0.activation = "tanh"; $0.saturated = 0.9
            }),
        Case(
            .vanishingGradient, "sigmoids pass nothing down",
            .stuck {
                $0.activation = "sigmoid"; $0.gradients = [1e-7, 1e-3, 0.5]; $0.saturated = 0
            }),
        Case(
            .overRegularised, "dropout 0.9",
            .unfitted {
                $0.dropout = 0.9; $0.maskedLoss = 2.2; $0.firstLoss = 9; $0.highestLoss = 10
            }),
        Case(
            .overRegularised, "dropout 0.9 until the numbers run away",
            .with {
                $0.losses = []; $0.error = notFinite; $0.dropout = 0.9; $0.firstLoss = 2e7; $0.highestLoss = 1e12
            }),
        Case(
            .overRegularised, "dropout 0.9 on a wide net that fits nevertheless",
            .with {
                $0.dropout = 0.9; $0.maskedLoss = 0.3; $0.accuracy = 0.95; $0.heldOut = 0.95; $0.firstLoss = 5
            }),
        Case(
            .overRegularised, "dropout 0.5 on a net that has settled badly",
            .unfitted {
                $0.dropout = 0.5; $0.losses = Array(repeating: 1, count: 9); $0.maskedLoss = 1.8
            }),
        Case(.overRegularised, "dropout 0.5 on a narrow net whose loss creeps", narrowWithDropout),
        Case(
            .overRegularised, "a penalty above the loss",
            .unfitted {
                $0.l2 = 0.1; $0.penalty = 1.8
            }),
        Case(
            .overRegularised, "decay has pulled the weights to nothing",
            .stuck {
                $0.l1 = 0.1; $0.weights = [0.01, 0.01, 0.01]
            }),
        Case(.learningRateTooLow, "Adam at 1e-7", .stuck { $0.updates = [4e-7, 4e-7, 4e-7] }),
        Case(.learningRateTooLow, "SGD so slow that the loss creeps", .unfitted { $0.updates = [5e-5, 5e-5, 1e-4] }),
        Case(.plateau, "flat without any other sign", .stuck { _ in }),
        Case(
            .plateau, "all units alike",
            .stuck {
                $0.initializer = "{constant: 0}"; $0.gradients = [0, 0, 0.1]; $0.dead = 1
            }),
        Case(
            .tooSmallModel, "two units for ten classes",
            .unfitted {
                $0.widths = [64, 2, 10]; $0.losses = [2, 1.8, 1.7, 1.65, 1.6, 1.58, 1.56, 1.55, 1.55]
            }),
        Case(
            .tooSmallModel, "no hidden layer and at rest",
            .unfitted {
                $0.widths = [10]
                $0.losses = Array(repeating: 0.9, count: 9)
                ($0.gradients, $0.weights, $0.updates) = ([0.4], [5], [1e-3])
            }),
        Case(
            .overfitting, "a gap",
            .with {
                $0.accuracy = 1; $0.heldOut = 0.85
            }),
        Case(
            .overfitting, "a small gap and a validation loss that rises",
            .with {
                $0.accuracy = 1; $0.heldOut = 0.96; $0.validationLosses = [1, 0.5, 0.2, 0.1, 0.1, 0.11, 0.12, 0.14, 0.16]
            }),
        Case(
            .tooLittleData, "300 rows",
            .with {
                $0.accuracy = 1; $0.heldOut = 0.9; $0.trainingRows = 300; $0.limit = "300"
            }),
    ]

    static let notShown = [
        Case(
            .nonFinite, "a run that failed for want of workers",
            .with {
                $0.losses = []; $0.error = "no worker for 600 s"
            }),
        Case(.explodingGradient, "a high first loss that training took care of", .with { $0.firstLoss = 90 }),
        Case(
            .explodingGradient, "dropout 0.9 makes the first loss wild",
            .unfitted {
                $0.dropout = 0.9; $0.firstLoss = 300; $0.highestLoss = 400
            }),
        Case(.explodingGradient, "a deep net's gradients differ a little", .unfitted { $0.gradients = [6, 1, 0.4] }),
        Case(.learningRateTooHigh, "a bumpy start of a good run", .with { $0.highestLoss = 8 }),
        Case(
            .learningRateTooHigh, "a last layer that moves alone beside small weights",
            .stuck {
                $0.activation = "sigmoid"; $0.gradients = [1e-20, 1e-9, 0.5]; $0.updates = [1e-20, 1e-9, 0.2]; $0.saturated = 0
            }),
        Case(
            .learningRateTooHigh, "masks make a step's loss wild",
            .with {
                $0.dropout = 0.5; $0.highestLoss = 20
            }),
        Case(
            .learningRateTooHigh, "a little noise near a good place",
            .unfitted {
                $0.losses = [1, 0.7, 0.8, 0.6, 0.7, 0.55, 0.6, 0.5, 0.55]; $0.updates = [0.02, 0.02, 0.02]
            }),
        Case(.deadUnits, "a third of the units of a good net", .with { $0.dead = 0.35 }),
        Case(.deadUnits, "a third of the units of a bad net", .stuck { $0.dead = 0.35 }),
        Case(
            .saturatedUnits, "a good net whose units have made up their minds",
            .with {
                $0.activation = "tanh"; $0.saturated = 0.8
            }),
        Case(
            .saturatedUnits, "a bad net with free units",
            .stuck {
                $0.activation = "tanh"; $0.saturated = 0.2
            }),
        Case(
            .vanishingGradient, "a good net at its end",
            .with {
                $0.activation = "sigmoid"; $0.gradients = [1e-4, 1e-3, 0.5]
            }),
        Case(
            .vanishingGradient, "a bad net whose layers all get theirs",
            .stuck {
                $0.activation = "sigmoid"; $0.gradients = [0.1, 0.1, 0.5]
            }),
        Case(
            .vanishingGradient, "dead units stop a gradient, they do not shrink it",
            .stuck {
                $0.dead = 1; $0.gradients = [0, 0, 0.1]
            }),
        Case(
            .vanishingGradient, "nor do those of which a few are alive on a row or two",
            .stuck {
                $0.dead = 0.9; $0.gradients = [0, 0, 0.1]
            }),
        Case(
            .overRegularised, "dropout 0.5 on a good net",
            .with {
                $0.dropout = 0.5; $0.maskedLoss = 0.4
            }),
        Case(
            .overRegularised, "a slight penalty on a net with other troubles",
            .stuck {
                $0.l2 = 1e-4; $0.penalty = 0.02
            }),
        Case(.learningRateTooLow, "a good run that has arrived", .with { $0.updates = [1e-5, 1e-5, 1e-5] }),
        Case(.learningRateTooLow, "usual updates", .unfitted { _ in }),
        Case(
            .learningRateTooLow, "tiny updates because nothing comes through",
            .stuck {
                $0.dead = 1; $0.gradients = [0, 0, 0.1]; $0.updates = [0, 0, 1e-4]
            }),
        Case(.plateau, "still falling", .unfitted { _ in }),
        Case(.plateau, "flat at the bottom", .with { $0.losses = Array(repeating: 0.01, count: 9) }),
        Case(.tooSmallModel, "a wide net that has settled", .unfitted { $0.losses = Array(repeating: 0.9, count: 9) }),
        Case(.tooSmallModel, "narrow, but dropout takes half of it away", narrowWithDropout),
        Case(
            .overRegularised, "dropout 0.5 while the loss falls fast",
            .unfitted {
                $0.dropout = 0.5; $0.maskedLoss = 1.6; $0.losses = [2.2, 2, 1.8, 1.6, 1.4, 1.2, 1, 0.7, 0.5]
            }),
        Case(.tooSmallModel, "two classes need no wide layer", .unfitted { $0.widths = [64, 8, 2] }),
        Case(
            .overfitting, "a gap within the noise of few rows",
            .with {
                $0.accuracy = 1; $0.heldOut = 0.95; $0.heldOutRows = 60
            }),
        Case(.overfitting, "a net that does not fit", .unfitted { $0.heldOut = 0.2 }),
        Case(
            .tooLittleData, "a net that overfits many rows",
            .with {
                $0.accuracy = 1; $0.heldOut = 0.85; $0.trainingRows = 50_000
            }),
        Case(
            .overfitting, "few rows, as many errors on them as on others",
            .with {
                $0.trainingRows = 300; $0.accuracy = 0.97; $0.heldOut = 0.94
            }),
        Case(
            .tooLittleData, "few rows that suffice",
            .with {
                $0.trainingRows = 300; $0.limit = "300"; $0.heldOut = 0.98
            }),
    ]

    @Test(arguments: shown)
    func isShown(_ shown: Case) throws {
        let diagnosis = try shown.run.diagnosis
        #expect(diagnosis.causes.contains { $0.id == shown.id }, "\(diagnosis.causes)")
    }

    @Test(arguments: notShown)
    func isNotShown(_ shown: Case) throws {
        let diagnosis = try shown.run.diagnosis
        #expect(!diagnosis.causes.contains { $0.id == shown.id }, "\(diagnosis.causes)")
    }

    /// A batch with an outlier in it is no blow-up; what the steps of an epoch give on average is.
    @Test(arguments: [(9.0, 1.4, false), (9.0, 8.0, true)])
    func squaredErrorsOfSingleBatchesDoNotCount(highest: Double, mean: Double, isTold: Bool) throws {
        let yaml = SampleRun().yaml.replacingOccurrences(of: "task: classification", with: "task: regression")
            .replacingOccurrences(of: "{softmax_cross_entropy: {label_smoothing: 0}}", with: "mean_squared_error")
        let history = (1...4).map { epoch in
            HistoryEntry(
                step: UInt64(20 * epoch), epoch: epoch, train: MeasuredPart(loss: 1.6, r2: -0.6, samples: 1_024, trivialLoss: 1),
                trainingMode: TrainedLosses(first: 1.5, last: 1.4, mean: mean, highest: highest))
        }
        let result = RunOutcome(outcome: "completed", steps: 80, train: history[3].train)
        let diagnosis = Diagnosis(RunEvidence(history: history, result: result, settings: try RunSettings(yaml: yaml)))
        #expect(diagnosis.causes.contains { $0.id == .learningRateTooHigh } == isTold)
    }

    /// The first step's loss was a number, a later one's none, though no weight was lost.
    @Test func aLossBeyondAllNumbersIsABlowUp() throws {
        var evidence = try SampleRun.stuck { _ in }.evidence
        evidence.history[0].trainingMode?.highest = nil
        let cause = try #require(Diagnosis(evidence).causes.first)
        #expect(cause.id == .learningRateTooHigh)
        #expect(cause.because.contains("larger than any number"))
    }

    @Test func everyRuleHasBoth() {
        for id in Diagnosis.CauseID.allCases {
            #expect(Self.shown.contains { $0.id == id } && Self.notShown.contains { $0.id == id }, "\(id)")
        }
    }

    @Test func theTableHasEveryIDOnceWithASource() {
        #expect(Set(Rule.all.map(\.id)) == Set(Diagnosis.CauseID.allCases))
        #expect(Rule.all.count == Diagnosis.CauseID.allCases.count)
        #expect(Rule.all.allSatisfy { !$0.source.isEmpty })
    }

    /// Evidence is numbers, and every sentence says something.
    @Test(arguments: shown)
    func everyCauseHasEvidence(_ shown: Case) throws {
        for cause in try shown.run.diagnosis.causes {
            #expect(!cause.evidence.isEmpty && cause.evidence.values.allSatisfy(\.isFinite), "\(cause)")
            #expect(!cause.because.isEmpty)
        }
    }
}
