import Testing

/// Documented names and values that wait for their feature.
@Suite struct NotSupportedYetTests {
    @Test(arguments: cases)
    func knownNamesAreRefusedAsNotSupportedYet(_ example: Case) {
        #expect(problems(in: RunFile(example.fragment).text) == example.expected)
    }

    static let cases = [
        Case(
            """
            data:
              train: {npy: {features: a, labels: b}}
              validation: {cifar10: {paths: [a]}}
              test: {libsvm: {path: a, features: 3}}
              ship: false
              redeal_every: 3
            """,
            #"run.yaml:7:3: data.train: "npy" is not supported yet; supported: builtin, idx, csv"#,
            #"run.yaml:8:3: data.validation: "cifar10" is not supported yet; supported: fraction, none, builtin, idx, csv"#,
            #"run.yaml:9:3: data.test: "libsvm" is not supported yet; supported: fraction, none, builtin, idx, csv"#,
            #"run.yaml:10:9: data.ship: "ship: false" is not supported yet; only true is"#,
            #"run.yaml:11:17: data.redeal_every: "redeal_every: 3" is not supported yet; only none is"#),
        Case(
            """
            model:
              initialize_from: other.safetensors
              loss: {huber: {delta: 2}}
              layers: [prelu, {elu: {alpha: 1}}, selu, {gelu: {approximate: tanh}}, silu, softplus, hard_sigmoid, softmax]
            """,
            #"run.yaml:6:20: model.initialize_from: "initialize_from: other.safetensors" is not supported yet; only none is"#,
            """
            run.yaml:7:3: model.loss: "huber" is not supported yet; supported: softmax_cross_entropy, \
            binary_cross_entropy, mean_squared_error
            """,
            """
            run.yaml:8:12: model.layers[0]: "prelu" is not supported yet; supported: flatten, dense, sigmoid, tanh, relu, \
            leaky_relu, dropout
            """,
            """
            run.yaml:8:19: model.layers[1]: "elu" is not supported yet; supported: flatten, dense, sigmoid, tanh, relu, \
            leaky_relu, dropout
            """,
            """
            run.yaml:8:38: model.layers[2]: "selu" is not supported yet; supported: flatten, dense, sigmoid, tanh, relu, \
            leaky_relu, dropout
            """,
            """
            run.yaml:8:44: model.layers[3]: "gelu" is not supported yet; supported: flatten, dense, sigmoid, tanh, relu, \
            leaky_relu, dropout
            """,
            """
            run.yaml:8:73: model.layers[4]: "silu" is not supported yet; supported: flatten, dense, sigmoid, tanh, relu, \
            leaky_relu, dropout
            """,
            """
            run.yaml:8:79: model.layers[5]: "softplus" is not supported yet; supported: flatten, dense, sigmoid, tanh, \
            relu, leaky_relu, dropout
            """,
            """
            run.yaml:8:89: model.layers[6]: "hard_sigmoid" is not supported yet; supported: flatten, dense, sigmoid, \
            tanh, relu, leaky_relu, dropout
            """,
            """
            run.yaml:8:103: model.layers[7]: "softmax" is not supported yet; supported: flatten, dense, sigmoid, tanh, \
            relu, leaky_relu, dropout
            """),
        Case(
            """
            model:
              loss: mean_absolute_error
              layers:
                - maxout: {units: 256, pieces: 2}
                - conv2d: {filters: 3, kernel: 3}
                - max_pool2d: {kernel: 2}
                - avg_pool2d: {kernel: 2}
                - global_avg_pool2d
                - batch_norm
                - layer_norm: {epsilon: 1e-5}
                - residual: {layers: [relu]}
            """,
            """
            run.yaml:6:9: model.loss: "mean_absolute_error" is not supported yet; supported: softmax_cross_entropy, \
            binary_cross_entropy, mean_squared_error
            """,
            """
            run.yaml:8:7: model.layers[0]: "maxout" is not supported yet; supported: flatten, dense, sigmoid, tanh, relu, \
            leaky_relu, dropout
            """,
            """
            run.yaml:9:7: model.layers[1]: "conv2d" is not supported yet; supported: flatten, dense, sigmoid, tanh, relu, \
            leaky_relu, dropout
            """,
            """
            run.yaml:10:7: model.layers[2]: "max_pool2d" is not supported yet; supported: flatten, dense, sigmoid, tanh, \
            relu, leaky_relu, dropout
            """,
            """
            run.yaml:11:7: model.layers[3]: "avg_pool2d" is not supported yet; supported: flatten, dense, sigmoid, tanh, \
            relu, leaky_relu, dropout
            """,
            """
            run.yaml:12:7: model.layers[4]: "global_avg_pool2d" is not supported yet; supported: flatten, dense, sigmoid, \
            tanh, relu, leaky_relu, dropout
            """,
            """
            run.yaml:13:7: model.layers[5]: "batch_norm" is not supported yet; supported: flatten, dense, sigmoid, tanh, \
            relu, leaky_relu, dropout
            """,
            """
            run.yaml:14:7: model.layers[6]: "layer_norm" is not supported yet; supported: flatten, dense, sigmoid, tanh, \
            relu, leaky_relu, dropout
            """,
            """
            run.yaml:15:7: model.layers[7]: "residual" is not supported yet; supported: flatten, dense, sigmoid, tanh, \
            relu, leaky_relu, dropout
            """),
        Case(
            """
            model:
              layers: [{dense: {units: 10}}]
              loss: {softmax_cross_entropy: {label_smoothing: 0.1}}
            """,
            #"run.yaml:7:51: model.loss.softmax_cross_entropy.label_smoothing: "label_smoothing: 0.1" is not supported yet; only 0 is"#),
        Case(
            """
            optimizer:
              rule: lbfgs
            """,
            """
            run.yaml:7:9: optimizer.rule: "lbfgs" is not supported yet; supported: sgd, momentum, adagrad, rmsprop, adam, \
            adamw, adamax, nadam, radam, adadelta
            """),
        Case(
            "training: {mode: fast}",
            #"run.yaml:8:18: training.mode: "fast" is not supported yet; supported: exact"#),
        Case(
            "training: {mode: {ssp: {staleness: 2}}}",
            #"run.yaml:8:12: training.mode: "ssp" is not supported yet; supported: exact"#),
        Case(
            "training: {mode: async}",
            #"run.yaml:8:18: training.mode: "async" is not supported yet; supported: exact"#),
        Case(
            "cluster: {wire: bf16, parameter_servers: 2}",
            #"run.yaml:8:17: cluster.wire: "bf16" is not supported yet; supported: f32"#,
            #"run.yaml:8:42: cluster.parameter_servers: "parameter_servers: 2" is not supported yet; only 1 is"#),
    ]
}

/// Names of one option each; the table above has the texts.
@Suite struct LaterNamesTests {
    @Test(arguments: ["lbfgs", "conjugate_gradient"])
    func laterRulesAreRefusedWithOrWithoutOptions(name: String) {
        let supported = "sgd, momentum, adagrad, rmsprop, adam, adamw, adamax, nadam, radam, adadelta"
        let text = "optimizer.rule: \"\(name)\" is not supported yet; supported: \(supported)"
        #expect(problems(in: RunFile("optimizer:\n  rule: \(name)").text) == ["run.yaml:7:9: \(text)"])
        #expect(problems(in: RunFile("optimizer:\n  rule: {\(name): {any: 1}}").text) == ["run.yaml:7:3: \(text)"])
    }
}
