import Testing

/// Wrong values under `name`, `seed`, `optimizer`, `regularization`, `training`, `cluster` and `diagnose`.
@Suite struct SettingProblemTests {
    @Test(arguments: cases)
    func wrongValuesAreReportedWithWhatIsAllowed(_ example: Case) {
        #expect(problems(in: RunFile(example.fragment).text) == example.expected)
    }

    static let cases = [
        Case(
            "optimizer:",
            "run.yaml:6:1: optimizer.rule: is required: one of sgd, momentum, adagrad, rmsprop, adam, adamw, adamax, nadam, radam, adadelta, lbfgs, conjugate_gradient"
        ),
        Case(
            """
            optimizer:
              rule: sgd
            """,
            "run.yaml:7:9: optimizer.rule.sgd.learning_rate: is required: a number > 0"),
        Case(
            """
            optimizer:
              rule: {adma: {}}
            """,
            #"run.yaml:7:3: optimizer.rule: must be one of sgd, momentum, adagrad, rmsprop, adam, adamw, adamax, nadam, radam, adadelta, lbfgs, conjugate_gradient, got "adma"; did you mean adam?"#
        ),
        Case(
            """
            optimizer:
              rule: {sgd: {learning_rate: 0}}
            """,
            "run.yaml:7:31: optimizer.rule.sgd.learning_rate: must be a number > 0, got 0"),
        Case(
            """
            optimizer:
              rule: {momentum: {learning_rate: -1, momentum: 1, dampening: 2, nesterov: 1}}
            """,
            "run.yaml:7:36: optimizer.rule.momentum.learning_rate: must be a number > 0, got -1",
            "run.yaml:7:50: optimizer.rule.momentum.momentum: must be a number ≥ 0 and < 1, got 1",
            "run.yaml:7:64: optimizer.rule.momentum.dampening: must be a number in 0…1, got 2",
            "run.yaml:7:77: optimizer.rule.momentum.nesterov: must be true or false, got 1; did you mean true?"),
        Case(
            """
            optimizer:
              rule: {momentum: {learning_rate: 1, dampening: 0.5, nesterov: true}}
            """,
            "run.yaml:7:65: optimizer.rule.momentum.nesterov: needs momentum > 0 and dampening 0"),
        Case(
            """
            optimizer:
              rule: {adam: {learning_rate: 1e60, betas: [0.9, 1], epsilon: 1e-60}}
            """,
            "run.yaml:7:32: optimizer.rule.adam.learning_rate: must be a number > 0, got 1e60; it is too large for 32-bit floats",
            "run.yaml:7:38: optimizer.rule.adam.betas: must be two numbers ≥ 0 and < 1; item 1 must be a number ≥ 0 and < 1, got 1",
            "run.yaml:7:64: optimizer.rule.adam.epsilon: must be a number > 0, got 1e-60; it is too small for 32-bit floats"),
        Case(
            """
            optimizer:
              rule: {adam: {learning_rate: .nan, betas: [0.9], epsilon: 0}}
              clip: value
              schedule: consant
            """,
            """
            run.yaml:7:32: optimizer.rule.adam.learning_rate: must be a number > 0, got .nan; numbers must be finite and \
            fit 32-bit floats
            """,
            "run.yaml:7:38: optimizer.rule.adam.betas: must be two numbers ≥ 0 and < 1, got a list",
            "run.yaml:7:61: optimizer.rule.adam.epsilon: must be a number > 0, got 0",
            "run.yaml:8:9: optimizer.clip.value: needs a value: a number > 0",
            #"run.yaml:9:13: optimizer.schedule: must be one of constant, step, exponential, cosine, polynomial, one_cycle, reduce_on_plateau, got "consant"; did you mean constant?"#
        ),
        Case(
            """
            optimizer:
              rule: {sgd: {learning_rate: 1}, adam: {}}
              clip: {value: 0}
              warmup_steps: -1
              groups: 3
            """,
            "run.yaml:7:3: optimizer.rule: must be exactly one of sgd, momentum, adagrad, rmsprop, adam, adamw, adamax, nadam, radam, adadelta, lbfgs, conjugate_gradient, got sgd and adam",
            "run.yaml:8:17: optimizer.clip.value: must be a number > 0, got 0",
            "run.yaml:9:17: optimizer.warmup_steps: must be a whole number in 0…1099511627776, got -1",
            "run.yaml:10:11: optimizer.groups: must be a list of groups, got 3"),
        Case(
            "regularization: {l1: -1, l2: .inf, max_norm: 0}",
            "run.yaml:8:22: regularization.l1: must be a number ≥ 0, got -1",
            "run.yaml:8:30: regularization.l2: must be a number ≥ 0, got .inf; numbers must be finite and fit 32-bit floats",
            "run.yaml:8:46: regularization.max_norm: must be a number > 0 or none, got 0"),
        Case(
            #"training: {batch_size: 0, epochs: 2.5, validate_every: "3", checkpoint: {every_seconds: -1, keep: 1_000}}"#,
            "run.yaml:8:24: training.batch_size: must be a whole number in 1…16777216, got 0",
            "run.yaml:8:35: training.epochs: must be a whole number in 1…1000000, got 2.5",
            #"run.yaml:8:56: training.validate_every: must be a whole number in 1…1000000, got the text "3"; remove the quotes"#,
            "run.yaml:8:89: training.checkpoint.every_seconds: must be a number in 0…100000000, got -1",
            #"run.yaml:8:99: training.checkpoint.keep: must be a whole number in 1…1000, got the text "1_000"; write 1000"#),
        Case(
            "training: {batch_size: true, epochs: many, virtual_shards: 3, mode: exakt, precision: f64, non_finite: halt}",
            "run.yaml:8:24: training.batch_size: must be a whole number in 1…16777216, got true",
            #"run.yaml:8:38: training.epochs: must be a whole number in 1…1000000, got the text "many""#,
            "run.yaml:8:60: training.virtual_shards: must be a power of two in 1…65536 or auto, got 3",
            #"run.yaml:8:69: training.mode: must be one of exact, fast, ssp, async, got "exakt"; did you mean exact?"#,
            #"run.yaml:8:87: training.precision: must be one of f32, bf16, got "f64""#,
            #"run.yaml:8:104: training.non_finite: must be one of stop, skip, got "halt""#),
        Case(
            "training: {early_stopping: 5, checkpoint: 3}",
            "run.yaml:8:28: training.early_stopping: must be a map of keys or none, got 5",
            "run.yaml:8:43: training.checkpoint: must be a map of keys, got 3"),
        Case(
            """
            training:
              early_stopping: {monitor: loss, patience: 0, min_delta: -1, restore_best: maybe, start_epoch: 0, stop_at: never}
            """,
            #"run.yaml:9:29: training.early_stopping.monitor: must be one of validation_loss, validation_accuracy, got "loss""#,
            "run.yaml:9:45: training.early_stopping.patience: must be a whole number in 1…1000000, got 0",
            "run.yaml:9:59: training.early_stopping.min_delta: must be a number ≥ 0, got -1",
            #"run.yaml:9:77: training.early_stopping.restore_best: must be true or false, got the text "maybe""#,
            "run.yaml:9:97: training.early_stopping.start_epoch: must be a whole number in 1…1000000, got 0",
            #"run.yaml:9:109: training.early_stopping.stop_at: must be a number or none, got the text "never""#),
        Case(
            """
            training:
              early_stopping: {monitor: validation_accuracy, stop_at: 1.5}
            """,
            "run.yaml:9:59: training.early_stopping.stop_at: must be a number in 0…1 or none, got 1.5"),
        Case(
            "cluster: {minimum_workers: 0, join_timeout_seconds: -1, idle_timeout_seconds: x, heartbeat_ms: 10, instruction_set: sse}",
            "run.yaml:8:28: cluster.minimum_workers: must be a whole number in 1…65536, got 0",
            "run.yaml:8:53: cluster.join_timeout_seconds: must be a number in 0…100000000, got -1",
            #"run.yaml:8:79: cluster.idle_timeout_seconds: must be a number in 0…100000000, got the text "x""#,
            "run.yaml:8:96: cluster.heartbeat_ms: must be a whole number in 50…60000, got 10",
            #"run.yaml:8:117: cluster.instruction_set: must be one of auto, avx2, avx512, got "sse""#),
        Case(
            "cluster: {transport: tcp, chunk_bytes: 100000, wire: f16, parameter_servers: 0}",
            #"run.yaml:8:22: cluster.transport: must be one of auto, shared_memory, messages, got "tcp""#,
            """
            run.yaml:8:40: cluster.chunk_bytes: must be a multiple of 65536 in 65536…1073741824, got 100000; the nearest \
            are 65536 and 131072
            """,
            #"run.yaml:8:54: cluster.wire: must be one of f32, bf16, got "f16"; did you mean bf16?"#,
            "run.yaml:8:78: cluster.parameter_servers: must be a whole number in 1…1024, got 0"),
        Case(
            "cluster: {chunk_bytes: 65535}",
            "run.yaml:8:24: cluster.chunk_bytes: must be a multiple of 65536 in 65536…1073741824, got 65535"),
        Case(
            "diagnose: {fitted: 0}",
            "run.yaml:8:20: diagnose.fitted: must be a number > 0 and ≤ 1, got 0"),
        Case(
            "seed: -1",
            "run.yaml:8:7: seed: must be a whole number in 0…18446744073709551615, got -1"),
        Case(
            "seed: 18446744073709551616",
            "run.yaml:8:7: seed: must be a whole number in 0…18446744073709551615, got 18446744073709551616"),
        Case(
            "seed: 1.5",
            "run.yaml:8:7: seed: must be a whole number in 0…18446744073709551615, got 1.5"),
        Case(
            "name: a/b",
            """
            run.yaml:8:7: name: must be a name that a folder can have, got the text "a/b"; at most 200 bytes, no /, no \
            leading - and no space at its ends
            """),
        Case(
            "name: 007",
            #"run.yaml:8:7: name: must be a name that a folder can have, got 007; to have it as text, write "007" with the quotes"#),
        Case(
            "name: ..",
            """
            run.yaml:8:7: name: must be a name that a folder can have, got the text ".."; at most 200 bytes, no /, no \
            leading - and no space at its ends
            """),
    ]
}
