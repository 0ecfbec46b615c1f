import Kernels
import Testing

@Suite struct OneDNNPooling2DTests {
    /// Relative to the largest element: a mean's few roundings.
    static let tolerance = 1e-6

    typealias Shape = Pooling2D.Shape

    static let windows = [
        ImageWindow(kernel: ImageExtent(2), stride: ImageExtent(2)),
        ImageWindow(kernel: ImageExtent(3), stride: ImageExtent(2), padding: ImageExtent(1)),
        ImageWindow(kernel: ImageExtent(2, 3), stride: ImageExtent(1, 2), padding: ImageExtent(0, 1)),
        ImageWindow(kernel: ImageExtent(3), dilation: ImageExtent(2)),
    ]
    static let shapes =
        windows.flatMap { window in
            [Pooling2D.Kind.max, .average].flatMap { kind in
                [1, 5, 16].map { Shape(kind, rows: 2, channels: $0, image: ImageExtent(9, 7), window: window) }
            }
        } + [.globalAverage(rows: 3, channels: 20, image: ImageExtent(5, 6))]

    @Test(arguments: shapes)
    func bothPassesAgreeWithTheDefinition(shape: Shape) {
        let threads = PrimitiveThreads(), image = shape.image, output = shape.output
        let inputShape = [shape.rows, shape.channels, image.height, image.width]
        let outputShape = [shape.rows, shape.channels, output.height, output.width]
        let x = numbers(inputShape.reduce(1, *), seed: 5), dy = numbers(outputShape.reduce(1, *), seed: 6)
        let (expectedY, expectedDX) = Self.naive(shape, x, dy)

        // In the layout of a convolution's output, and row-major.
        let blocked = Convolution2D(
            .init(
                rows: shape.rows, channels: 3, image: image, filters: shape.channels, window: ImageWindow(kernel: ImageExtent(1))),
            threads: threads
        ).output
        for layout in [blocked, nil] {
            let pooling = Pooling2D(shape, input: layout, threads: threads)
            let y = zeros(pooling.output.count), dx = zeros(pooling.input.count)
            y.mutableView.fill(.nan)
            dx.mutableView.fill(.nan)
            let workspace = AlignedBlock<UInt8>(count: pooling.workspaceByteCount)
            pooling.forward(
                x: ConvolutionPasses.arranged(x, shape: inputShape, as: pooling.input, threads).view, y: y.mutableView,
                workspace: workspace)
            pooling.backward(
                dy: ConvolutionPasses.arranged(dy, shape: outputShape, as: pooling.output, threads).view, dx: dx.mutableView,
                workspace: workspace)
            let plainY = ConvolutionPasses.plain(y.view, shape: outputShape, of: pooling.output, threads)
            let plainDX = ConvolutionPasses.plain(dx.view, shape: inputShape, of: pooling.input, threads)
            #expect(distance(plainY, expectedY) <= Self.tolerance, "forward \(pooling.implementations)")
            #expect(distance(plainDX, expectedDX) <= Self.tolerance, "backward \(pooling.implementations)")
        }
    }

    @Test func theFirstOfEqualElementsWins() {
        let shape = Shape(.max, rows: 1, channels: 1, image: ImageExtent(2), window: ImageWindow(kernel: ImageExtent(2)))
        let pooling = Pooling2D(shape, threads: PrimitiveThreads()), workspace = AlignedBlock<UInt8>(count: pooling.workspaceByteCount)
        let y = zeros(1), dx = zeros(4)
        pooling.forward(x: block([1, 3, 3, 3]).view, y: y.mutableView, workspace: workspace)
        pooling.backward(dy: block([7]).view, dx: dx.mutableView, workspace: workspace)
        #expect(values(y) == [3] && values(dx) == [0, 7, 0, 0])
    }

    private static func naive(_ shape: Shape, _ x: [Float], _ dy: [Float]) -> (y: [Double], dx: [Double]) {
        let image = shape.image, output = shape.output, kernel = shape.window.kernel
        var y = [Double](repeating: 0, count: dy.count)
        var dx = [Double](repeating: 0, count: x.count)
        for plane in 0..<shape.rows * shape.channels {
            for place in 0..<output.height * output.width {
                let at = plane * output.height * output.width + place
                let sources = (0..<kernel.height * kernel.width).compactMap { tap in
                    shape.window.element(
                        (place / output.width, place % output.width), (tap / kernel.width, tap % kernel.width), in: image
                    ).map { plane * image.height * image.width + $0.0 * image.width + $0.1 }
                }
                switch shape.kind {
                case .max:
                    let largest = sources.max { x[$0] < x[$1] } ?? 0
                    y[at] = Double(x[largest])
                    dx[largest] += Double(dy[at])
                case .average:
                    let share = 1 / Double(kernel.height * kernel.width)
                    for source in sources {
                        y[at] += share * Double(x[source])
                        dx[source] += share * Double(dy[at])
                    }
                }
            }
        }
        return (y, dx)
    }
}
