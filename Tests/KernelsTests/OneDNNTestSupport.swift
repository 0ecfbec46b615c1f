import Kernels

/// The largest difference, relative to the largest of the expected values.
func distance(_ actual: [Float], _ expected: [Double]) -> Double {
    precondition(actual.count == expected.count)
    let scale = expected.map { abs($0) }.max() ?? 0
    let difference = zip(actual, expected).map { abs(Double($0) - $1) }.max() ?? 0
    return scale > 0 ? difference / scale : difference
}

/// Whether primitives of this process can multiply bfloat16.
let hasBF16 = InstructionSet.hasBF16Products && InstructionSet.effective == .avx512

/// Each value to the nearest bfloat16, the even one on ties.
func roundedToBF16(_ values: [Float]) -> [Float] {
    values.map { Float(bitPattern: ($0.bitPattern &+ 0x7fff &+ ($0.bitPattern >> 16 & 1)) & 0xffff_0000) }
}

extension ImageWindow {
    /// The element of the image that element `offset` of the window meets at `place`; nil in the padding.
    func element(_ place: (Int, Int), _ offset: (Int, Int), in image: ImageExtent) -> (Int, Int)? {
        let row = place.0 * stride.height + offset.0 * dilation.height - padding.height
        let column = place.1 * stride.width + offset.1 * dilation.width - padding.width
        return row >= 0 && row < image.height && column >= 0 && column < image.width ? (row, column) : nil
    }
}

/// The definition of a convolution and its gradients, in double precision.
struct NaiveConvolution {
    let x, weights, bias, dy: [Float]
    private(set) var y, dx, dw, db: [Double]

    /// - Parameter rounds: every operand to bfloat16 first, but not the bias, which is added.
    init(_ shape: Convolution2D.Shape, seed: UInt64, x given: [Float]? = nil, rounds: Bool = false) {
        let image = shape.image, output = shape.output, kernel = shape.window.kernel
        let outputCount = shape.rows * shape.filters * output.height * output.width
        func operand(_ values: [Float]) -> [Float] { rounds ? roundedToBF16(values) : values }
        x = operand(given ?? numbers(shape.rows * shape.channels * image.height * image.width, seed: 10 * seed))
        weights = operand(numbers(shape.weightCount, seed: 10 * seed + 1))
        bias = shape.hasBias ? numbers(shape.filters, seed: 10 * seed + 2) : []
        dy = operand(numbers(outputCount, seed: 10 * seed + 3))
        y = [Double](repeating: 0, count: outputCount)
        dx = [Double](repeating: 0, count: x.count)
        dw = [Double](repeating: 0, count: weights.count)
        db = [Double](repeating: 0, count: bias.count)
        let groupChannels = shape.channels / shape.groups, groupFilters = shape.filters / shape.groups
        for row in 0..<shape.rows {
            for filter in 0..<shape.filters {
                for place in 0..<output.height * output.width {
                    let at = (row * shape.filters + filter) * output.height * output.width + place
                    if shape.hasBias {
                        y[at] += Double(bias[filter])
                        db[filter] += Double(dy[at])
                    }
                    for channel in 0..<groupChannels {
                        let source = row * shape.channels + filter / groupFilters * groupChannels + channel
                        for tap in 0..<kernel.height * kernel.width {
                            guard
                                let (i, j) = shape.window.element(
                                    (place / output.width, place % output.width), (tap / kernel.width, tap % kernel.width), in: image)
                            else { continue }
                            let from = (source * image.height + i) * image.width + j
                            let weight = (filter * groupChannels + channel) * kernel.height * kernel.width + tap
                            y[at] += Double(weights[weight]) * Double(x[from])
                            dx[from] += Double(weights[weight]) * Double(dy[at])
                            dw[weight] += Double(x[from]) * Double(dy[at])
                        }
                    }
                }
            }
        }
    }
}

/// All passes of a convolution on row-major operands.
struct ConvolutionPasses {
    let convolution: Convolution2D
    let threads: PrimitiveThreads

    init(_ convolution: Convolution2D, threads: PrimitiveThreads) {
        self.convolution = convolution
        self.threads = threads
    }

    struct Results {
        var y, dx, dw, db: [Float]
    }

    /// - Parameter offset: floats by which every operand is moved away from its alignment.
    func run(_ naive: NaiveConvolution, offset: Int = 0, thread: Int = 0) -> Results {
        func moved(_ view: FloatView) -> FloatView {
            let copy = zeros(view.count + offset)
            copy.mutableView[offset..<copy.count].copy(from: view)
            return copy.view[offset..<copy.count]
        }
        func room(_ count: Int) -> MutableFloatView {
            let block = zeros(count + offset)
            block.mutableView.fill(.nan)  // every element must be written
            return block.mutableView[offset..<block.count]
        }
        let shape = convolution.shape, output = shape.output
        let inputShape = [shape.rows, shape.channels, shape.image.height, shape.image.width]
        let outputShape = [shape.rows, shape.filters, output.height, output.width]
        let x = moved(Self.arranged(naive.x, shape: inputShape, as: convolution.input, threads).view)
        let dy = moved(Self.arranged(naive.dy, shape: outputShape, as: convolution.output, threads).view)
        let weights = moved(block(naive.weights).view), bias = shape.hasBias ? moved(block(naive.bias).view) : nil
        let forward = room(convolution.forwardWeights.count), backward = room(convolution.backwardWeights.count)
        let y = room(convolution.output.count), dx = room(convolution.input.count)
        let packed = room(convolution.weightGradient.count), dw = room(shape.weightCount), db = room(naive.bias.count)
        convolution.packForward(weights, into: forward, thread: thread)
        convolution.forward(x: x, weights: forward.view, bias: bias, y: y, thread: thread)
        convolution.packBackward(weights, into: backward, thread: thread)
        convolution.backwardInput(dy: dy, weights: backward.view, dx: dx, thread: thread)
        convolution.backwardWeights(x: x, dy: dy, dw: packed, db: shape.hasBias ? db : nil, thread: thread)
        convolution.unpackGradient(packed.view, into: dw, thread: thread)
        return Results(
            y: Self.plain(y.view, shape: outputShape, of: convolution.output, threads),
            dx: Self.plain(dx.view, shape: inputShape, of: convolution.input, threads), dw: values(dw.view), db: values(db.view))
    }

    static func arranged(_ values: [Float], shape: [Int], as layout: TensorLayout, _ threads: PrimitiveThreads) -> FloatBlock {
        let arranged = zeros(layout.count)
        Reorder(from: TensorLayout(shape: shape), to: layout, threads: threads).run(block(values).view, into: arranged.mutableView)
        return arranged
    }

    static func plain(_ view: FloatView, shape: [Int], of layout: TensorLayout, _ threads: PrimitiveThreads) -> [Float] {
        let plain = zeros(shape.reduce(1, *))
        Reorder(from: layout, to: TensorLayout(shape: shape), threads: threads).run(view, into: plain.mutableView)
        return values(plain)
    }
}
