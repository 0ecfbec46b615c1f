import Kernels
import Testing

@Suite struct OneDNNConvolution2DTests {
    /// Relative to the largest element: the roundings of sums of up to a few thousand products.
    static let tolerance = 5e-6

    typealias Shape = Convolution2D.Shape

    static let shapes = [
        Shape(rows: 1, channels: 1, image: ImageExtent(1), filters: 1, window: ImageWindow(kernel: ImageExtent(1))),
        Shape(rows: 2, channels: 1, image: ImageExtent(28), filters: 32, window: ImageWindow(kernel: ImageExtent(3))),
        Shape(rows: 3, channels: 32, image: ImageExtent(13), filters: 64, window: ImageWindow(kernel: ImageExtent(3))),
        Shape(
            rows: 3, channels: 5, image: ImageExtent(9, 7), filters: 7,
            window: ImageWindow(kernel: ImageExtent(3, 2), stride: ImageExtent(2, 1), padding: ImageExtent(1, 0))),
        Shape(
            rows: 2, channels: 3, image: ImageExtent(11, 12), filters: 17,
            window: ImageWindow(
                kernel: ImageExtent(3), stride: ImageExtent(2, 3), padding: ImageExtent(2), dilation: ImageExtent(2, 3)), hasBias: false),
        Shape(
            rows: 2, channels: 6, image: ImageExtent(8), filters: 10,
            window: ImageWindow(kernel: ImageExtent(5), padding: ImageExtent(2)), groups: 2),
        Shape(
            rows: 2, channels: 16, image: ImageExtent(6), filters: 16,
            window: ImageWindow(kernel: ImageExtent(3), padding: ImageExtent(1)), groups: 16),
        Shape(
            rows: 2, channels: 32, image: ImageExtent(7), filters: 48,
            window: ImageWindow(kernel: ImageExtent(3), padding: ImageExtent(1), dilation: ImageExtent(2)), groups: 2),
        // The last rows and columns of the image are never reached.
        Shape(
            rows: 2, channels: 4, image: ImageExtent(10), filters: 4, window: ImageWindow(kernel: ImageExtent(2), stride: ImageExtent(3))),
    ]

    /// With images as the library wants them, and row-major.
    @Test(arguments: shapes)
    func allPassesAgreeWithTheDefinition(shape: Shape) {
        let naive = NaiveConvolution(shape, seed: 4), threads = PrimitiveThreads()
        for input in [nil, TensorLayout(shape: [shape.rows, shape.channels, shape.image.height, shape.image.width])] {
            let convolution = Convolution2D(shape, input: input, threads: threads)
            let results = ConvolutionPasses(convolution, threads: threads).run(naive)
            #expect(distance(results.y, naive.y) <= Self.tolerance, "forward \(convolution.implementations)")
            #expect(distance(results.dx, naive.dx) <= Self.tolerance, "input gradient \(convolution.implementations)")
            #expect(distance(results.dw, naive.dw) <= Self.tolerance, "weight gradient \(convolution.implementations)")
            #expect(distance(results.db, naive.db) <= Self.tolerance, "bias gradient \(convolution.implementations)")
        }
    }

    /// Rounding moves an operand by at most 2⁻⁹ of itself and a product by 2⁻⁸; sums of random signs move by no larger share of the largest.
    static let bf16Tolerance = 0x1p-8

    /// Against the definition on rounded operands, where only the sums are rounded, and against that on the operands themselves.
    @Test(.enabled(if: hasBF16, "this processor has no bf16 products"), arguments: shapes, [true, false])
    func bf16PassesMultiplyRoundedOperands(shape: Shape, isPlain: Bool) {
        let rounding = NaiveConvolution(shape, seed: 4, rounds: true), exact = NaiveConvolution(shape, seed: 4)
        let threads = PrimitiveThreads(), image = [shape.rows, shape.channels, shape.image.height, shape.image.width]
        var shape = shape
        shape.operands = .bfloat16
        let input =
            isPlain
            ? TensorLayout(shape: image) : TensorLayout(rows: shape.rows, channels: shape.channels, image: shape.image, block: 16)
        let convolution = Convolution2D(shape, input: input, threads: threads)
        let results = ConvolutionPasses(convolution, threads: threads).run(exact)
        for (naive, tolerance) in [(rounding, Self.tolerance), (exact, Self.bf16Tolerance)] {
            #expect(distance(results.y, naive.y) <= tolerance, "forward \(convolution.implementations)")
            #expect(distance(results.dx, naive.dx) <= tolerance, "input gradient \(convolution.implementations)")
            #expect(distance(results.dw, naive.dw) <= tolerance, "weight gradient \(convolution.implementations)")
            #expect(distance(results.db, naive.db) <= tolerance, "bias gradient \(convolution.implementations)")
        }
        #expect(distance(results.y, exact.y) > Self.tolerance || exact.y.count == 1, "and they are rounded")
    }

    /// Contract K1.
    @Test(arguments: [ElementType.float, .bfloat16].filter { $0 == .float || hasBF16 })
    func theBitsDoNotDependOnMemoryOrThreads(operands: ElementType) {
        let shape = Shape(
            rows: 3, channels: 12, image: ImageExtent(14), filters: 20,
            window: ImageWindow(kernel: ImageExtent(3), padding: ImageExtent(1)), operands: operands)
        let naive = NaiveConvolution(shape, seed: 4), threads = PrimitiveThreads(count: 2)
        let input = TensorLayout(rows: 3, channels: 12, image: ImageExtent(14), block: 16)
        let passes = ConvolutionPasses(
            Convolution2D(shape, input: operands == .float ? nil : input, threads: threads), threads: threads)
        let expected = passes.run(naive)
        for offset in [1, 3, 8] {
            let moved = passes.run(naive, offset: offset, thread: 1)
            #expect(bits(moved.y) == bits(expected.y) && bits(moved.dx) == bits(expected.dx))
            #expect(bits(moved.dw) == bits(expected.dw) && bits(moved.db) == bits(expected.db))
        }
    }

    /// Two layers and a pooling that hand on what the first one chose.
    @Test func layersPassBlockedImagesOn() {
        let threads = PrimitiveThreads()
        let firstShape = Shape(rows: 2, channels: 1, image: ImageExtent(12), filters: 24, window: ImageWindow(kernel: ImageExtent(3)))
        let first = Convolution2D(firstShape, needsInputGradient: false, threads: threads)
        let secondShape = Shape(rows: 2, channels: 24, image: ImageExtent(10), filters: 40, window: ImageWindow(kernel: ImageExtent(3)))
        let second = Convolution2D(secondShape, input: first.output, threads: threads)
        let pool = Pooling2D(
            .init(.max, rows: 2, channels: 40, image: ImageExtent(8), window: ImageWindow(kernel: ImageExtent(2), stride: ImageExtent(2))),
            input: second.output, threads: threads)
        #expect(second.input == first.output && pool.input == second.output)
        #expect(second.copiedImages == 0)

        let one = NaiveConvolution(firstShape, seed: 1)
        let two = NaiveConvolution(secondShape, seed: 2, x: one.y.map { Float($0) })
        let x = ConvolutionPasses.arranged(one.x, shape: [2, 1, 12, 12], as: first.input, threads)
        let hidden = zeros(first.output.count), output = zeros(second.output.count), pooled = zeros(pool.output.count)
        let weights = [zeros(first.forwardWeights.count), zeros(second.forwardWeights.count)]
        first.packForward(block(one.weights).view, into: weights[0].mutableView)
        second.packForward(block(two.weights).view, into: weights[1].mutableView)
        first.forward(x: x.view, weights: weights[0].view, bias: block(one.bias).view, y: hidden.mutableView)
        second.forward(x: hidden.view, weights: weights[1].view, bias: block(two.bias).view, y: output.mutableView)
        pool.forward(x: output.view, y: pooled.mutableView, workspace: AlignedBlock(count: pool.workspaceByteCount))
        let plain = ConvolutionPasses.plain(pooled.view, shape: [2, 40, 4, 4], of: pool.output, threads)
        var expected: [Double] = []
        for top in stride(from: 0, to: 2 * 40 * 64, by: 16) {  // two rows of an image of 8 × 8
            for left in stride(from: top, to: top + 8, by: 2) {
                let upper = max(two.y[left], two.y[left + 1]), lower = max(two.y[left + 8], two.y[left + 9])
                expected.append(max(upper, lower))
            }
        }
        #expect(distance(plain, expected) <= Self.tolerance)
    }

    @Test(arguments: [
        (ImageWindow(kernel: ImageExtent(3)), ImageExtent(7, 3), ImageExtent(5, 1)),
        (ImageWindow(kernel: ImageExtent(3), stride: ImageExtent(2)), ImageExtent(8, 7), ImageExtent(3, 3)),
        (ImageWindow(kernel: ImageExtent(3), padding: ImageExtent(1), dilation: ImageExtent(2)), ImageExtent(5), ImageExtent(3)),
        (ImageWindow(kernel: ImageExtent(4), stride: ImageExtent(3)), ImageExtent(3, 4), ImageExtent(0, 1)),
    ])
    func outputsAreThePlacesOfTheWindow(window: ImageWindow, image: ImageExtent, places: ImageExtent) {
        #expect(window.output(of: image) == places)
    }
}
