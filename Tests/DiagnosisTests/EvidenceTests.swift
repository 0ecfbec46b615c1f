import Foundation
import Testing

@testable import Diagnosis

@Suite struct EvidenceTests {
    private static let line = """
        {"epoch":1,"layers":[{"dead":0.5,"name":"layers.2"},{"gradient_norm":0.1,"name":"layers.1","update_ratio":0.001,"weight_norm":2}],\
        "learning_rate":0.001,"seconds":1,"step":20,"train":{"accuracy":0.5,"loss":1.5,"samples":100,"trivial_loss":2.3},\
        "training_mode":{"first":2.4,"highest":3,"last":1.4,"mean":1.9},"validation":null,"weights_sha256":"ab"}

        """

    private func evidence(history: String?, result: String? = nil) throws(EvidenceError) -> RunEvidence {
        try RunEvidence(settings: SampleRun().yaml, history: history.map { Data($0.utf8) }, result: result.map { Data($0.utf8) })
    }

    @Test func aLineIsReadWhole() throws {
        let entry = try #require(try evidence(history: Self.line).history.first)
        #expect(entry.step == 20 && entry.train?.accuracy == 0.5 && entry.validation == nil)
        #expect(entry.trainingMode == TrainedLosses(first: 2.4, last: 1.4, mean: 1.9, highest: 3))
        #expect(entry.layers.first == LayerFigures(name: "layers.2", dead: 0.5))
    }

    @Test func aLineThatWasCutOffAtTheEndIsLeftOut() throws {
        #expect(try evidence(history: Self.line + Self.line.prefix(100)).history.count == 1)
    }

    @Test func aDamagedLineIsNamed() {
        #expect(throws: EvidenceError.unreadable("history.jsonl:2", reason: "the key step is missing")) {
            try evidence(history: Self.line + "{\"epoch\":2}\n" + Self.line)
        }
    }

    @Test func aDamagedResultIsNamed() {
        #expect { try evidence(history: nil, result: "{") } throws: { "\($0)".hasPrefix("result.json: ") }
    }

    @Test func whatIsNoRunFileIsRefused() {
        #expect { try RunSettings(yaml: "- 1\n- 2") } throws: { "\($0)".hasPrefix("run.yaml: is no map") }
        #expect { try RunSettings(yaml: "a: [") } throws: { "\($0)".hasPrefix("run.yaml: is no YAML") }
    }

    @Test func layersInsideResidualBlocksAreFound() throws {
        let settings = try RunSettings(
            yaml: "model: {layers: [flatten, {residual: {layers: [{dense: {units: 8, name: inner}}, relu]}}, {dense: {units: 2}}]}")
        #expect(settings.layers.map(\.name) == ["layers.0", "layers.1", "layers.1.layers.inner", "layers.1.layers.1", "layers.2"])
        #expect(settings.layers[2].path == "model.layers.1.residual.layers.0")
        #expect(settings.weightLayers.map(\.units) == [8, 2])
    }

    /// Without a figure of its own a run's constant prediction is that of equally frequent classes.
    @Test func theTrivialLossIsInferredFromTheNet() throws {
        var run = try SampleRun().evidence
        for index in run.history.indices { run.history[index].train?.trivialLoss = nil }
        run.result?.train?.trivialLoss = nil
        #expect(Signals(run).trivialLoss == log(10))
    }
}
