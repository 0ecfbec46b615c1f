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
              train: {builtin: digits}
              ship: false
            """,
            #"run.yaml:8:9: data.ship: "ship: false" is not supported yet; only true is"#),
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
