import Kernels
import NeuralNet
import Testing

/// Convolution and pooling against PyTorch in double precision.
@Suite struct ImageOracleTests {
    /// Relative to the largest value: a few roundings of Float.
    static let tolerance = 1e-5

    private let threads = PrimitiveThreads()

    struct ImageLayer: Decodable {
        let layer: String
        let options: Options
        let x, y, dy, dx: Oracles.Tensor
        let parameters, gradients: [String: Oracles.Tensor]

        struct Options: Decodable {
            let kernel, stride, padding, dilation, groups: Int?
        }
    }

    /// Rounding moves an operand by at most 2⁻⁹ of itself and a product by 2⁻⁸; sums of mixed signs move by no larger share of the largest.
    static let bf16Tolerance = 0x1p-8
    static let precisions = Precision.allCases.filter { $0.obstacle == nil }

    @Test(arguments: precisions)
    func convolutionsAgree(precision: Precision) throws {
        var compared = 0
        let tolerance = precision == .f32 ? Self.tolerance : Self.bf16Tolerance
        for oracle in try Oracles.cases("layers.json", ImageLayer.self, part: "images") where oracle.layer == "conv2d" {
            let weights = try #require(oracle.parameters["weight"]), bias = oracle.parameters["bias"]
            let (x, y) = (oracle.x.shape, oracle.y.shape)
            let convolution = Convolution2D(
                .init(
                    rows: x[0], channels: x[1], image: ImageExtent(x[2], x[3]), filters: y[1], window: Self.window(oracle),
                    groups: oracle.options.groups ?? 1, hasBias: bias != nil, operands: precision == .f32 ? .float : .bfloat16),
                input: precision == .f32 ? nil : TensorLayout(shape: x), threads: threads)
            #expect(convolution.shape.output == ImageExtent(y[2], y[3]))
            let forward = zeros(convolution.forwardWeights.count), backward = zeros(convolution.backwardWeights.count)
            convolution.packForward(block(weights.floats).view, into: forward.mutableView)
            convolution.packBackward(block(weights.floats).view, into: backward.mutableView)

            let input = arranged(oracle.x, convolution.input), dy = arranged(oracle.dy, convolution.output)
            let output = zeros(convolution.output.count), dx = zeros(convolution.input.count)
            let packed = zeros(convolution.weightGradient.count), dw = zeros(weights.values.count), db = zeros(y[1])
            convolution.forward(x: input.view, weights: forward.view, bias: bias.map { block($0.floats).view }, y: output.mutableView)
            convolution.backwardInput(dy: dy.view, weights: backward.view, dx: dx.mutableView)
            convolution.backwardWeights(
                x: input.view, dy: dy.view, dw: packed.mutableView, db: bias == nil ? nil : db.mutableView)
            convolution.unpackGradient(packed.view, into: dw.mutableView)

            #expect(worst(plain(output, convolution.output, y), oracle.y.values) <= tolerance, "forward")
            #expect(worst(plain(dx, convolution.input, x), oracle.dx.values) <= tolerance, "input gradient")
            #expect(worst(values(dw), oracle.gradients["weight"]?.values ?? []) <= tolerance, "weight gradient")
            if bias != nil { #expect(worst(values(db), oracle.gradients["bias"]?.values ?? []) <= tolerance, "bias gradient") }
            compared += 1
        }
        #expect(compared >= 5)
    }

    @Test func poolingsAgree() throws {
        var compared = 0
        for oracle in try Oracles.cases("layers.json", ImageLayer.self, part: "images") {
            let (x, y) = (oracle.x.shape, oracle.y.shape)
            let kind: Pooling2D.Kind
            switch oracle.layer {
            case "max_pool2d": kind = .max
            case "avg_pool2d", "global_avg_pool2d": kind = .average
            default: continue
            }
            let image = ImageExtent(x[2], x[3])
            let shape =
                oracle.layer == "global_avg_pool2d"
                ? Pooling2D.Shape.globalAverage(rows: x[0], channels: x[1], image: image)
                : Pooling2D.Shape(kind, rows: x[0], channels: x[1], image: image, window: Self.window(oracle))
            let pooling = Pooling2D(shape, threads: threads), workspace = AlignedBlock<UInt8>(count: pooling.workspaceByteCount)
            let output = zeros(pooling.output.count), dx = zeros(pooling.input.count)
            pooling.forward(x: arranged(oracle.x, pooling.input).view, y: output.mutableView, workspace: workspace)
            pooling.backward(dy: arranged(oracle.dy, pooling.output).view, dx: dx.mutableView, workspace: workspace)
            let outputShape = [x[0], x[1], shape.output.height, shape.output.width]
            #expect(outputShape.reduce(1, *) == y.reduce(1, *))
            #expect(worst(plain(output, pooling.output, outputShape), oracle.y.values) <= Self.tolerance, "\(oracle.layer) forward")
            #expect(worst(plain(dx, pooling.input, x), oracle.dx.values) <= Self.tolerance, "\(oracle.layer) input gradient")
            compared += 1
        }
        #expect(compared >= 4)
    }

    private static func window(_ oracle: ImageLayer) -> ImageWindow {
        let options = oracle.options
        return ImageWindow(
            kernel: ImageExtent(options.kernel ?? 1), stride: ImageExtent(options.stride ?? 1), padding: ImageExtent(options.padding ?? 0),
            dilation: ImageExtent(options.dilation ?? 1))
    }

    /// A case's images in the layout that a plan wants.
    private func arranged(_ tensor: Oracles.Tensor, _ layout: TensorLayout) -> FloatBlock {
        let shape = tensor.shape + [Int](repeating: 1, count: 4 - tensor.shape.count)
        let arranged = zeros(layout.count)
        Reorder(from: TensorLayout(shape: shape), to: layout, threads: threads).run(
            block(tensor.floats).view, into: arranged.mutableView)
        return arranged
    }

    private func plain(_ images: FloatBlock, _ layout: TensorLayout, _ shape: [Int]) -> [Float] {
        let plain = zeros(shape.reduce(1, *))
        Reorder(from: layout, to: TensorLayout(shape: shape), threads: threads).run(images.view, into: plain.mutableView)
        return values(plain)
    }
}
