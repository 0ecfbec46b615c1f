import Foundation
import OperatingSystem
import Scaling
import Testing

@testable import Runtime

@Suite struct PlanCommandTests {
    @Test(arguments: [("10G", 1e10), ("100M", 1e8), ("2.5G", 2.5e9), ("64k", 64e3), ("1T", 1e12), ("5000", 5_000)])
    func aBandwidthIsANumberOfBitsPerSecond(text: String, expected: Double) {
        #expect(PlanCommand.bandwidth(text) == expected)
    }

    @Test(arguments: ["", "G", "-1G", "0", "10g", "10 G", "inf", "nan", "1e400"])
    func anythingElseIsNone(text: String) {
        #expect(PlanCommand.bandwidth(text) == nil)
    }

    private static let runFile = """
        data:
          train: {builtin: digits}
          preprocessing: {scale: [0, 16]}
        model:
          layers: [flatten, {dense: {units: 512}}, relu, {dense: {units: 10}}]
          loss: softmax_cross_entropy
        optimizer:
          rule: {adam: {learning_rate: 1e-3}}
        training: {batch_size: 64, epochs: 1}
        cluster: {chunk_bytes: 65536, parameter_servers: 2, wire: bf16}
        """

    /// Overrides of the run file, and the options: what is asked for, then what the model has.
    struct Question: Sendable {
        var overrides: [String] = []
        var servers: Int?
        var halvesWire: Bool?
        var modelServers: Int
        var modelBytes: Int
    }

    /// The net has three chunks, so it can't have more servers than that.
    @Test(arguments: [
        Question(modelServers: 2, modelBytes: 2),
        Question(overrides: ["cluster.parameter_servers=9", "cluster.wire=f32"], modelServers: 3, modelBytes: 4),
        Question(servers: 1, modelServers: 1, modelBytes: 2),
        Question(halvesWire: false, modelServers: 2, modelBytes: 4),
        Question(overrides: ["cluster.wire=f32"], servers: 3, halvesWire: true, modelServers: 3, modelBytes: 2),
    ])
    func serversAndWireAreTheRunFilesUnlessOptionsSayOtherwise(_ question: Question) throws {
        let folder = try TemporaryFolder(prefix: "dnn-plan-")
        let path = folder.appending("run.yaml")
        try Data(Self.runFile.utf8).write(to: URL(fileURLWithPath: path))
        let plan = PlanCommand(
            runFile: path, overrides: question.overrides, workers: 2, threads: 1, servers: question.servers, bandwidth: nil, latency: 50,
            sharesHost: false, halvesWire: question.halvesWire, printsJSON: false)
        let model = plan.model(of: try TrainCommand.prepare(path, overrides: question.overrides))
        #expect(model.servers == question.modelServers)
        #expect(model.bytesPerElement == question.modelBytes)
        #expect(model.workers == 2)
    }
}

@Suite struct TimingTests {
    @Test func theMedianAndTheTenthsAreOfAllRepetitions() {
        let timing = Timing((1...100).shuffled().map(Double.init))
        #expect(timing.repetitions == 100)
        #expect([timing.fastestTenthMs, timing.medianMs, timing.slowestTenthMs] == [11, 51, 91])
    }

    @Test func timesBehindTheWarmUpCount() throws {
        let timing = try #require(Timing(between: [.zero, .seconds(5), .seconds(6), .seconds(8)], warmUp: 1))
        #expect(timing.repetitions == 2)
        #expect([timing.fastestTenthMs, timing.slowestTenthMs] == [1_000, 2_000])
        #expect(Timing(between: [.zero, .seconds(1)], warmUp: 1) == nil)
    }
}
