import Foundation
import OperatingSystem
import Testing

/// K1 for nets of images: convolutions, poolings, batch normalisation with its running values, residual blocks.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ImageEndToEndTests {
    /// Digits, 8×8. 97 rows per step leave leaves of one row at the end of an epoch.
    static let convolutional = runFile(
        """
        - {conv2d: {filters: 12, kernel: 3, padding: 1}}
            - batch_norm
            - relu
            - {conv2d: {filters: 16, kernel: 3}}
            - relu
            - {max_pool2d: {kernel: 2}}
            - {dropout: {rate: 0.25}}
            - flatten
            - {dense: {units: 24, bias: false}}
            - {batch_norm: {momentum: 0.2}}
            - relu
            - {dense: {units: 10}}
        """)

    static let residual = runFile(
        """
        - {conv2d: {filters: 8, kernel: 3, padding: 1, bias: false}}
            - batch_norm
            - relu
            - {residual: {layers: [{conv2d: {filters: 8, kernel: 3, padding: 1}}, batch_norm, relu, {dropout: {rate: 0.1}}]}}
            - residual:
                name: down
                layers: [{conv2d: {filters: 20, kernel: 3, stride: 2, padding: 1}}, batch_norm, relu, {conv2d: {filters: 20, kernel: 1}}]
            - relu
            - global_avg_pool2d
            - {residual: {layers: [{dense: {units: 16}}, tanh]}}
            - {dense: {units: 10}}
        """)

    private static func runFile(_ layers: String) -> String {
        """
        name: images
        seed: 7
        data:
          train: {builtin: digits}
          validation: {fraction: 0.1}
          test: {fraction: 0.1}
          preprocessing: {scale: [0, 16]}
        model:
          layers:
            \(layers)
          loss: softmax_cross_entropy
        optimizer:
          rule: {adam: {learning_rate: 4e-3}}
        training:
          batch_size: 96
          virtual_shards: 4
          epochs: 6
        cluster:
          heartbeat_ms: 200
        """
    }

    static let settings: [[String]] = [[], ["--set", "cluster.instruction_set=avx2"], ["--set", "cluster.wire=bf16"]]

    @Test(arguments: [convolutional, residual], settings)
    func hashIsTheSame(runFile: String, setting: [String]) throws {
        let results = try (1...4).map { try RunFiles.train(["--workers", "\($0)"] + setting, runFile: runFile) }
        #expect(Set(results.map(\.stateSha256)).count == 1)
        #expect(Set(results.map { $0.validation?.loss?.bitPattern }).count == 1)
        #expect(results[0].outcome == "completed")
        #expect(results[0].train?.accuracy ?? 0 > 0.8, "and it learns: running values reach validation")
    }

    @Test(arguments: [
        ["--set", "cluster.transport=messages"],
        ["--set", "cluster.chunk_bytes=65536"],
        ["--threads", "2"],
    ])
    func transportThreadsAndChunksChangeNothing(arguments: [String]) throws {
        let reference = try RunFiles.train(["--workers", "1"], runFile: Self.convolutional)
        let result = try RunFiles.train(["--workers", "3"] + arguments, runFile: Self.convolutional)
        #expect(result.stateSha256 == reference.stateSha256)
        #expect(result.validation?.loss?.bitPattern == reference.validation?.loss?.bitPattern)
    }

    /// Steps in two phases: the running values wait for the verdict too.
    @Test func clippingKeepsTheHash() throws {
        let clip = ["--set", "optimizer.clip={global_norm: 0.5}"]
        let results = try [1, 3].map { try RunFiles.train(["--workers", "\($0)"] + clip, runFile: Self.convolutional) }
        #expect(results[0].stateSha256 == results[1].stateSha256)
        let plain = try RunFiles.train(["--workers", "2"], runFile: Self.convolutional)
        #expect(results[0].stateSha256 != plain.stateSha256)
    }

    @Test func killedWorkerDoesNotChangeTheHash() throws {
        let long = ["--set", "training.epochs=12"]
        let reference = try RunFiles.train(["--workers", "1"] + long, runFile: Self.convolutional)
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(Self.convolutional, to: folder)
        let coordinator = try RunningProgram(
            "dnn-coord", ["train", file, "--output", folder.appending("run"), "--workers", "2"] + long, in: folder)
        try coordinator.line(containing: "epoch 1/")
        kill(try #require(try coordinator.children().first), SIGKILL)
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        let result = try Result(folder: folder.appending("run"))
        #expect(result.stateSha256 == reference.stateSha256)
        #expect(result.events.workersLost >= 1)
    }

    @Test func checkSaysTheShapes() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(Self.residual, to: folder)
        let program = try RunningProgram("dnn-coord", ["check", file], in: folder)
        #expect(program.end() == 0, "\(program.text)")
        for words in [
            "layers[0] (conv2d)", "8×8×8", "layers[4] \"down\" (residual)", "20×4×4", "160 parameters", "layers[4].layers[0] (conv2d)",
        ] {
            #expect(program.output.contains(words) || program.text.contains(words), "\(words)")
        }
    }

    @Test func closureRulesRefuseRunningValues() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(
            Self.convolutional.replacingOccurrences(of: "adam: {learning_rate: 4e-3}", with: "lbfgs: {}"), to: folder)
        let program = try RunningProgram("dnn-coord", ["check", file], in: folder)
        #expect(program.end() == 2)
        #expect(
            program.text.contains("the running values of layers[1] (batch_norm) belong to steps with one evaluation"), "\(program.text)")
    }

    @Test func aShapeThatDoesNotFitIsToldWithItsPlace() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let wrong = Self.residual.replacingOccurrences(of: "{conv2d: {filters: 20, kernel: 1}}", with: "{conv2d: {filters: 20, kernel: 5}}")
        let file = try RunFiles.write(wrong, to: folder)
        let program = try RunningProgram("dnn-coord", ["check", file], in: folder)
        #expect(program.end() == 2)
        #expect(
            program.text.contains(
                "model.layers[4].residual.layers[3]: layers[4].layers[3] (conv2d): a kernel of 5×5 does not fit on images of 20×4×4"),
            "\(program.text)")
    }
}
