import Exactness
import Kernels
import NeuralNet
import Testing

/// Products of bf16 operands. Where the processor has none, engines refuse, and only the rounding can be tested.
@Suite struct PrecisionTests {
    /// Floats summed in an order of the library's choice: the roundings of sums of a few hundred products.
    static let tolerance = 2e-6

    static let roundings: [(Float, UInt16)] = [
        (1, 0x3f80), (-2, 0xc000), (0, 0), (-0.0, 0x8000), (.infinity, 0x7f80), (-.infinity, 0xff80),
        (Float(bitPattern: 0x3f80_8000), 0x3f80),  // a tie goes to the even one below
        (Float(bitPattern: 0x3f81_8000), 0x3f82),  // and above
        (Float(bitPattern: 0x3f80_8001), 0x3f81), (Float(bitPattern: 0x3f80_7fff), 0x3f80),
        (.greatestFiniteMagnitude, 0x7f80), (.leastNonzeroMagnitude, 0), (Float(bitPattern: 0x0000_8001), 0x0001),
    ]

    @Test(arguments: InstructionSet.allCases.filter { $0 <= .effective })
    func roundingGoesToTheNearestEven(set: InstructionSet) {
        // Longer than a register, so that whole vectors and the rest are both met.
        let inputs = (0..<3).flatMap { _ in Self.roundings }
        let rounded = zeros((inputs.count + 1) / 2)
        NetKernels(set).round(block(inputs.map(\.0)).view, intoBF16: rounded.mutableView)
        let words = values(rounded).flatMap { [UInt16(truncatingIfNeeded: $0.bitPattern), UInt16($0.bitPattern >> 16)] }
        #expect(Array(words.prefix(inputs.count)) == inputs.map(\.1))
    }

    @Test func notANumberStaysNotANumber() {
        let payloads: [UInt32] = [0x7f80_0001, 0x7fff_ffff, 0xff80_0001]
        let rounded = zeros(2)
        NetKernels(.effective).round(block(payloads.map { Float(bitPattern: $0) }).view, intoBF16: rounded.mutableView)
        for (index, word) in values(rounded).flatMap({ [$0.bitPattern << 16, $0.bitPattern & 0xffff_0000] }).prefix(3).enumerated() {
            #expect(Float(bitPattern: word).isNaN, "\(payloads[index])")
        }
    }

    /// A dense layer's y, dW and the layer below's dW are sums of products of rounded operands, everything else is not rounded.
    @Test(
        .enabled(if: Precision.bf16.obstacle == nil, "this processor has no bf16 products"),
        arguments: [(1, 3, 5), (7, 33, 65), (32, 100, 70)])
    func productsAreThoseOfRoundedOperands(rows: Int, inputs: Int, units: Int) throws {
        let network = try Network(net([inputs], [.dense(units: units), .dense(units: 4)], .meanSquaredError))
        let engine = LeafEngine(
            network: network, tree: ShardTree(shardCount: 1), leafRows: rows, seed: 1, productPath: .oneDNN, precision: .bf16)
        let data = Rows(network, count: rows, seed: 5)
        let weights = block(numbers(network.layout.count, seed: 9))
        engine.reserve(leaves: 1)
        engine.load(data, slot: 0)
        let (gradient, _) = try engine.gradient(TreeNode(number: 1), [LeafSlot(shard: 0, slot: 0, rows: rows)], weights: weights.view)
        let y = values(engine.outputs(slot: 0, rows: rows))

        let w = values(weights)
        let first = Array(w[0..<units * inputs]), bias = Array(w[units * inputs..<units * (inputs + 1)])
        let start = units * (inputs + 1)
        let second = Array(w[start..<start + 4 * units]), secondBias = Array(w[(start + 4 * units)...])
        let hidden = Self.product(Self.rounded(data.features), Self.rounded(first), rows, inputs, units)
            .enumerated().map { Float($1) + bias[$0 % units] }
        let output = Self.product(Self.rounded(hidden), Self.rounded(second), rows, units, 4)
            .enumerated().map { $1 + Double(secondBias[$0 % 4]) }
        #expect(worst(y, output) < Self.tolerance * 64)  // a hidden unit next to a tie may round the other way
        // From the engine's own outputs on, so that no tie in between tells the two apart.
        let dz = zip(y, data.targets).map { Float(2 * (Double($0) - Double($1)) / 4) }
        let dHidden = Self.product(Self.rounded(dz), Self.transposed(Self.rounded(second), 4, units), rows, 4, units).map { Float($0) }
        let dFirst = Self.product(
            Self.transposed(Self.rounded(dHidden), rows, units), Self.transposed(Self.rounded(data.features), rows, inputs), units, rows,
            inputs)
        #expect(worst(Array(values(gradient)[0..<units * inputs]), dFirst) < 1e-3)  // one tie in dHidden: 2⁻⁸ of one of `rows` summands
    }

    /// Σ a[i][k] · b[j][k] in double.
    private static func product(_ a: [Float], _ b: [Float], _ height: Int, _ depth: Int, _ width: Int) -> [Double] {
        (0..<height * width).map { element in
            let (i, j) = (element / width, element % width)
            return (0..<depth).reduce(0.0) { $0 + Double(a[i * depth + $1]) * Double(b[j * depth + $1]) }
        }
    }

    private static func transposed(_ x: [Float], _ rows: Int, _ columns: Int) -> [Float] {
        (0..<rows * columns).map { x[$0 % rows * columns + $0 / rows] }
    }

    private static func rounded(_ x: [Float]) -> [Float] {
        x.map { value in
            let bits = value.bitPattern
            return Float(bitPattern: (bits &+ 0x7fff &+ (bits >> 16 & 1)) & 0xffff_0000)
        }
    }
}
