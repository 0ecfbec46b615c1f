import Testing

/// Wrong values under `data`.
@Suite struct DataProblemTests {
    @Test(arguments: cases)
    func wrongValuesAreReportedWithWhatIsAllowed(_ example: Case) {
        #expect(problems(in: RunFile(example.fragment).text) == example.expected)
    }

    static let cases = [
        Case(
            """
            data:
              train: {npy: {features: a}}
              validation: {cifar10: {paths: []}}
              test: {libsvm: {path: a, feature: 3}}
              redeal_every: 0
            """,
            "run.yaml:7:11: data.train.npy.labels: is required: a path",
            "run.yaml:8:26: data.validation.cifar10.paths: must be a list of paths, got an empty list",
            "run.yaml:9:10: data.test.libsvm.features: is required: a whole number in 1…268435456",
            "run.yaml:9:28: data.test.libsvm.feature: unknown key; allowed: path, features; did you mean features?",
            "run.yaml:10:17: data.redeal_every: must be a whole number in 1…1000000 or none, got 0"),
        Case(
            "data: {}",
            "run.yaml:6:1: data.train: is required: one of builtin, idx, csv, npy, cifar10, libsvm"),
        Case(
            "data:",
            "run.yaml:6:1: data.train: is required: one of builtin, idx, csv, npy, cifar10, libsvm"),
        Case(
            "data: 3",
            "run.yaml:6:7: data: must be a map of keys, got 3"),
        Case(
            """
            data:
              train: digits
            """,
            #"run.yaml:7:10: data.train: must be one of builtin, idx, csv, npy, cifar10, libsvm, got "digits""#),
        Case(
            """
            data:
              train: {builtin: digit}
            """,
            #"run.yaml:7:20: data.train.builtin: must be digits, got "digit"; did you mean digits?"#),
        Case(
            """
            data:
              train: {builtin: digits, idx: {features: a, labels: b}}
            """,
            "run.yaml:7:3: data.train: must be exactly one of builtin, idx, csv, npy, cifar10, libsvm, got builtin and idx"),
        Case(
            """
            data:
              train: {idx: {features: a}}
            """,
            "run.yaml:7:11: data.train.idx.labels: is required: a path"),
        Case(
            """
            data:
              train: {csv: {path: a.csv}}
            """,
            "run.yaml:7:11: data.train.csv.target: is required: a column's name, or its number from 0"),
        Case(
            """
            data:
              train: {csv: {target: y, path: ""}}
            """,
            #"run.yaml:7:34: data.train.csv.path: must be a path, got the text """#),
        Case(
            """
            data:
              train: {csv: {path: a.csv, target: -1, delimiter: ab, header: no}}
            """,
            "run.yaml:7:38: data.train.csv.target: must be a column's name, or its number from 0, got -1",
            """
            run.yaml:7:53: data.train.csv.delimiter: must be one ASCII character other than a letter, a digit, a quote or \
            a line break, got the text "ab"
            """,
            #"run.yaml:7:65: data.train.csv.header: must be true or false, got the text "no"; did you mean false?"#),
        Case(
            """
            data:
              train: {csv: {path: a.csv, target: true, delimiter: \\t, categorical: [1.5]}}
            """,
            """
            run.yaml:7:38: data.train.csv.target: must be a column's name, or its number from 0, got true; put a column's \
            name in quotes if it looks like something else
            """,
            """
            run.yaml:7:55: data.train.csv.delimiter: must be one ASCII character other than a letter, a digit, a quote or \
            a line break, got the text "\\\\t"; write "\\t" in double quotes
            """,
            """
            run.yaml:7:59: data.train.csv.categorical: must be a list of columns, each a name or a number from 0; item 0 \
            must be a column's name, or its number from 0, got 1.5
            """),
        Case(
            """
            data:
              train: {csv: {path: a.csv, target: y, header: false, categorical: [0, b]}}
            """,
            "run.yaml:7:38: data.train.csv.target: must be by number, counted from 0, since header is false",
            "run.yaml:7:56: data.train.csv.categorical: must be by number, counted from 0, since header is false"),
        Case(
            """
            data:
              train: {csv: {path: a.csv, target: y, categorical: [y, b, b]}}
            """,
            "run.yaml:7:41: data.train.csv.categorical: contains the target; categorical columns are features",
            "run.yaml:7:41: data.train.csv.categorical: names a column twice"),
        Case(
            """
            data:
              train: {builtin: digits}
              validation: 0.1
              test: {fraction: 1}
            """,
            "run.yaml:8:15: data.validation: must be one of fraction, none, builtin, idx, csv, npy, cifar10, libsvm, got 0.1",
            "run.yaml:9:20: data.test.fraction: must be a number > 0 and < 1, got 1"),
        Case(
            """
            data:
              train: {builtin: digits}
              validation: fraction
              limit: 0
              task: regresion
              shape: [1, 2]
            """,
            "run.yaml:8:15: data.validation.fraction: needs a value: a number > 0 and < 1",
            "run.yaml:9:10: data.limit: must be a whole number in 1…1099511627776 or none, got 0",
            #"run.yaml:10:9: data.task: must be one of classification, regression, got "regresion"; did you mean regression?"#,
            "run.yaml:11:3: data.shape: must be a list [channels, height, width] or [features] of whole numbers ≥ 1, got 2 numbers"),
        Case(
            """
            data:
              train: {builtin: digits}
              shape: [3, 0, 4]
              preprocessing: {scale: [255, 0]}
            """,
            """
            run.yaml:8:3: data.shape: must be a list [channels, height, width] or [features] of whole numbers ≥ 1; item 1 \
            must be a whole number in 1…268435456, got 0
            """,
            "run.yaml:9:19: data.preprocessing.scale: must be two numbers [low, high], low < high, got [255, 0]"),
        Case(
            """
            data:
              train: {builtin: digits}
              shape: [100000, 100000, 1]
              preprocessing: {standardize: false}
              target_standardize: yes
            """,
            "run.yaml:8:3: data.shape: a row may have at most 268435456 elements",
            "run.yaml:9:32: data.preprocessing.standardize: must be true; to leave it out, write preprocessing: none",
            #"run.yaml:10:23: data.target_standardize: must be true or false, got the text "yes"; did you mean true?"#),
        Case(
            """
            data:
              train: {builtin: digits}
              preprocessing: standardise
              shape: 3
            """,
            #"run.yaml:8:18: data.preprocessing: must be one of scale, standardize, none, got "standardise"; did you mean standardize?"#,
            "run.yaml:9:10: data.shape: must be a list [channels, height, width] or [features] of whole numbers ≥ 1, or none, got 3"),
    ]
}
