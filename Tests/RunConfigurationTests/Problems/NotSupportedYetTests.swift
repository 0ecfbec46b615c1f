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
              layers: [{dense: {units: 10}}]
              loss: softmax_cross_entropy
            """,
            #"run.yaml:6:20: model.initialize_from: "initialize_from: other.safetensors" is not supported yet; only none is"#),
        Case(
            """
            model:
              loss: softmax_cross_entropy
              layers:
                - conv2d: {filters: 3, kernel: 3}
                - max_pool2d: {kernel: 2}
                - avg_pool2d: {kernel: 2}
                - global_avg_pool2d
                - batch_norm
                - residual: {layers: [relu]}
            """,
            #"run.yaml:8:7: model.layers[0]: "conv2d" is not supported yet; supported: \#(layerNames)"#,
            #"run.yaml:9:7: model.layers[1]: "max_pool2d" is not supported yet; supported: \#(layerNames)"#,
            #"run.yaml:10:7: model.layers[2]: "avg_pool2d" is not supported yet; supported: \#(layerNames)"#,
            #"run.yaml:11:7: model.layers[3]: "global_avg_pool2d" is not supported yet; supported: \#(layerNames)"#,
            #"run.yaml:12:7: model.layers[4]: "batch_norm" is not supported yet; supported: \#(layerNames)"#,
            #"run.yaml:13:7: model.layers[5]: "residual" is not supported yet; supported: \#(layerNames)"#),
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
