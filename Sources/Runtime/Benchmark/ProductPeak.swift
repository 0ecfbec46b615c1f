internal import Kernels
internal import NeuralNet

/// What one core gives at best: oneDNN's matrix products with plain weights, of shapes that nets have.
struct ProductPeak {
    struct Product {
        var name: String
        var operations: Double
        var milliseconds: [Double] = []
        var run: () -> Void

        var gigaflops: Double { milliseconds.isEmpty ? 0 : operations / Timing(milliseconds).medianMs / 1e6 }
    }

    private(set) var products: [Product] = []

    init(_ precision: Precision) {
        let threads = PrimitiveThreads()
        for (rows, depth, columns) in [(64, 784, 512), (128, 784, 512), (64, 2_048, 2_048), (256, 784, 2_048), (256, 2_048, 2_048)] {
            let product = MatrixProduct(
                .init(
                    rows: rows, depth: depth, columns: columns, transposesB: true, operands: precision == .bf16 ? .bfloat16 : .float),
                threads: threads)
            let (a, b, c) = (Self.filled(rows * depth), Self.filled(depth * columns), FloatBlock(count: rows * columns))
            products.append(
                Product(name: "\(rows)×\(depth)→\(columns)", operations: 2 * Double(rows * depth * columns)) {
                    product.run(a: a.view, b: b.view, into: c.mutableView)
                })
        }
    }

    /// Small whole numbers: neither zeros nor denormal ones, in either type of operand.
    private static func filled(_ count: Int) -> FloatBlock {
        let block = FloatBlock(count: count)
        for index in 0..<count { block.mutableView[index] = Float(index % 7 - 3) }
        return block
    }

    /// Runs every product for about a millisecond or once.
    mutating func measure() {
        for index in products.indices {
            let repetitions = max(1, Int(1e8 / products[index].operations))
            let took = Timing.milliseconds { for _ in 0..<repetitions { products[index].run() } }
            products[index].milliseconds.append(took / Double(repetitions))
        }
    }

    var best: Product? { products.max { $0.gigaflops < $1.gigaflops } }
}
