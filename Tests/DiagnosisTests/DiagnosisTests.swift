import Foundation
import RunConfiguration
import Testing

@testable import Diagnosis

@Suite struct DiagnosisTests {
    @Test func aGoodRunHasNothingWrong() throws {
        let diagnosis = try SampleRun().diagnosis
        #expect(diagnosis.training == .fitted && diagnosis.heldOut == .good)
        #expect(diagnosis.causes.isEmpty && diagnosis.next.isEmpty)
    }

    @Test func heldOutIsUnknownBeforeTheTrainingDataFits() throws {
        let diagnosis = try SampleRun.unfitted { $0.heldOut = 0.1 }.diagnosis
        #expect(diagnosis.training == .notFitted && diagnosis.heldOut == .unknown)
    }

    @Test func heldOutIsUnknownWithoutOtherRows() throws {
        let diagnosis = try SampleRun.with { $0.heldOut = nil }.diagnosis
        #expect(diagnosis.training == .fitted && diagnosis.heldOut == .unknown)
    }

    @Test func aRunThatOnlyNeedsTimeIsToldToGoOn() throws {
        let diagnosis = try SampleRun.unfitted { _ in }.diagnosis
        #expect(diagnosis.causes.isEmpty)
        #expect(diagnosis.next.map(\.set) == ["training.epochs=40"])
    }

    @Test func aRunThatTookNoStepIsToldNothing() throws {
        let diagnosis = try SampleRun.unfitted { $0.losses = [] }.diagnosis
        #expect(diagnosis.training == .notFitted && diagnosis.causes.isEmpty && diagnosis.next.isEmpty)
    }

    @Test func theUsersOwnBoundCountsAndIsSaid() throws {
        let run = SampleRun.with {
            $0.accuracy = 0.86; $0.heldOut = 0.85; $0.fitted = "0.85"
        }
        let diagnosis = try run.diagnosis
        #expect(diagnosis.training == .fitted)
        #expect(diagnosis.lines[0].contains("diagnose.fitted"))
        #expect(try !SampleRun().diagnosis.lines[0].contains("diagnose.fitted"))
    }

    @Test func nothingFitsWithoutFigures() throws {
        let diagnosis = Diagnosis(RunEvidence(settings: try RunSettings(yaml: SampleRun().yaml)))
        #expect(diagnosis.training == .notFitted && diagnosis.heldOut == .unknown && diagnosis.causes.isEmpty)
    }

    // MARK: Order

    @Test func theRootComesBeforeItsConsequences() throws {
        let blown = SampleRun.stuck {
            $0.highestLoss = 1e6
            $0.dead = 1
            $0.gradients = [0, 0, 0.3]
            $0.updates = [0, 0, 1e-3]
        }
        #expect(try blown.diagnosis.causes.map(\.id) == [.learningRateTooHigh, .deadUnits])
        let failed = SampleRun.with {
            $0.losses = []
            $0.error = RuleTests.notFinite
            $0.firstLoss = 1e5
            $0.highestLoss = 1e30
        }
        #expect(try failed.diagnosis.causes.map(\.id) == [.nonFinite, .explodingGradient])
        let learned = SampleRun.with {
            $0.accuracy = 1; $0.heldOut = 0.8; $0.trainingRows = 300; $0.limit = "300"
        }
        #expect(try learned.diagnosis.causes.map(\.id) == [.overfitting, .tooLittleData])
    }

    @Test func dropoutIsNeverAdvisedToANetThatDoesNotFit() throws {
        for shown in RuleTests.shown {
            let diagnosis = try shown.run.diagnosis
            guard diagnosis.training == .notFitted else { continue }
            for change in diagnosis.next where shown.run.dropout == 0 {
                #expect(!change.set.contains("dropout"), "\(shown.testDescription): \(change.set)")
            }
        }
    }

    @Test func noKeyIsSetTwice() throws {
        for shown in RuleTests.shown {
            let keys = try shown.run.diagnosis.next.map { $0.set.prefix { $0 != "=" } }
            #expect(Set(keys).count == keys.count)
        }
    }

    /// What is advised can be pasted behind `train`.
    @Test(arguments: RuleTests.shown)
    func theRunFileTakesEveryAdvice(_ shown: RuleTests.Case) throws {
        for change in try shown.run.diagnosis.next {
            _ = try RunConfiguration.load(text: shown.run.yaml, file: "run.yaml", folder: "/", overrides: [change.set])
        }
    }

    @Test func theRemedyMatchesTheProblem() throws {
        func next(_ run: SampleRun) throws -> [String] { try run.diagnosis.next.map(\.set) }
        #expect(
            try next(
                .stuck {
                    $0.dead = 1; $0.bias = "{constant: -10}"; $0.gradients = [0, 0, 0.1]
                }
            ).first
                == "model.layers.1.dense.bias_initializer={constant: 0}")
        #expect(
            try next(
                .stuck {
                    $0.activation = "sigmoid"; $0.gradients = [1e-7, 1e-3, 0.5]
                }
            ).first
                == "model.layers=[flatten, {dense: {units: 64}}, relu, {dense: {units: 64}}, relu, {dense: {units: 10}}]")
        #expect(
            try next(
                .unfitted {
                    $0.dropout = 0.9; $0.maskedLoss = 2
                }
            ).first == "model.layers.3.dropout.rate=0.3")
        #expect(
            try next(
                .stuck {
                    $0.rule = "{adam: {learning_rate: 1e-7}}"; $0.updates = [5e-7, 5e-7, 5e-7]
                }
            ).first
                == "optimizer.rule.adam.learning_rate=0.0002")
        #expect(
            try next(
                .with {
                    $0.accuracy = 1; $0.heldOut = 0.8; $0.limit = "300"; $0.trainingRows = 300
                }
            ).contains("data.limit=none"))
        #expect(
            try next(
                .with {
                    $0.accuracy = 1; $0.heldOut = 0.8
                }
            ).contains(
                "model.layers=[flatten, {dense: {units: 64}}, relu, {dropout: {rate: 0.3}}, "
                    + "{dense: {units: 64}}, relu, {dropout: {rate: 0.3}}, {dense: {units: 10}}]"))
    }

    // MARK: Form

    @Test func theJSONHasItsKeysAndNoOthers() throws {
        let run = SampleRun.stuck {
            $0.dead = 1; $0.gradients = [0, 0, 0.1]
        }
        let json = try #require(try JSONSerialization.jsonObject(with: JSONEncoder().encode(run.diagnosis)) as? [String: Any])
        #expect(Set(json.keys) == ["training", "held_out", "causes", "next"])
        #expect(json["training"] as? String == "not_fitted" && json["held_out"] as? String == "unknown")
        let cause = try #require((json["causes"] as? [[String: Any]])?.first)
        #expect(Set(cause.keys) == ["id", "layer", "evidence", "because"])
        #expect(cause["id"] as? String == "dead_units" && cause["layer"] as? String == "layers.2")
        #expect((cause["evidence"] as? [String: Double])?["dead"] == 1)
        let change = try #require((json["next"] as? [[String: Any]])?.first)
        #expect(Set(change.keys) == ["set", "because"])
        let plateau = try JSONSerialization.jsonObject(with: JSONEncoder().encode(SampleRun.stuck { _ in }.diagnosis)) as? [String: Any]
        #expect((plateau?["causes"] as? [[String: Any]])?.first?["layer"] is NSNull)
    }
}
