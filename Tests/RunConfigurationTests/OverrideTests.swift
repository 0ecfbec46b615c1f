import NeuralNet
import Optimization
import RunConfiguration
import Testing
import Training

/// `--set KEY=VALUE`.
@Suite struct OverrideTests {
    private let file = RunFile(
        """
        model:
          loss: softmax_cross_entropy
          layers:
            - flatten
            - dense: {units: 10}
            - dropout: {rate: 0.2}
        training: {epochs: 3}
        """)

    @Test func valuesReplaceThoseOfTheFile() throws {
        let configuration = try file.load(overrides: [
            "training.epochs=4", "training.batch_size=64", "seed=0x10", "name=a b", "model.layers.2.dropout.rate=0.5",
            "model.layers[1].dense.units=7", "training.early_stopping={patience: 2}", "cluster.transport=messages", "diagnose.fitted = 0.5",
        ])
        #expect(configuration.training.epochs == 4)
        #expect(configuration.training.batchSize == 64)
        #expect(configuration.seed == 16)
        #expect(configuration.name == "a b")
        #expect(configuration.model.layers[2].kind == .dropout(rate: 0.5))
        #expect(configuration.model.layers[1].kind == .dense(units: 7))
        #expect(configuration.training.earlyStopping?.patience == 2)
        #expect(configuration.cluster.transport == .messages)
    }

    @Test func theLastOfSeveralWins() throws {
        #expect(try file.load(overrides: ["training.epochs=4", "training.epochs=5"]).training.epochs == 5)
    }

    @Test func aBareNameGetsItsOptions() throws {
        #expect(try RunFile().load(overrides: ["optimizer.rule.adam.epsilon=1e-4"]).optimizer.rule == .adam(epsilon: 1e-4))
        #expect(try RunFile().load(overrides: ["optimizer.rule.sgd.learning_rate=1"]).optimizer.rule == .sgd(learningRate: 1))
    }

    @Test func aProblemOfTheFileCanBeMended() throws {
        #expect(try RunFile("training: {epochs: 0}").load(overrides: ["training.epochs=1"]).training.epochs == 1)
    }

    @Test(arguments: [
        ("training.epochs=0", "training.epochs: must be a whole number in 1…1000000, got 0"),
        ("training.epochs=", "training.epochs: must be a whole number in 1…1000000, got nothing"),
        ("training=3", "training: must be a map of keys, got 3"),
        ("optimizer.rule={sgd: {}}", "optimizer.rule.sgd.learning_rate: is required: a number > 0"),
        ("model.layers.0={relu: {x: 1}}", "model.layers[0].relu.x: unknown key; allowed: name"),
        ("model.layers.3.dense.units=3", "model.layers: has 3 entries, so the number must be in 0…2, got 3"),
        ("model.layers.x=3", "model.layers: is a list; its 3 entries have numbers from 0, got x"),
        ("training.2=3", "training: is no list, so it has no entry 2"),
        ("seed.2=3", "seed: is no list, so it has no entry 2"),
        ("name.x=3", "name: must be a name that a folder can have, got a map with the key x"),
        ("training.mode=[", "training.mode: not YAML: while parsing a flow node, did not find expected node content"),
        ("training.mode={ssp: {staleness: -1}}", "training.mode.ssp.staleness: must be a whole number in 0…1000000, got -1"),
        ("seed", "must be KEY=VALUE, such as training.epochs=3 or model.layers.3.dropout.rate=0.5"),
        ("=3", "must be KEY=VALUE, such as training.epochs=3 or model.layers.3.dropout.rate=0.5"),
        ("a..b=3", "must be KEY=VALUE, such as training.epochs=3 or model.layers.3.dropout.rate=0.5"),
    ])
    func problemsNameTheOverrideAsTheirPlace(override: String, problem: String) {
        #expect(problems(in: file.text, overrides: [override]) == ["--set \(override): \(problem)"])
    }

    @Test func unknownKeysNameTheNearest() {
        let found = problems(in: file.text, overrides: ["training.epochz=3"])
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("--set training.epochz=3: training.epochz: unknown key; allowed: ") == true)
        #expect(found.first?.hasSuffix("; did you mean epochs?") == true)
    }

    @Test func problemsOfFileAndOverridesComeTogether() {
        let found = problems(in: RunFile("training: {epochs: 0}").text, overrides: ["seed=-1", "name=/"])
        #expect(found.map { $0.prefix { $0 != "=" } }.suffix(2) == ["--set name", "--set seed"])
        #expect(found.first == "run.yaml:8:20: training.epochs: must be a whole number in 1…1000000, got 0")
    }
}
