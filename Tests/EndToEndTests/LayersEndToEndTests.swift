import Foundation
import OperatingSystem
import Testing

/// Layers, losses and figures from a run file, with real processes.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct LayersEndToEndTests {
    static let maxout = """
        name: maxout
        seed: 7
        data:
          train: {builtin: digits}
          validation: {fraction: 0.1}
          test: {fraction: 0.1}
          preprocessing: {scale: [0, 16]}
        model:
          layers:
            - flatten
            - dropout: {rate: 0.2}
            - maxout: {units: 48, pieces: 5}
            - dropout: {rate: 0.5}
            - layer_norm
            - dense: {units: 40}
            - prelu: {per_channel: true}
            - dense: {units: 40}
            - gelu
            - dense: {units: 10}
          loss: {softmax_cross_entropy: {label_smoothing: 0.1}}
        optimizer:
          rule: {adam: {learning_rate: 2e-3}}
        training:
          batch_size: 96
          virtual_shards: 4
          epochs: 5
        cluster:
          heartbeat_ms: 200
        """

    static let reference = try? RunFiles.train(["--workers", "1"], runFile: maxout)

    @Test(arguments: [2, 3, 4])
    func theHashIsTheSameForAnyNumberOfWorkers(workers: Int) throws {
        let reference = try #require(Self.reference)
        let result = try RunFiles.train(["--workers", "\(workers)"], runFile: Self.maxout)
        #expect(result.stateSha256 == reference.stateSha256)
        #expect(result.test?.loss?.bitPattern == reference.test?.loss?.bitPattern)
        #expect(result.test?.confusion == reference.test?.confusion)
    }

    @Test func heldOutFiguresOfAClassificationAgreeAmongThemselves() throws {
        let result = try #require(Self.reference)
        #expect(result.train?.confusion == nil && result.train?.perClass == nil)
        for part in [result.validation, result.test] {
            let part = try #require(part), confusion = try #require(part.confusion), classes = try #require(part.perClass)
            #expect(confusion.count == 10 && confusion.allSatisfy { $0.count == 10 })
            #expect(confusion.joined().reduce(0, +) == part.samples)
            let hits = (0..<10).reduce(0) { $0 + confusion[$1][$1] }
            #expect(part.accuracy == Double(hits) / Double(part.samples))
            let top5 = try #require(part.top5Accuracy), accuracy = try #require(part.accuracy)
            #expect(top5 >= accuracy && top5 <= 1)
            #expect(accuracy > 0.7, "it learns")
            for digit in 0..<10 {
                let figures = try #require(classes["\(digit)"])
                #expect(figures.support == confusion[digit].reduce(0, +))
                #expect(figures.recall == Double(confusion[digit][digit]) / Double(figures.support))
            }
        }
    }

    @Test(arguments: ["mean_absolute_error", "{huber: {delta: 0.5}}"])
    func regressionLossesReportErrorsInOriginalUnits(loss: String) throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let lines = (0..<400).map { row in
            let x = Double(row % 20) / 20, y = Double(row / 20) / 20
            return "\(x),\(y),\(30 + 10 * x - 5 * y)"
        }
        try Data(("a,b,t\n" + lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: folder.appending("plane.csv")))
        let file = try RunFiles.write(
            """
            data:
              train: {csv: {path: plane.csv, target: t}}
              task: regression
              target_standardize: true
            model:
              layers: [{dense: {units: 16}}, silu, {dense: {units: 1}}]
              loss: \(loss)
            optimizer:
              rule: {adam: {learning_rate: 0.01}}
            training: {batch_size: 32, epochs: 40, virtual_shards: 2}
            """, to: folder)
        let program = try RunningProgram("dnn-coord", ["train", file, "--output", folder.appending("run"), "--workers", "2"], in: folder)
        #expect(program.end() == 0)
        let result = try Result(folder: folder.appending("run"))
        let validation = try #require(result.validation), rmse = try #require(validation.rmse), r2 = try #require(validation.r2)
        #expect(rmse > 0 && rmse < 1 && r2 > 0.9)
        #expect(validation.accuracy == nil && validation.confusion == nil && validation.top5Accuracy == nil)
    }
}
