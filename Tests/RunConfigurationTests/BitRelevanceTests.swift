import RunConfiguration
import Testing

/// `bitRelevantCanonical` and the keys it is made of.
@Suite struct BitRelevanceTests {
    private static let file = RunFile(
        """
        seed: 3
        data:
          train: {csv: {path: a.csv, target: y, categorical: [b]}}
          test: {idx: {features: f, labels: l}}
        model:
          layers: [flatten, {dense: {units: 4, name: h}}, {leaky_relu: {slope: 0.5}}, {dropout: {rate: 0.5}}, {dense: {units: 10}}]
          loss: softmax_cross_entropy
        optimizer:
          rule: {momentum: {learning_rate: 0.1}}
        training:
          early_stopping: {patience: 3}
        """)

    private static let free = [
        "name=other", "data.train.csv.path=elsewhere.csv", "data.test.idx.features=g", "data.test.idx.labels=/m", "training.epochs=9",
        "training.checkpoint.every_seconds=1", "training.checkpoint.keep=9", "cluster.minimum_workers=2", "cluster.join_timeout_seconds=1",
        "cluster.idle_timeout_seconds=1", "cluster.heartbeat_ms=100", "cluster.transport=messages", "cluster.chunk_bytes=65536",
        "diagnose.fitted=0.5",
        // The defaults, written out.
        "data.ship=true", "training.virtual_shards=4", "training.mode=exact", "optimizer.rule.momentum.momentum=0.90", "cluster.wire=f32",
        "data.validation={fraction: 1e-1}", "model.layers.0={flatten: {}}",
    ]

    /// Every [bits] key that has more than one value so far, each with the key that must differ.
    private static let bits = [
        ("seed=4", "seed"),
        ("data.train={builtin: digits}", "data.train.csv.target"),
        ("data.train.csv.target=z", "data.train.csv.target"),
        ("data.train.csv.target=0", "data.train.csv.target"),
        ("data.train.csv.delimiter=;", "data.train.csv.delimiter"),
        ("data.train.csv={path: a, header: false, target: 1, categorical: [0]}", "data.train.csv.header"),
        ("data.train.csv.categorical=[c]", "data.train.csv.categorical"),
        ("data.validation={fraction: 0.2}", "data.validation.fraction"),
        ("data.validation={builtin: digits}", "data.validation.fraction"),
        ("data.test={builtin: digits}", "data.test.idx"),
        ("data.test=none", "data.test.idx"),
        ("data.limit=5", "data.limit"),
        ("training.mode=fast", "training.mode"),
        ("training.mode=ssp", "training.mode.ssp.staleness"),
        ("data.shape=[4]", "data.shape"),
        ("data.redeal_every=3", "data.redeal_every"),
        ("data.train={npy: {features: a, labels: b}}", "data.train.npy"),
        ("data.train={cifar10: {paths: [a]}}", "data.train.cifar10"),
        ("data.train={libsvm: {path: a, features: 4}}", "data.train.libsvm.features"),
        ("model.initialize_from=a.safetensors", "model.initialize_from"),
        ("data.preprocessing={standardize: true}", "data.preprocessing"),
        ("model.initializer=he_normal", "model.initializer"),
        ("model.layers.0=relu", "model.layers[0]"),
        ("model.layers.1.dense.units=5", "model.layers[1].dense.units"),
        ("model.layers.1.dense.bias=false", "model.layers[1].dense.bias"),
        ("model.layers.1.dense.initializer=he_normal", "model.layers[1].dense.initializer"),
        ("model.layers.1.dense.bias_initializer={constant: 1}", "model.layers[1].dense.bias_initializer.constant"),
        ("model.layers.1.dense.name=g", "model.layers[1].dense.name"),
        ("model.layers.2.leaky_relu.slope=0.25", "model.layers[2].leaky_relu.slope"),
        ("model.layers.3.dropout.rate=0.25", "model.layers[3].dropout.rate"),
        ("model.layers.3.dropout.scaling=classic", "model.layers[3].dropout.scaling"),
        ("model.layers.2={elu: {alpha: 2}}", "model.layers[2].leaky_relu.slope"),
        ("model.layers.1={maxout: {units: 4, name: h}}", "model.layers[1].dense.units"),
        ("model.loss={softmax_cross_entropy: {label_smoothing: 0.5}}", "model.loss.softmax_cross_entropy.label_smoothing"),
        ("model.loss=binary_cross_entropy", "model.loss.softmax_cross_entropy.label_smoothing"),
        ("optimizer.rule=adam", "optimizer.rule.momentum.learning_rate"),
        ("optimizer.rule.momentum.learning_rate=0.2", "optimizer.rule.momentum.learning_rate"),
        ("optimizer.rule.momentum.momentum=0.5", "optimizer.rule.momentum.momentum"),
        ("optimizer.rule.momentum.dampening=0.5", "optimizer.rule.momentum.dampening"),
        ("optimizer.rule.momentum.nesterov=true", "optimizer.rule.momentum.nesterov"),
        ("optimizer.clip={value: 1}", "optimizer.clip"),
        ("optimizer.clip={global_norm: 1}", "optimizer.clip"),
        ("optimizer.schedule={cosine: {steps: 5}}", "optimizer.schedule"),
        ("optimizer.schedule={cosine: {steps: 5}}", "optimizer.schedule.cosine.steps"),
        ("optimizer.warmup_steps=1", "optimizer.warmup_steps"),
        ("optimizer.warmup_start_factor=0.5", "optimizer.warmup_start_factor"),
        ("optimizer.groups=[{match: a}]", "optimizer.groups"),
        ("optimizer.groups=[{match: a, learning_rate: 0.2, l1: 0, l2: 0, max_norm: none, frozen: true}]", "optimizer.groups[0].match"),
        ("regularization.max_norm=1", "regularization.max_norm"),
        ("training.non_finite=skip", "training.non_finite"),
        ("regularization.l1=1", "regularization.l1"),
        ("regularization.l2=1", "regularization.l2"),
        ("training.batch_size=256", "training.batch_size"),
        ("training.virtual_shards=2", "training.virtual_shards"),
        ("training.early_stopping=none", "training.early_stopping.monitor"),
        ("training.early_stopping.monitor=validation_accuracy", "training.early_stopping.monitor"),
        ("training.early_stopping.patience=4", "training.early_stopping.patience"),
        ("training.early_stopping.min_delta=0.1", "training.early_stopping.min_delta"),
        ("training.early_stopping.restore_best=false", "training.early_stopping.restore_best"),
        ("training.early_stopping.start_epoch=2", "training.early_stopping.start_epoch"),
        ("training.early_stopping.stop_at=0.1", "training.early_stopping.stop_at"),
        ("training.validate_every=2", "training.validate_every"),
        ("cluster.instruction_set=avx2", "cluster.instruction_set"),
    ]

    @Test(arguments: free)
    func settingsThatAreNoBitsDoNotShow(override: String) throws {
        #expect(try Self.file.load(overrides: [override]).bitRelevantCanonical == Self.file.load().bitRelevantCanonical)
    }

    @Test(arguments: bits)
    func settingsThatAreBitsShowAndAreNamed(override: String, key: String) throws {
        let (before, after) = (try Self.file.load(), try Self.file.load(overrides: [override]))
        #expect(before.bitRelevantCanonical != after.bitRelevantCanonical)
        let differences = BitRelevantDifference.between(before.bitRelevantKeys, after.bitRelevantKeys)
        #expect(differences.contains { $0.key == key })
    }

    /// A key that is neither in the table of bits nor in that of free settings would slip through both tests.
    @Test func everyKeyWithMoreThanOneValueIsInTheTable() throws {
        let onlyOneValueYet = [
            "data.task", "data.target_standardize", "training.precision", "cluster.wire",
        ]
        let alike = ["model.layers[2].leaky_relu.name", "model.layers[3].dropout.name", "model.layers[4]"]
        let covered = Set(Self.bits.map(\.1) + onlyOneValueYet)
        let keys = try Self.file.load().bitRelevantKeys.map(\.key)
        #expect(keys.filter { key in !covered.contains(key) && !alike.contains { key.hasPrefix($0) } } == [])
    }

    @Test func commentsAndTheOrderOfKeysDoNotShow() throws {
        let one = RunFile("training: {batch_size: 64, epochs: 3}\nseed: 7\nregularization: {l1: 1, l2: 2}\n")
        let two = RunFile("# c\nregularization:\n  l2: 2.0 # c\n  l1: 1e0\nseed: 0x7\ntraining:\n  epochs: 3\n  batch_size: 64\n")
        #expect(try one.load().bitRelevantCanonical == two.load().bitRelevantCanonical)
    }

    @Test func taskAndTargetScalingShow() throws {
        let model = "model: {layers: [{dense: {units: 1}}], loss: mean_squared_error}\n"
        let data = { (flag: Bool) in "data: {train: {csv: {path: a, target: 0}}, task: regression, target_standardize: \(flag)}\n" }
        let (plain, scaled) = (try RunFile(data(false) + model).load(), try RunFile(data(true) + model).load())
        #expect(
            BitRelevantDifference.between(plain.bitRelevantKeys, scaled.bitRelevantKeys).map(\.description)
                == ["data.target_standardize: was false, is true"])
        #expect(plain.bitRelevantKeys.contains(BitRelevantKey(key: "data.task", value: "regression")))
    }

    /// A change here makes every checkpoint unusable for resuming.
    @Test func theTextIsStable() throws {
        let text = try RunFile("data: {train: {idx: {features: f, labels: l}}}").load().bitRelevantCanonical
        #expect(
            text == """
                seed=1
                data.train.idx={}
                data.validation.fraction=0.1
                data.test=none
                data.limit=none
                data.task=classification
                data.shape=none
                data.preprocessing=none
                data.target_standardize=false
                data.redeal_every=none
                model.initializer=auto
                model.initialize_from=none
                model.layers[0]=flatten
                model.layers[1].dense.units=10
                model.layers[1].dense.bias=true
                model.layers[1].dense.initializer=none
                model.layers[1].dense.bias_initializer.constant=0
                model.layers[1].dense.name=none
                model.loss.softmax_cross_entropy.label_smoothing=0
                optimizer.rule.adam.learning_rate=0.001
                optimizer.rule.adam.betas=[0.9, 0.999]
                optimizer.rule.adam.epsilon=1e-08
                optimizer.rule.adam.amsgrad=false
                optimizer.schedule=constant
                optimizer.warmup_steps=0
                optimizer.warmup_start_factor=0.1
                optimizer.clip=none
                optimizer.groups=[]
                regularization.l1=0
                regularization.l2=0
                regularization.max_norm=none
                training.batch_size=128
                training.virtual_shards=4
                training.mode=exact
                training.precision=f32
                training.early_stopping=none
                training.validate_every=1
                training.non_finite=stop
                cluster.instruction_set=auto
                cluster.wire=f32

                """)
    }

    @Test func differencesNameBothValues() {
        let before = [BitRelevantKey(key: "a", value: "1"), BitRelevantKey(key: "b", value: "2"), BitRelevantKey(key: "c", value: "3")]
        let after = [BitRelevantKey(key: "a", value: "1"), BitRelevantKey(key: "c", value: "4"), BitRelevantKey(key: "d", value: "5")]
        #expect(
            BitRelevantDifference.between(before, after).map(\.description) == [
                "b: was 2, is not there", "c: was 3, is 4", "d: was not there, is 5",
            ])
    }
}
