import Testing

/// Wrong values under `model`.
@Suite struct ModelProblemTests {
    @Test(arguments: cases)
    func wrongValuesAreReportedWithWhatIsAllowed(_ example: Case) {
        #expect(problems(in: RunFile(example.fragment).text) == example.expected)
    }

    static let cases = [
        Case(
            "model: {}",
            "run.yaml:5:1: model.layers: is required: a list of layers, each a name or {name: {options}}",
            "run.yaml:5:1: model.loss: is required: one of \(lossNames)"),
        Case(
            """
            model:
              layers: []
              loss: softmax_crossentropy
            """,
            "run.yaml:6:3: model.layers: must be a list of layers, each a name or {name: {options}}, got an empty list",
            """
            run.yaml:7:9: model.loss: must be one of \(lossNames), got \
            "softmax_crossentropy"; did you mean softmax_cross_entropy?
            """),
        Case(
            """
            model:
              layers: dense
              loss: softmax_cross_entropy
              initializer: he
            """,
            #"run.yaml:6:11: model.layers: must be a list of layers, each a name or {name: {options}}, got the text "dense""#,
            """
            run.yaml:8:16: model.initializer: must be one of auto, he_normal, he_uniform, xavier_normal, xavier_uniform, \
            normal, constant, got "he"
            """),
        Case(
            """
            model:
              loss: {softmax_cross_entropy: {label_smoothing: 1}}
              initializer: {normal: {std: 0}}
              layers:
                - flaten
                - dense:
                  units: 3
                - {dense: {unit: 3}}
                - dense: {units: 0, bias: 1, name: "3"}
                - dropout: {rate: 1}
                - dropout: {rate: -0.1, scaling: clasic}
                - dense
                - 3
                - [relu]
                - {relu: 3}
                - {}
                - dense: {units: 3, initializer: {constant: .inf}, bias_initializer: {constant: x}}
                - conv2
                - leaky_relu: {slope: 0x}
                - relu: {slope: 0.1}
            """,
            "run.yaml:6:51: model.loss.softmax_cross_entropy.label_smoothing: must be a number ≥ 0 and < 1, got 1",
            "run.yaml:7:31: model.initializer.normal.std: must be a number > 0, got 0",
            """
            run.yaml:9:7: model.layers[0]: must be one of \(layerNames), got \
            "flaten"; did you mean flatten?
            """,
            """
            run.yaml:10:7: model.layers[1]: must be exactly one of \(layerNames), got dense and units; indent the options further than dense
            """,
            "run.yaml:12:8: model.layers[2].dense.units: is required: a whole number in 1…1048576",
            """
            run.yaml:12:16: model.layers[2].dense.unit: unknown key; allowed: units, bias, initializer, bias_initializer, \
            name; did you mean units?
            """,
            "run.yaml:13:22: model.layers[3].dense.units: must be a whole number in 1…1048576, got 0",
            "run.yaml:13:31: model.layers[3].dense.bias: must be true or false, got 1; did you mean true?",
            """
            run.yaml:13:40: model.layers[3].dense.name: must be a name of letters, digits, _ and -, beginning with a \
            letter, or none, got the text "3"
            """,
            "run.yaml:14:23: model.layers[4].dropout.rate: must be a number ≥ 0 and < 1, got 1",
            "run.yaml:15:23: model.layers[5].dropout.rate: must be a number ≥ 0 and < 1, got -0.1",
            #"run.yaml:15:38: model.layers[5].dropout.scaling: must be one of inverted, classic, got "clasic"; did you mean classic?"#,
            "run.yaml:16:7: model.layers[6].dense.units: is required: a whole number in 1…1048576",
            "run.yaml:17:7: model.layers[7]: must be one of \(layerNames), got 3",
            "run.yaml:18:7: model.layers[8]: must be one of \(layerNames), got a list",
            "run.yaml:19:14: model.layers[9].relu: must be a map of keys, got 3",
            "run.yaml:20:7: model.layers[10]: must be one of \(layerNames), got an empty map",
            """
            run.yaml:21:49: model.layers[11].dense.initializer.constant: must be a number, got .inf; numbers must be \
            finite and fit 32-bit floats
            """,
            #"run.yaml:21:85: model.layers[11].dense.bias_initializer.constant: must be a number, got the text "x""#,
            """
            run.yaml:22:7: model.layers[12]: must be one of \(layerNames), got \
            "conv2"; did you mean conv2d? (not supported yet)
            """,
            #"run.yaml:23:27: model.layers[13].leaky_relu.slope: must be a number, got the text "0x""#,
            "run.yaml:24:14: model.layers[14].relu.slope: unknown key; allowed: name; did you mean model.layers[13].leaky_relu.slope?"),
        Case(
            """
            model:
              loss: softmax_cross_entropy
              layers: [{dense: {units: 3, name: a}}, relu, {dense: {units: 3, name: a}}]
            """,
            "run.yaml:7:48: model.layers[2]: the name a belongs to layer 0 already; names are unique"),
        Case(
            """
            model:
              loss: {huber: {delta: 0, beta: 1}}
              layers:
                - prelu: {per_channel: 1}
                - elu: {alpha: -1}
                - gelu: {approximate: tan}
                - gelu: {approx: tanh}
                - maxout: {pieces: 0}
                - maxout: {units: 0, pieces: 2000}
                - maxout
                - layer_norm: {epsilon: 0}
                - selu: {alpha: 1}
                - hardsigmoid
            """,
            """
            run.yaml:6:3: model.loss: huber does not go with task classification, which needs softmax_cross_entropy or \
            binary_cross_entropy
            """,
            "run.yaml:6:25: model.loss.huber.delta: must be a number > 0, got 0",
            "run.yaml:6:28: model.loss.huber.beta: unknown key; allowed: delta",
            "run.yaml:8:28: model.layers[0].prelu.per_channel: must be true or false, got 1; did you mean true?",
            "run.yaml:9:20: model.layers[1].elu.alpha: must be a number ≥ 0, got -1",
            #"run.yaml:10:27: model.layers[2].gelu.approximate: must be one of none, tanh, got "tan"; did you mean tanh?"#,
            "run.yaml:11:14: model.layers[3].gelu.approx: unknown key; allowed: approximate, name",
            "run.yaml:12:7: model.layers[4].maxout.units: is required: a whole number in 1…1048576",
            "run.yaml:12:24: model.layers[4].maxout.pieces: must be a whole number in 1…1024, got 0",
            "run.yaml:13:23: model.layers[5].maxout.units: must be a whole number in 1…1048576, got 0",
            "run.yaml:13:34: model.layers[5].maxout.pieces: must be a whole number in 1…1024, got 2000",
            "run.yaml:14:7: model.layers[6].maxout.units: is required: a whole number in 1…1048576",
            "run.yaml:15:29: model.layers[7].layer_norm.epsilon: must be a number > 0, got 0",
            "run.yaml:16:14: model.layers[8].selu.alpha: unknown key; allowed: name; did you mean model.layers[1].elu.alpha?",
            #"run.yaml:17:7: model.layers[9]: must be one of \#(layerNames), got "hardsigmoid"; did you mean hard_sigmoid?"#),
    ]
}
