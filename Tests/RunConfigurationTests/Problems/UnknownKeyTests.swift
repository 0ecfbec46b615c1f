import Testing

/// Keys that do not exist.
@Suite struct UnknownKeyTests {
    @Test(arguments: cases)
    func unknownKeysAreReportedWithTheNearestName(_ example: Case) {
        #expect(problems(in: RunFile(example.fragment).text) == example.expected)
    }

    static let cases = [
        Case(
            "training: {batch_siez: 3}",
            """
            run.yaml:8:12: training.batch_siez: unknown key; allowed: batch_size, epochs, virtual_shards, mode, \
            precision, early_stopping, validate_every, checkpoint, non_finite; did you mean batch_size?
            """),
        Case(
            "training: {epohcs: 3}",
            """
            run.yaml:8:12: training.epohcs: unknown key; allowed: batch_size, epochs, virtual_shards, mode, precision, \
            early_stopping, validate_every, checkpoint, non_finite; did you mean epochs?
            """),
        Case(
            "training: {learning_rate: 2}",
            """
            run.yaml:8:12: training.learning_rate: unknown key; allowed: batch_size, epochs, virtual_shards, mode, \
            precision, early_stopping, validate_every, checkpoint, non_finite; did you mean \
            optimizer.rule.adam.learning_rate?
            """),
        Case(
            "epochs: 3",
            """
            run.yaml:8:1: epochs: unknown key; allowed: name, seed, data, model, optimizer, regularization, training, \
            cluster, diagnose; did you mean training.epochs?
            """),
        Case(
            "trianing: {epochs: 3}",
            """
            run.yaml:8:1: trianing: unknown key; allowed: name, seed, data, model, optimizer, regularization, training, \
            cluster, diagnose; did you mean training?
            """),
        Case(
            "something: 3",
            """
            run.yaml:8:1: something: unknown key; allowed: name, seed, data, model, optimizer, regularization, training, \
            cluster, diagnose
            """),
        Case(
            """
            data:
              train: {csv: {path: a, target: b, seperator: c}}
            """,
            "run.yaml:7:37: data.train.csv.seperator: unknown key; allowed: path, target, delimiter, header, categorical"),
        Case(
            """
            optimizer:
              rule: {adam: {beta3: 1}}
            """,
            "run.yaml:7:17: optimizer.rule.adam.beta3: unknown key; allowed: learning_rate, betas, epsilon, amsgrad; did you mean betas?"),
        Case(
            "<<: {seed: 1}",
            "run.yaml:8:1: <<: merge keys are not part of YAML 1.2; repeat the keys"),
        Case(
            "1: 2",
            "run.yaml:8:1: 1: unknown key; allowed: name, seed, data, model, optimizer, regularization, training, cluster, diagnose"),
        Case(
            #""": 2"#,
            #"run.yaml:8:1: "": unknown key; allowed: name, seed, data, model, optimizer, regularization, training, cluster, diagnose"#),
        Case(
            #""a\nb": 2"#,
            """
            run.yaml:8:1: "a\\nb": unknown key; allowed: name, seed, data, model, optimizer, regularization, training, \
            cluster, diagnose
            """),
    ]
}
