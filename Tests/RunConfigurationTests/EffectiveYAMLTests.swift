import Datasets
import Foundation
import NeuralNet
import Optimization
import RunConfiguration
import Testing
import Training

@Suite struct EffectiveYAMLTests {
    private static let environment = ["DNN_DATA": "/data"]

    private func documented() throws -> RunConfiguration {
        let url = try #require(Bundle.module.url(forResource: "run", withExtension: "yaml", subdirectory: "Fixtures"))
        return try RunConfiguration.load(path: url.path, environment: Self.environment)
    }

    @Test func theDocumentedFileReadsAsDocumented() throws {
        let configuration = try documented()
        let folder = "/data/fashion-mnist/"
        #expect(configuration.name == "fashion-mnist-mlp")
        #expect(configuration.seed == 1)
        #expect(
            configuration.data
                == DataSpecification(
                    train: .idx(features: folder + "train-images-idx3-ubyte.gz", labels: folder + "train-labels-idx1-ubyte.gz"),
                    test: .source(.idx(features: folder + "t10k-images-idx3-ubyte.gz", labels: folder + "t10k-labels-idx1-ubyte.gz")),
                    preprocessing: .scale(low: 0, high: 255)))
        #expect(configuration.shipsData)
        #expect(
            configuration.model
                == ModelSettings(
                    layers: [
                        LayerSpecification(.flatten), LayerSpecification(.dense(units: 512)), LayerSpecification(.relu),
                        LayerSpecification(.dropout(rate: 0.2)),
                        LayerSpecification(.dense(units: 256, initializer: .normal(standardDeviation: 0.05)), name: "hidden"),
                        LayerSpecification(.leakyReLU(slope: 0.02)), LayerSpecification(.dense(units: 10)),
                    ], loss: .softmaxCrossEntropy))
        #expect(configuration.optimizer == OptimizerSettings(rule: .adam()))
        #expect(configuration.training.batchSize == 128)
        #expect(configuration.training.epochs == 20)
        #expect(configuration.training.virtualShards == 4)
        #expect(configuration.training.earlyStopping == EarlyStoppingPolicy())
        #expect(configuration.training.validateEvery == 1)
        #expect(configuration.training.checkpointEverySeconds == 60)
        #expect(configuration.training.keptCheckpoints == 3)
        #expect(configuration.cluster.minimumWorkers == 1)
        #expect(configuration.cluster.joinTimeoutSeconds == 60)
        #expect(configuration.cluster.idleTimeoutSeconds == 600)
        #expect(configuration.cluster.heartbeatMilliseconds == 1_000)
        #expect(configuration.cluster.instructionSet == .auto)
        #expect(configuration.cluster.transport == .auto)
        #expect(configuration.cluster.chunkBytes == 1_048_576)
        #expect(configuration.fittedFrom == 0.9)
    }

    /// The documented values of everything but data and model are the defaults.
    @Test func whatIsLeftOutHasTheDocumentedValue() throws {
        let documented = try documented()
        var short = try RunFile("training: {early_stopping: {}}").load()
        (short.name, short.data, short.model) = (documented.name, documented.data, documented.model)
        #expect(short == documented)
        #expect(try RunFile().load().training.earlyStopping == nil)
        #expect(try RunFile().load().name == "run")
    }

    static let variety = [
        "",
        "name: \"o'k \\\"1\\\" é\"\nseed: 18446744073709551615\ndiagnose: {fitted: 0.25}",
        """
        data:
          train: {csv: {path: "a b.csv", target: "none", delimiter: ";", categorical: [x, "7", 3, "a: b"]}}
          validation: none
          test: {fraction: 0.25}
          limit: 100
          shape: [1, 2, 3]
          preprocessing: {standardize: true}
        """,
        """
        data:
          train: {csv: {path: rel/a.tsv.gz, target: 3, header: false, categorical: []}}
          validation: {idx: {features: /abs/x, labels: "${HOME}/y"}}
          task: regression
          target_standardize: true
          preprocessing: {scale: [-1.5, 1e3]}
        model:
          initializer: {constant: 0.5}
          layers:
            - dense: {units: 3, bias: false, initializer: he_uniform, bias_initializer: xavier_normal, name: first-1}
            - sigmoid
            - tanh: {name: act}
            - leaky_relu: {slope: -0.5}
            - dropout: {rate: 0, scaling: classic}
            - dense: {units: 1, initializer: {normal: {std: 1e-3}}}
          loss: mean_squared_error
        optimizer:
          rule: {momentum: {learning_rate: 0.125, momentum: 0.5, nesterov: true}}
          clip: {value: 2.5}
        regularization: {l1: 1e-5, l2: 0.01}
        """,
        """
        optimizer: {rule: {sgd: {learning_rate: 3}}}
        training:
          batch_size: 96
          epochs: 7
          virtual_shards: 32
          early_stopping: {monitor: validation_accuracy, patience: 2, min_delta: 0.01, restore_best: false, start_epoch: 3, stop_at: 0.99}
          validate_every: 2
          checkpoint: {every_seconds: 0.5, keep: 1}
        cluster:
          minimum_workers: 2
          join_timeout_seconds: 0
          idle_timeout_seconds: 1.5
          heartbeat_ms: 250
          instruction_set: avx2
          transport: messages
          chunk_bytes: 65536
        """,
        """
        optimizer:
          rule: {adamw: {learning_rate: 0.1, weight_decay: 0}}
          schedule: {one_cycle: {max_lr: 1, total_steps: 30}}
          warmup_steps: 7
          warmup_start_factor: 0
          clip: {global_norm: 5}
          groups:
            - {match: "layers.1.*", learning_rate: 1e-4, betas: [0, 0.5], l1: 0, l2: 0, frozen: true}
            - {match: "*", weight_decay: 0, max_norm: none}
            - {match: "[ab]", max_norm: 3, amsgrad: true}
        regularization: {l1: 0.5, max_norm: 2}
        training: {non_finite: skip}
        """,
        "optimizer: {rule: {adagrad: {learning_rate: 1, rate_decay: 2, initial_accumulator: 3}}, schedule: {step: {step_size: 3}}}",
        "optimizer: {rule: {rmsprop: {learning_rate: 1, alpha: 0, centered: true, momentum: 0.5}}, schedule: {exponential: {gamma: 1}}}",
        "optimizer: {rule: adamax, schedule: cosine}",
        "optimizer: {rule: {nadam: {momentum_decay: 0}}, schedule: {cosine: {steps: none, min_lr: 1e-6}}}",
        "optimizer: {rule: {radam: {betas: [0, 0.7]}}, schedule: {polynomial: {steps: 3, power: 0.5}}}",
        "optimizer: {rule: {adadelta: {rho: 0}}, schedule: {reduce_on_plateau: {factor: 0.5, patience: 0, min_delta: 1, min_rate: 1e-3}}}",
        "optimizer: {rule: {adam: {learning_rate: 0.1, betas: [0, 0.5], epsilon: 1e-30, amsgrad: true}}}",
        """
        model:
          initializer: he_normal
          layers: [{dense: {units: 1}}]
          loss: binary_cross_entropy
        """,
        """
        model:
          layers:
            - prelu
            - prelu: {per_channel: true, name: p}
            - elu: {alpha: 0.5}
            - selu
            - gelu
            - gelu: {approximate: tanh}
            - silu
            - softplus
            - hard_sigmoid
            - softmax
            - maxout: {units: 240, pieces: 5}
            - maxout: {units: 3, name: m}
            - layer_norm: {epsilon: 1e-3}
            - layer_norm
          loss: {softmax_cross_entropy: {label_smoothing: 0.1}}
        """,
        "data: {train: {builtin: digits}, task: regression}\nmodel: {layers: [{dense: {units: 1}}], loss: {huber: {delta: 0.5}}}",
        "data: {train: {builtin: digits}, task: regression}\nmodel: {layers: [{dense: {units: 1}}], loss: mean_absolute_error}",
    ]

    @Test(arguments: variety)
    func readsBackAsAnEqualConfigurationFromAnyFolder(fragment: String) throws {
        let configuration = try RunFile(fragment).load()
        let again = try RunConfiguration.load(text: configuration.effectiveYAML, file: "other/copy.yaml", folder: "/elsewhere")
        #expect(again == configuration)
        #expect(again.effectiveYAML == configuration.effectiveYAML)
        #expect(again.bitRelevantCanonical == configuration.bitRelevantCanonical)
    }

    @Test func theDocumentedFileReadsBackAsAnEqualConfiguration() throws {
        let configuration = try documented()
        #expect(try RunFile.load(configuration.effectiveYAML) == configuration)
    }

    @Test func everyDocumentedKeyIsWritten() throws {
        let written = """
            name: "run"
            seed: 1
            data:
              train: {csv: {path: "/runs/a.tsv", target: "y", delimiter: "\\t", header: true, categorical: []}}
              validation: {fraction: 0.1}
              test: none
              limit: none
              task: classification
              shape: none
              preprocessing: none
              target_standardize: false
              ship: true
              redeal_every: none
            model:
              initializer: auto
              initialize_from: none
              layers:
                - flatten
                - {dense: {units: 10, bias: true, initializer: none, bias_initializer: {constant: 0}, name: none}}
              loss: {softmax_cross_entropy: {label_smoothing: 0}}
            optimizer:
              rule: {adam: {learning_rate: 0.001, betas: [0.9, 0.999], epsilon: 1e-08, amsgrad: false}}
              schedule: constant
              warmup_steps: 0
              warmup_start_factor: 0.1
              clip: none
              groups: []
            regularization:
              l1: 0
              l2: 0
              max_norm: none
            training:
              batch_size: 128
              epochs: 20
              virtual_shards: 4
              mode: exact
              precision: f32
              early_stopping: none
              validate_every: 1
              checkpoint: {every_seconds: 60, keep: 3}
              non_finite: stop
            cluster:
              minimum_workers: 1
              join_timeout_seconds: 60
              idle_timeout_seconds: 600
              heartbeat_ms: 1000
              instruction_set: auto
              transport: auto
              chunk_bytes: 1048576
              wire: f32
              parameter_servers: 1
            diagnose:
              fitted: 0.9

            """
        #expect(try RunFile("data:\n  train: {csv: {path: a.tsv, target: y}}\n").load().effectiveYAML == written)
    }
}
