import Kernels
import Testing

@Suite struct ProductTests {
    struct Shape: CustomTestStringConvertible {
        var rows, depth, units: Int
        var testDescription: String { "\(rows)×\(depth)→\(units)" }
    }

    static let shapes = [
        Shape(rows: 1, depth: 1, units: 1), Shape(rows: 3, depth: 5, units: 7), Shape(rows: 16, depth: 16, units: 12),
        Shape(rows: 17, depth: 33, units: 25), Shape(rows: 32, depth: 100, units: 48), Shape(rows: 50, depth: 1_100, units: 13),
        Shape(rows: 9, depth: 48, units: 20), Shape(rows: 8, depth: 64, units: 9), Shape(rows: 7, depth: 80, units: 17),
    ]

    /// The definition: one chain of fused multiply-adds over the ascending reduction index.
    static func chain(_ count: Int, _ a: (Int) -> Float, _ b: (Int) -> Float) -> Float {
        (0..<count).reduce(Float(0)) { $0.addingProduct(a($1), b($1)) }
    }

    @Test(arguments: runnableSets, shapes)
    func forwardIsTheChainOverTheInputs(set: InstructionSet, shape: Shape) {
        let kernels = NetKernels(set)
        let x = numbers(shape.rows * shape.depth, seed: 1), w = numbers(shape.units * shape.depth, seed: 2)
        let packed = zeros(NetKernels.wholePanels(shape.rows) * shape.depth)
        let scratch = zeros(NetKernels.forwardUnits * NetKernels.wholePanels(shape.rows))
        let y = zeros(shape.rows * shape.units)
        kernels.packRows(block(x).view, rows: shape.rows, depth: shape.depth, into: packed.mutableView)
        kernels.forward(
            weights: block(w).view, depth: shape.depth, packed: packed.mutableView, Region(rows: shape.rows, width: shape.units),
            y: y.mutableView, scratch: scratch.mutableView)
        let expected = (0..<shape.rows).flatMap { row in
            (0..<shape.units).map { unit in
                Self.chain(shape.depth, { x[row * shape.depth + $0] }, { w[unit * shape.depth + $0] })
            }
        }
        #expect(bits(y) == bits(expected))
    }

    @Test(arguments: runnableSets, shapes)
    func aChainMayBeCutAnywhere(set: InstructionSet, shape: Shape) {
        let kernels = NetKernels(set)
        let a = numbers(shape.rows * shape.units, seed: 3), w = numbers(shape.units * shape.depth, seed: 4)
        let c = zeros(shape.rows * shape.depth)
        let cut = shape.units / 2
        for units in [0..<cut, cut..<shape.units] where !units.isEmpty {
            let packed = zeros(units.count * NetKernels.wholePanels(shape.depth))
            kernels.packColumns(
                block(Array(w[(units.lowerBound * shape.depth)..<(units.upperBound * shape.depth)])).view,
                Region(rows: units.count, width: shape.depth), into: packed.mutableView)
            kernels.product(
                a: block(a).view, aWidth: shape.units, columns: units, packed: packed.mutableView,
                Region(rows: shape.rows, width: shape.depth), c: c.mutableView, chained: units.lowerBound > 0)
        }
        let expected = (0..<shape.rows).flatMap { row in
            (0..<shape.depth).map { k in
                Self.chain(shape.units, { a[row * shape.units + $0] }, { w[$0 * shape.depth + k] })
            }
        }
        #expect(bits(c) == bits(expected))
    }

    /// Four leaves, ((0 + 1) + (2 + 3)), with a short one; then three, (0 + 1) + 2.
    @Test(arguments: runnableSets, shapes)
    func gradientsAreTreeSumsOfLeafChains(set: InstructionSet, shape: Shape) {
        let kernels = NetKernels(set)
        for leafCount in [4, 3] {
            let leaves = (0..<leafCount).map { Leaf(shape, rows: $0 == 1 ? (shape.rows + 1) / 2 : shape.rows, seed: UInt64($0 + 1)) }
            let program = TreeProgram()
            program.append(leaf: 0, level: 0, adds: false)
            program.append(leaf: 1, level: 0, adds: true)
            program.append(leaf: 2, level: leafCount == 4 ? 1 : 0, adds: leafCount == 3)
            if leafCount == 4 {
                program.append(leaf: 3, level: 1, adds: true)
                program.appendMerge(level: 0)
            }
            program.bind { leaves[$0].operands(kernels) }
            func joined(_ terms: [Float]) -> Float {
                leafCount == 4 ? (terms[0] + terms[1]) + (terms[2] + terms[3]) : (terms[0] + terms[1]) + terms[2]
            }

            let weight = zeros(shape.units * shape.depth), bias = zeros(shape.units)
            let middle = shape.units / 2
            for units in [middle..<shape.units, 0..<middle] {
                kernels.weightGradient(
                    program, units: units, depth: shape.depth,
                    gradient: weight.mutableView[(units.lowerBound * shape.depth)..<(units.upperBound * shape.depth)])
            }
            kernels.biasGradient(program, gradient: bias.mutableView)

            let expectedWeight = (0..<shape.units).flatMap { unit in
                (0..<shape.depth).map { k in
                    joined(
                        leaves.map { leaf in
                            Self.chain(leaf.rows, { leaf.dz[$0 * shape.units + unit] }, { leaf.x[$0 * shape.depth + k] })
                        })
                }
            }
            let expectedBias = (0..<shape.units).map { unit in
                joined(leaves.map { leaf in (0..<leaf.rows).reduce(Float(0)) { $0 + leaf.dz[$1 * shape.units + unit] } })
            }
            #expect(bits(weight) == bits(expectedWeight))
            #expect(bits(bias) == bits(expectedBias))
        }
    }

    @Test(arguments: runnableSets)
    func transposingARegionLeavesTheRestAlone(set: InstructionSet) {
        let rows = 11, width = 37
        let x = numbers(rows * width, seed: 5), y = zeros(rows * width)
        y.mutableView.fill(9)
        NetKernels(set).transpose(block(x).view, Region(rows: rows, width: width, first: 4, count: 21), into: y.mutableView)
        let expected = (0..<width).flatMap { column in
            (0..<rows).map { row in (4..<25).contains(column) ? x[row * width + column] : 9 }
        }
        #expect(values(y) == expected)
    }

    private struct Leaf {
        let shape: Shape
        let rows: Int
        let x, dz: [Float]
        let gradient, transposed, packed: FloatBlock

        init(_ shape: Shape, rows: Int, seed: UInt64) {
            self.shape = shape
            self.rows = rows
            x = numbers(rows * shape.depth, seed: 2 * seed)
            dz = numbers(rows * shape.units, seed: 2 * seed + 1)
            gradient = block(dz)
            transposed = zeros(dz.count)
            packed = zeros(rows * NetKernels.wholePanels(shape.depth))
        }

        func operands(_ kernels: NetKernels) -> LeafOperands {
            kernels.transpose(gradient.view, Region(rows: rows, width: shape.units), into: transposed.mutableView)
            kernels.packColumns(block(x).view, Region(rows: rows, width: shape.depth), into: packed.mutableView)
            return LeafOperands(
                rows: rows, units: shape.units, depth: shape.depth, gradient: gradient.mutableView, transposed: transposed.mutableView,
                packed: packed.mutableView)
        }
    }
}
