import Exactness
import Foundation
import Kernels
import Testing

@Suite struct FunctionTests {
    /// What the documentation promises, and what a quotient of such functions adds.
    static let exponentialUlps = 2.0
    static let activationUlps = 4.0

    /// Every sign and size that an activation can have, and the places where the algorithms change.
    static let arguments: [Float] =
        numbers(4_000, seed: 7, spread: 10) + numbers(4_000, seed: 8, spread: 85) + numbers(2_000, seed: 9, spread: 0.01)
        + [0, -0.0, 0.625, -0.625, 0.624_999_9, 1, -1, 87, -87, 1e-30, -1e-30]

    static func activated(_ activation: Activation, _ x: [Float], set: InstructionSet, scale: Float = 1) -> [Float] {
        let y = zeros(x.count)
        NetKernels(set).forward(
            Epilogue(activation, scale: scale), x: block(x).view, bias: nil, samples: AlignedBlock(count: 1), y: y.mutableView, keep: nil,
            Region(rows: 1, width: x.count))
        return values(y)
    }

    @Test(arguments: runnableSets)
    func exponentialIsWithinItsBound(set: InstructionSet) {
        let x = Self.arguments, y = zeros(x.count)
        NetKernels(set).exponential(block(x).view, into: y.mutableView)
        let worst = zip(x, values(y)).map { ulps($1, from: exp(Double($0))) }.max()
        #expect((worst ?? .infinity) <= Self.exponentialUlps)
    }

    @Test(arguments: runnableSets)
    func sigmoidAndTanhAreWithinTheirBound(set: InstructionSet) {
        let x = Self.arguments
        let sigmoids = zip(x, Self.activated(.sigmoid, x, set: set)).map { ulps($1, from: 1 / (1 + exp(-Double($0)))) }
        let tanhs = zip(x, Self.activated(.tanh, x, set: set)).map { ulps($1, from: tanh(Double($0))) }
        #expect((sigmoids.max() ?? .infinity) <= Self.activationUlps)
        #expect((tanhs.max() ?? .infinity) <= Self.activationUlps)
    }

    @Test(arguments: runnableSets)
    func limitsAndNaNComeThrough(set: InstructionSet) {
        let x: [Float] = [.infinity, -.infinity, .nan, 1_000, -1_000]
        let y = zeros(x.count)
        NetKernels(set).exponential(block(x).view, into: y.mutableView)
        #expect(bits(values(y).filter { !$0.isNaN }) == bits([.infinity, 0, .infinity, 0]))
        #expect(Self.activated(.sigmoid, [.infinity, -.infinity, 1_000, -1_000], set: set) == [1, 0, 1, 0])
        #expect(Self.activated(.tanh, [.infinity, -.infinity, 1_000, -1_000], set: set) == [1, -1, 1, -1])
        for activation in [Activation.identity, .relu, .leakyReLU(slope: 0.1), .sigmoid, .tanh] {
            #expect(Self.activated(activation, [.nan], set: set)[0].isNaN)
        }
        #expect(Self.activated(.relu, [-1, 0, 2, -.infinity], set: set) == [0, 0, 2, 0])
        #expect(Self.activated(.leakyReLU(slope: 0.25), [-1, 0, 2], set: set) == [-0.25, 0, 2])
    }

    @Test func everyInstructionSetGivesTheSameBits() {
        let x = Self.arguments
        for activation in [Activation.identity, .relu, .leakyReLU(slope: 0.01), .sigmoid, .tanh] {
            let all = runnableSets.map { bits(Self.activated(activation, x, set: $0, scale: 1.25)) }
            #expect(all.allSatisfy { $0 == all[0] })
        }
        let exponentials = runnableSets.map { set in
            let y = zeros(x.count)
            NetKernels(set).exponential(block(x).view, into: y.mutableView)
            return bits(y)
        }
        #expect(exponentials.allSatisfy { $0 == exponentials[0] })
    }

    @Test func logarithmAndExponentialOfDoublesAreWithinOneUlp() {
        let stream = RandomStream(seed: 3, purpose: .probe)
        for index in 0..<20_000 {
            let words = stream.words(index)
            let x = Double(words.x) * 0x1p-32 * 1_400 - 700
            #expect(abs(DeterministicMath.exp(x) - exp(x)) <= exp(x).ulp)
            let positive = exp(x)
            #expect(abs(DeterministicMath.log(positive) - log(positive)) <= log(positive).ulp)
            let near = 1 + (Double(words.y) * 0x1p-32 - 0.5) * 0.1
            #expect(abs(DeterministicMath.log(near) - log(near)) <= log(near).ulp)
        }
        #expect(DeterministicMath.log(0) == -.infinity)
        #expect(DeterministicMath.log(-1).isNaN && DeterministicMath.log(.nan).isNaN && DeterministicMath.exp(.nan).isNaN)
        #expect(DeterministicMath.log(.infinity) == .infinity)
        #expect(DeterministicMath.exp(1_000) == .infinity && DeterministicMath.exp(-1_000) == 0)
        #expect(DeterministicMath.exp(0) == 1 && DeterministicMath.log(1) == 0)
    }

    @Test(arguments: runnableSets)
    func sumsOfSquaresUseEightLanes(set: InstructionSet) {
        let x = numbers(1_003, seed: 11)
        var lanes = [Double](repeating: 0, count: 8)
        for (index, value) in x.enumerated() { lanes[index % 8] += Double(value) * Double(value) }
        let expected = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]))
        #expect(NetKernels(set).sumOfSquares(block(x).view) == expected)
        #expect(ElementwiseKernels.sumOfSquares(block(x).view) == expected)
    }

    @Test func additionIsElementWise() {
        let a = numbers(133, seed: 12), b = numbers(133, seed: 13), sum = block(a)
        ElementwiseKernels.add(block(b).view, to: sum.mutableView)
        #expect(values(sum) == zip(a, b).map { $0 + $1 })
    }
}
