import RunConfiguration
import Testing

/// What works, as messages list it.
let layerNames =
    "flatten, dense, sigmoid, tanh, relu, leaky_relu, prelu, elu, selu, gelu, silu, softplus, hard_sigmoid, softmax, dropout, maxout, layer_norm"
let lossNames = "softmax_cross_entropy, binary_cross_entropy, mean_squared_error, mean_absolute_error, huber"

/// A run file of seven lines, all of it required, whose sections can be replaced; `rest` begins on line 8 if none is.
struct RunFile {
    var data = """
        data:
          train: {builtin: digits}

        """
    var model = """
        model:
          layers: [flatten, {dense: {units: 10}}]
          loss: softmax_cross_entropy

        """
    var optimizer = """
        optimizer:
          rule: adam

        """
    var rest = ""

    var text: String { data + model + optimizer + rest }

    /// A file in which the sections that a fragment begins with a name of are replaced by it; the fragment comes last.
    init(_ fragment: String = "") {
        rest = fragment.hasSuffix("\n") ? fragment : fragment + "\n"
        let keys = Set(rest.split(separator: "\n").compactMap { $0.first == " " ? nil : $0.prefix { $0 != ":" } })
        if keys.contains("data") { data = "" }
        if keys.contains("model") { model = "" }
        if keys.contains("optimizer") { optimizer = "" }
    }

    func load(overrides: [String] = []) throws(ProblemList) -> RunConfiguration {
        try Self.load(text, overrides: overrides)
    }

    static func load(_ text: String, overrides: [String] = []) throws(ProblemList) -> RunConfiguration {
        try RunConfiguration.load(
            text: text, file: "run.yaml", folder: "/runs", environment: ["HOME": "/home/ada", "NESTED": "${HOME}"], overrides: overrides)
    }
}

/// The printed problems of a text; none where it is a run file.
func problems(in text: String, overrides: [String] = []) -> [String] {
    do throws(ProblemList) {
        _ = try RunFile.load(text, overrides: overrides)
        return []
    } catch {
        return error.description.split(separator: "\n").map(String.init)
    }
}

/// A fragment of a run file, and the problems that it must cause.
struct Case: CustomTestStringConvertible {
    let fragment: String
    let expected: [String]

    init(_ fragment: String, _ expected: String...) {
        self.fragment = fragment
        self.expected = expected
    }

    var testDescription: String { fragment }
}
