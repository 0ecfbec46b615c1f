import RunConfiguration
import Testing

@Suite struct RunConfigurationTests {
    @Test(arguments: [
        (256, 8), (512, 8), (255, 1), (128, 4), (64, 2), (63, 1), (32, 1), (96, 2), (160, 4), (264, 8), (1, 1), (252, 4), (248, 4),
        (1_000, 8),
    ])
    func automaticShardsLeaveThirtyTwoRowsPerLeaf(batchSize: Int, shards: Int) throws {
        #expect(try RunFile("training: {batch_size: \(batchSize)}").load().training.virtualShards == shards)
    }

    @Test(arguments: [("classification", "softmax_cross_entropy", 0.9), ("regression", "mean_squared_error", 0.8)])
    func aNetCountsAsFittedFromWhereItsTaskSays(task: String, loss: String, from: Double) throws {
        let file = RunFile("data: {train: {builtin: digits}, task: \(task)}\nmodel: {layers: [flatten], loss: \(loss)}\n")
        #expect(try file.load().fittedFrom == from)
    }

    @Test func placesAreKnownAfterReading() throws {
        let file = RunFile(
            """
            model:
              layers:
                - flatten
                - dense:
                    units: 3
              loss: softmax_cross_entropy
            """)
        let configuration = try file.load(overrides: ["data.test={builtin: digits}"])
        #expect(configuration.place(ofLayer: 1).description == "run.yaml:8:7")
        #expect(configuration.problem(atLayer: [0], "too flat").description == "run.yaml:7:7: model.layers[0]: too flat")
        let places: [(SettingPath, String)] = [
            ("model.loss", "run.yaml:10:9"), ("model.layers", "run.yaml:6:3"), ("model.layers[1].dense.units", "run.yaml:9:16"),
            ("model.layers[1].dense.bias", "run.yaml:8:7"), ("data.train", "run.yaml:2:3"), ("data.validation", "run.yaml:1:1"),
            ("data.test", "--set data.test={builtin: digits}"), ("training.epochs", "run.yaml"),
        ]
        for (path, place) in places { #expect(configuration.sourceMap.place(of: path).description == place, "\(path)") }
    }

    @Test func equalityDoesNotAskWhereThingsWereWritten() throws {
        #expect(try RunFile("seed: 2").load() == RunFile("# first\nseed: 2").load())
        #expect(try RunFile("seed: 2").load() != RunFile("seed: 3").load())
    }

    @Test func settingsThatAreNotThereYetMayHaveTheirDefault() throws {
        let file = RunFile(
            """
            optimizer: {rule: adam, schedule: {constant: {}}, warmup_steps: 0, warmup_start_factor: 0.1, clip: none, groups: []}
            regularization: {max_norm: none}
            training: {mode: exact, precision: f32, non_finite: stop, checkpoint: {}}
            cluster: {wire: f32, parameter_servers: 1}
            """)
        #expect(try file.load() == RunFile().load())
    }
}
