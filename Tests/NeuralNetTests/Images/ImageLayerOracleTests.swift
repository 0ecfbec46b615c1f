import Kernels
import Testing

@testable import NeuralNet

/// Image layers and batch normalisation inside a net, against PyTorch in double precision.
@Suite struct ImageLayerOracleTests {
    /// Relative to the largest value: a few roundings of Float.
    static let tolerance = 1e-5
    static let sets = InstructionSet.allCases.filter { $0 <= .effective }

    struct Case: Decodable {
        let layer: String
        let options: Options
        let x, y, dy, dx: Oracles.Tensor
        let parameters, gradients: [String: Oracles.Tensor]
        let runningMean, runningVariance, meanAfter, varianceAfter: Oracles.Tensor?

        struct Options: Decodable {
            let kernel, stride, padding, dilation, groups: Int?
            let mode: String?
            let eps, momentum: Double?
        }

        enum CodingKeys: String, CodingKey {
            case layer, options, x, y, dy, dx, parameters, gradients
            case runningMean = "running_mean"
            case runningVariance = "running_var"
            case meanAfter = "running_mean_after"
            case varianceAfter = "running_var_after"
        }

        var kind: LayerKind? {
            let kernel = Extent(options.kernel ?? 1), padding = Extent(options.padding ?? 0)
            switch layer {
            case "conv2d":
                return .conv2d(
                    ConvolutionOptions(
                        filters: y.shape[1], kernel: kernel, stride: Extent(options.stride ?? 1), padding: padding,
                        dilation: Extent(options.dilation ?? 1), groups: options.groups ?? 1, bias: parameters["bias"] != nil))
            case "max_pool2d":
                return .maxPool2d(PoolingOptions(kernel: kernel, stride: options.stride.map { Extent($0) }, padding: padding))
            case "avg_pool2d":
                return .averagePool2d(PoolingOptions(kernel: kernel, stride: options.stride.map { Extent($0) }, padding: padding))
            case "global_avg_pool2d": return .globalAveragePool2d
            case "batch_norm": return .batchNorm(momentum: options.momentum ?? 0.1, epsilon: options.eps ?? 1e-5)
            default: return nil
            }
        }

        /// PyTorch's names of a norm's parameters are those of a product.
        func name(_ theirs: String) -> String {
            layer == "batch_norm" ? theirs == "weight" ? "scale" : "shift" : theirs
        }
    }

    /// In front stands a layer that hands x through and can be given a gradient: every channel for itself, times 1. Behind, the mean squared
    /// error's targets are chosen so that its gradient is dy.
    @Test(arguments: sets)
    func layersAgree(set: InstructionSet) throws {
        var compared = 0
        for oracle in try Oracles.cases("layers.json", Case.self, part: "images") {
            guard let kind = oracle.kind, oracle.options.mode != "inference" else { continue }
            let rows = oracle.x.shape[0], rowShape = Array(oracle.x.shape[1...]), channels = rowShape[0]
            let isImage = rowShape.count == 3
            let identity: LayerKind =
                isImage
                ? .conv2d(ConvolutionOptions(filters: channels, kernel: Extent(1), groups: channels, bias: false))
                : .dense(units: channels, bias: false)
            let outputs = oracle.y.values.count / rows
            let network = try Network(net(rowShape, [identity, kind], .meanSquaredError))
            let weights = zeros(network.layout.blockLength)
            network.initialize(into: weights.mutableView, seed: 1)
            let one = weights.mutableView[network.layout.entries[0].range]
            for index in 0..<one.count { one[index] = isImage || index / channels == index % channels ? 1 : 0 }
            for (name, tensor) in oracle.parameters {
                let entry = try #require(network.layout.entry(named: "layers.1.\(oracle.name(name))"))
                weights.mutableView[entry.range].copy(from: block(tensor.floats).view)
            }
            let targets = zip(oracle.y.values, oracle.dy.values).map { Float($0 - $1 * Double(outputs) / 2) }
            let leaf = try SingleLeaf(
                network.specification, Rows(features: oracle.x.floats, targets: targets, count: rows), weights: weights, set: set)
            let (gradient, _) = try leaf.gradient()
            let y = values(leaf.engine.outputs(slot: 0, rows: rows))
            #expect(worst(y, oracle.y.values) <= Self.tolerance, "\(oracle.layer) forward")
            #expect(worst(inputGradient(of: leaf, rowShape), oracle.dx.values) <= Self.tolerance, "\(oracle.layer) input gradient")
            for (name, tensor) in oracle.gradients {
                let entry = try #require(network.layout.entry(named: "layers.1.\(oracle.name(name))"))
                #expect(entry.shape == tensor.shape)
                #expect(worst(values(gradient.view[entry.range]), tensor.values) <= Self.tolerance, "\(oracle.layer) gradient of \(name)")
            }
            if let mean = oracle.meanAfter, let variance = oracle.varianceAfter {
                let after = zeros(network.layout.blockLength), tail = gradient.view[network.layout.count..<network.layout.blockLength]
                let statistics = try #require(network.layout.runningStatistics.first)
                statistics.update(weights.view, into: after.mutableView) { tail.double(at: $0) }
                #expect(worst(values(after.view[statistics.mean.range]), mean.values) <= Self.tolerance, "running mean")
                #expect(worst(values(after.view[statistics.variance.range]), variance.values) <= Self.tolerance, "running variance")
            }
            compared += 1
        }
        #expect(compared >= 11)
    }

    /// What the first layer received, in rows.
    private func inputGradient(of leaf: SingleLeaf, _ rowShape: [Int]) -> [Float] {
        let engine = leaf.engine, received = engine.memory[0].gradients[engine.route(0).received]
        let count = leaf.rows * rowShape.reduce(1, *)
        guard rowShape.count == 3, let carrier = leaf.network.stages[0].carrier else { return values(received.view[0..<count]) }
        let plain = zeros(count), image = ImageShape(rowShape)
        let lanes = engine.workers[carrier]?.outputCount(rows: 1) ?? 0
        // Blocks of 8 or 16 channels, padded.
        let width = lanes / (image.extent.height * image.extent.width)
        Reorder(
            from: image.layout(rows: leaf.rows, block: width % 16 == 0 ? 16 : 8), to: image.plainLayout(rows: leaf.rows),
            threads: PrimitiveThreads()
        ).run(received.view, into: plain.mutableView)
        return values(plain)
    }

    /// A single row has no statistics of its own: its leaf uses the running values, forward and backward, and leaves no sums.
    ///
    /// The published parameter gradients of this case hold those of the training case of the same shape as well: they were added up
    /// without being cleared in between (dx, y and Σdy tell so).
    @Test func inferenceCasesAgreeRowByRow() throws {
        var compared = 0
        for oracle in try Oracles.cases("layers.json", Case.self, part: "images")
        where oracle.layer == "batch_norm" && oracle.options.mode == "inference" {
            guard let kind = oracle.kind, let mean = oracle.runningMean, let variance = oracle.runningVariance else { continue }
            let rows = oracle.x.shape[0], width = oracle.x.shape[1]
            let specification = net([width], [.dense(units: width, bias: false), kind], .meanSquaredError)
            let network = try Network(specification), weights = zeros(network.layout.blockLength)
            let unit = (0..<width * width).map { Float($0 / width == $0 % width ? 1 : 0) }
            let parts = [unit] + ["weight", "bias"].map { oracle.parameters[$0]?.floats ?? [] } + [mean.floats, variance.floats]
            for (index, value) in parts.flatMap({ $0 }).enumerated() { weights.mutableView[index] = value }
            var sums = [String: [Double]]()
            for row in 0..<rows {
                let places = row * width..<(row + 1) * width
                let targets = places.map { Float(oracle.y.values[$0] - oracle.dy.values[$0] * Double(width) / 2) }
                let leaf = try SingleLeaf(
                    specification, Rows(features: Array(oracle.x.floats[places]), targets: targets, count: 1), weights: weights)
                let (gradient, _) = try leaf.gradient()
                #expect(worst(values(leaf.engine.outputs(slot: 0, rows: 1)), Array(oracle.y.values[places])) <= Self.tolerance)
                #expect(worst(inputGradient(of: leaf, [width]), Array(oracle.dx.values[places])) <= Self.tolerance)
                for (theirs, ours) in [("weight", "scale"), ("bias", "shift")] {
                    let entry = try #require(network.layout.entry(named: "layers.1.\(ours)"))
                    sums[theirs] = zip(sums[theirs] ?? Array(repeating: 0, count: width), entry.range).map {
                        $0 + Double(gradient.view[$1])
                    }
                }
                let tail = gradient.view[network.layout.count..<network.layout.blockLength]
                #expect((0..<tail.count / 2).allSatisfy { tail.double(at: $0) == 0 })
            }
            // A module whose gradients nobody zeroed in between still has those of the training case in them: PyTorch adds.
            let before = try Oracles.cases("layers.json", Case.self, part: "images").first {
                $0.layer == "batch_norm" && $0.options.mode == "training" && $0.x.shape == oracle.x.shape
            }
            for (name, tensor) in oracle.gradients {
                let own = try #require(sums[name])
                let added = before?.gradients[name].map { earlier in zip(own, earlier.values).map { $0 + $1 } }
                let differences = [own, added].compactMap { $0 }.map { worst($0.map { Float($0) }, tensor.values) }
                #expect(try #require(differences.min()) <= Self.tolerance, "\(name)")
            }
            compared += 1
        }
        #expect(compared >= 1)
    }
}
