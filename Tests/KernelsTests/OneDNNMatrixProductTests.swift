import Foundation
import Kernels
import Testing

@Suite struct OneDNNMatrixProductTests {
    /// Relative to the largest element: the roundings of sums of up to a few hundred products, in an order of the library's choice.
    static let tolerance = 2e-6

    typealias Shape = MatrixProduct.Shape

    static let shapes = [(1, 1, 1), (3, 5, 7), (16, 16, 12), (17, 33, 25), (32, 100, 48), (50, 300, 13), (1, 64, 10), (64, 1, 5)]
        .flatMap { rows, depth, columns in
            [(false, false), (true, false), (false, true), (true, true)].map { a, b in
                Shape(rows: rows, depth: depth, columns: columns, transposesA: a, transposesB: b)
            }
        }

    /// Operands that begin `offset` floats into a block, and what the product should be.
    struct Case {
        let shape: Shape
        let a, b, bias: [Float]

        init(_ shape: Shape, seed: UInt64 = 1) {
            self.shape = shape
            a = numbers((shape.transposesA ? shape.depth : shape.rows) * shape.strideA, seed: seed)
            b = numbers((shape.transposesB ? shape.columns : shape.depth) * shape.strideB, seed: seed + 1)
            bias = numbers(shape.columns, seed: seed + 2)
        }

        func expected(_ row: Int, _ column: Int) -> Double {
            let sum = (0..<shape.depth).reduce(0.0) { sum, k in
                let x = a[shape.transposesA ? k * shape.strideA + row : row * shape.strideA + k]
                let y = b[shape.transposesB ? column * shape.strideB + k : k * shape.strideB + column]
                return sum + Double(x) * Double(y)
            }
            let shifted = sum + (shape.hasBias ? Double(bias[column]) : 0)
            return shape.hasReLU ? max(shifted, 0) : shifted
        }

        /// All of c, what lies between its rows included.
        func run(_ product: MatrixProduct, offset: Int = 0, thread: Int = 0) -> [Float] {
            func moved(_ values: [Float]) -> FloatBlock { block([Float](repeating: .nan, count: offset) + values) }
            let c = zeros(offset + shape.rows * shape.strideC)
            c.mutableView.fill(9)
            product.run(
                a: moved(a).view[offset..<offset + a.count], b: moved(b).view[offset..<offset + b.count],
                bias: shape.hasBias ? moved(bias).view[offset..<offset + bias.count] : nil, into: c.mutableView[offset..<c.count],
                thread: thread)
            return Array(values(c)[offset...])
        }

        func check(_ c: [Float]) {
            var scale = 1e-30, worst = 0.0
            for row in 0..<shape.rows {
                for column in 0..<shape.strideC {
                    let found = c[row * shape.strideC + column]
                    guard column < shape.columns else {
                        #expect(found == 9, "written between rows")
                        continue
                    }
                    let expected = expected(row, column)
                    scale = max(scale, abs(expected))
                    worst = max(worst, abs(Double(found) - expected))
                }
            }
            #expect(worst <= tolerance * scale, "\(shape)")
        }
    }

    @Test(arguments: shapes)
    func aProductIsTheSumOverTheDepth(shape: Shape) {
        let one = Case(shape)
        one.check(one.run(MatrixProduct(shape, threads: PrimitiveThreads())))
    }

    @Test func biasAndActivationFollowTheProduct() {
        var shape = Shape(rows: 19, depth: 40, columns: 33, transposesB: true, hasBias: true)
        for hasReLU in [false, true] {
            shape.hasReLU = hasReLU
            let one = Case(shape)
            one.check(one.run(MatrixProduct(shape, threads: PrimitiveThreads())))
        }
    }

    @Test func rowsMayLieApart() {
        for (a, b) in [(false, false), (true, false), (false, true), (true, true)] {
            let shape = Shape(
                rows: 12, depth: 20, columns: 17, transposesA: a, transposesB: b, strideA: 37, strideB: 41, strideC: 29)
            let one = Case(shape)
            one.check(one.run(MatrixProduct(shape, threads: PrimitiveThreads())))
        }
    }

    /// Contract K1. The shapes are those of the engine: forward, input gradient, weight gradient.
    @Test(arguments: [
        Shape(rows: 16, depth: 784, columns: 512, transposesB: true), Shape(rows: 5, depth: 301, columns: 470, transposesB: true),
        Shape(rows: 64, depth: 512, columns: 784), Shape(rows: 7, depth: 47, columns: 301), Shape(rows: 64, depth: 16, columns: 784),
        Shape(rows: 30, depth: 5, columns: 47),
    ])
    func theBitsDoNotDependOnWhereTheOperandsLie(shape: Shape) {
        let product = MatrixProduct(shape, threads: PrimitiveThreads()), one = Case(shape)
        let aligned = bits(one.run(product))
        for offset in [1, 2, 3, 4, 7, 8, 15] { #expect(bits(one.run(product, offset: offset)) == aligned, "\(offset)") }
    }

    @Test func threadsRunOneProductAtTheSameTime() {
        let shape = Shape(rows: 40, depth: 200, columns: 150, transposesB: true)
        let threads = PrimitiveThreads(count: 3), product = MatrixProduct(shape, threads: threads)
        // A product made later may need more scratch memory than is there.
        let larger = Shape(rows: 64, depth: 900, columns: 700, transposesA: true), another = MatrixProduct(larger, threads: threads)
        let work = Repeated(product: product, tasks: (0..<12).map { Case(shape, seed: UInt64($0)) })
        let alone = MatrixProduct(shape, threads: PrimitiveThreads())
        ComputePool(threads: 3).run(tasks: work.tasks.count, of: work)
        for (index, task) in work.tasks.enumerated() { #expect(bits(values(work.results[index])) == bits(task.run(alone))) }
        let one = Case(larger)
        one.check(one.run(another, thread: 2))
    }

    private final class Repeated: PoolWork {
        let product: MatrixProduct
        let tasks: [Case]
        let results: [FloatBlock]

        init(product: MatrixProduct, tasks: [Case]) {
            self.product = product
            self.tasks = tasks
            results = tasks.map { zeros($0.shape.rows * $0.shape.columns) }
        }

        func perform(task: Int, thread: Int) {
            for _ in 0..<5 {
                product.run(a: block(tasks[task].a).view, b: block(tasks[task].b).view, into: results[task].mutableView, thread: thread)
            }
        }
    }

    /// A process of its own: OpenMP reads the variable before `main`. Without our limit the product brings seven more threads.
    @Test func theEnvironmentBringsNoThreads() async {
        setenv("OMP_NUM_THREADS", "8", 1)
        defer { unsetenv("OMP_NUM_THREADS") }
        await #expect(processExitsWith: .success) {
            func threads() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count }
            let shape = Shape(rows: 512, depth: 512, columns: 512)
            let before = try threads()
            let one = FloatBlock(count: 512 * 512), product = MatrixProduct(shape, threads: PrimitiveThreads())
            product.run(a: one.view, b: one.view, into: one.mutableView)
            try #require(ProcessInfo.processInfo.environment["OMP_NUM_THREADS"] == "8")
            try #require(try threads() < before + 7)
        }
    }
}
