import Testing

/// Rules between values.
@Suite struct CrossChecksTests {
    @Test(arguments: cases)
    func valuesThatDoNotGoTogetherAreReported(_ example: Case) {
        #expect(problems(in: RunFile(example.fragment).text) == example.expected)
    }

    static let cases = [
        Case(
            """
            data:
              train: {builtin: digits}
              validation: {fraction: 0.6}
              test: {fraction: 0.4}
            """,
            "run.yaml:9:3: data.test: test 0.4 and validation 0.6 leave nothing to train on; together they must be < 1"),
        Case(
            """
            data:
              train: {builtin: digits}
              validation: none
            training:
              early_stopping: {patience: 3}
            """,
            "run.yaml:10:3: training.early_stopping: needs validation rows, but data.validation is none"),
        Case(
            """
            data:
              train: {builtin: digits}
              target_standardize: true
            """,
            "run.yaml:8:23: data.target_standardize: only goes with task regression, and task is classification"),
        Case(
            """
            data:
              train: {builtin: digits}
              task: regression
            """,
            """
            run.yaml:3:9: model.loss: softmax_cross_entropy does not go with task regression, which needs mean_squared_error \
            or mean_absolute_error or huber
            """),
        Case(
            """
            model:
              layers: [{dense: {units: 10}}]
              loss: mean_squared_error
            """,
            """
            run.yaml:7:9: model.loss: mean_squared_error does not go with task classification, which needs \
            softmax_cross_entropy or binary_cross_entropy
            """),
        Case(
            """
            data:
              train: {builtin: digits}
              task: regression
            model:
              layers: [{dense: {units: 1}}]
              loss: mean_squared_error
            training:
              early_stopping: {monitor: validation_accuracy}
            """,
            "run.yaml:10:29: training.early_stopping.monitor: task regression has no accuracy; it can monitor validation_loss"),
        Case(
            "training: {batch_size: 100, virtual_shards: 8}",
            """
            run.yaml:8:45: training.virtual_shards: must divide batch_size, but 8 does not divide 100; the nearest batch \
            sizes are 96 and 104
            """),
        Case(
            "training: {batch_size: 4, virtual_shards: 8}",
            "run.yaml:8:43: training.virtual_shards: must divide batch_size, but 8 does not divide 4; the nearest batch size is 8"),
        Case(
            "training: {virtual_shards: 8, batch_size: big}",
            #"run.yaml:8:43: training.batch_size: must be a whole number in 1…16777216, got the text "big""#),
        Case(
            "cluster: {minimum_workers: 5}",
            "run.yaml:8:28: cluster.minimum_workers: must be at most virtual_shards (4): no more workers can share a step, got 5"),
        Case(
            """
            cluster: {minimum_workers: 2}
            training: {virtual_shards: 1}
            """,
            "run.yaml:8:28: cluster.minimum_workers: must be at most virtual_shards (1): no more workers can share a step, got 2"),
    ]
}
