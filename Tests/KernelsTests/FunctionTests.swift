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

    /// Two roundings in front of an exponential.
    static let normalUlps = 8.0

    @Test(arguments: runnableSets)
    func theNormalDistributionKeepsItsDigitsInTheTail(set: InstructionSet) {
        let x = Self.arguments.filter { $0 > -13 } + numbers(4_000, seed: 10, spread: 4), y = zeros(x.count)
        NetKernels(set).normalDistribution(block(x).view, into: y.mutableView)
        let worst = zip(x, values(y)).map { ulps($1, from: erfc(-Double($0) / 2.0.squareRoot()) / 2) }.max()
        #expect((worst ?? .infinity) <= Self.normalUlps)
    }

    /// The exact value in double precision; bounds in ulps, products of a function and its argument one more.
    static let smooth: [(Activation, ulps: Double, exact: @Sendable (Double) -> Double)] = [
        (.elu(alpha: 1), 4, { $0 > 0 ? $0 : expm1($0) }),
        (.selu, 5, { 1.0507009873554805 * ($0 > 0 ? $0 : 1.6732632423543772 * expm1($0)) }),
        (.softplus, 4, { max($0, 0) + log1p(exp(-abs($0))) }),
        (.gelu, 9, { $0 / 2 * erfc(-$0 / 2.0.squareRoot()) }),
        (.silu, 5, { $0 / (1 + exp(-$0)) }),
    ]

    @Test(arguments: runnableSets)
    func smoothActivationsAreWithinTheirBounds(set: InstructionSet) {
        let x = (Self.arguments + numbers(4_000, seed: 10, spread: 3)).filter { $0 > -12.5 }
        for (activation, bound, exact) in Self.smooth {
            let worst = zip(x, Self.activated(activation, x, set: set)).map { ulps($1, from: exact(Double($0))) }.max()
            #expect((worst ?? .infinity) <= bound, "\(activation)")
        }
    }

    /// The argument of σ is a sum and a cube: its roundings count as often as its size.
    @Test(arguments: runnableSets)
    func geluByTanhAndHardSigmoidAreAsDefined(set: InstructionSet) {
        let x = numbers(4_000, seed: 10, spread: 9)
        for (value, y) in zip(x, Self.activated(.geluTanh, x, set: set)) {
            let z = Double(value), u = (8 / Double.pi).squareRoot() * (z + 0.044715 * z * z * z)
            let exact = z / (1 + exp(-u))
            #expect(ulps(y, from: exact) <= 8 + 4 * abs(u))
        }
        #expect(Self.activated(.hardSigmoid, [-4, -3, -1.5, 0, 1.5, 3, 4], set: set) == [0, 0, 0.25, 0.5, 0.75, 1, 1])
    }

    /// Arguments of σ and of e reach 20 here, so that a rounding of one is 10⁻⁶ of the function.
    static let slopeTolerance = 4e-6

    /// Every derivative against the slope of the exact function, from what backward is given.
    @Test(arguments: runnableSets)
    func derivativesAreSlopes(set: InstructionSet) {
        let x = numbers(2_000, seed: 14, spread: 6), width = x.count
        let hard: @Sendable (Double) -> Double = { min(max($0 / 6 + 0.5, 0), 1) }
        let tanhForm: @Sendable (Double) -> Double = { $0 / (1 + exp(-(8 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) }
        for (activation, exact) in Self.smooth.map({ ($0.0, $0.exact) }) + [(.hardSigmoid, hard), (.geluTanh, tanhForm)] {
            let y = Self.activated(activation, x, set: set), gradient = block([Float](repeating: 1, count: width))
            NetKernels(set).backward(
                Epilogue(activation), y: block(activation.readsInput ? x : y).view, keep: nil, gradient: gradient.mutableView,
                Region(rows: 1, width: width))
            for (index, slope) in values(gradient).enumerated() where abs(abs(x[index]) - 3) > 1e-3 && abs(x[index]) > 1e-3 {
                let z = Double(x[index])
                let expected = (exact(z + 1e-5) - exact(z - 1e-5)) / 2e-5
                #expect(abs(Double(slope) - expected) <= Self.slopeTolerance, "\(activation) at \(z)")
            }
        }
    }

    static let all: [Activation] = [
        .identity, .relu, .leakyReLU(slope: 0.1), .sigmoid, .tanh, .elu(alpha: 1), .selu, .softplus, .hardSigmoid, .gelu, .geluTanh, .silu,
    ]

    @Test(arguments: runnableSets)
    func limitsOfTheSmoothOnesComeThrough(set: InstructionSet) {
        let huge: [Float] = [.infinity, 1e30, -1e30]
        #expect(Self.activated(.elu(alpha: 2), huge + [-.infinity], set: set) == [.infinity, 1e30, -2, -2])
        #expect(Self.activated(.softplus, huge + [-.infinity], set: set) == [.infinity, 1e30, 0, 0])
        #expect(Self.activated(.hardSigmoid, huge + [-.infinity], set: set) == [1, 1, 0, 0])
        for activation in [Activation.gelu, .geluTanh, .silu] {
            #expect(Self.activated(activation, huge, set: set) == [.infinity, 1e30, 0])
            let gradient = block([1, 1, 1, 1])
            NetKernels(set).backward(
                Epilogue(activation), y: block(huge + [-.infinity]).view, keep: nil, gradient: gradient.mutableView,
                Region(rows: 1, width: 4))
            #expect(values(gradient) == [1, 1, 0, 0], "\(activation)")
        }
    }

    @Test(arguments: runnableSets)
    func limitsAndNaNComeThrough(set: InstructionSet) {
        let x: [Float] = [.infinity, -.infinity, .nan, 1_000, -1_000]
        let y = zeros(x.count)
        NetKernels(set).exponential(block(x).view, into: y.mutableView)
        #expect(bits(values(y).filter { !$0.isNaN }) == bits([.infinity, 0, .infinity, 0]))
        #expect(Self.activated(.sigmoid, [.infinity, -.infinity, 1_000, -1_000], set: set) == [1, 0, 1, 0])
        #expect(Self.activated(.tanh, [.infinity, -.infinity, 1_000, -1_000], set: set) == [1, -1, 1, -1])
        for activation in Self.all {
            #expect(Self.activated(activation, [.nan], set: set)[0].isNaN)
        }
        #expect(Self.activated(.relu, [-1, 0, 2, -.infinity], set: set) == [0, 0, 2, 0])
        #expect(Self.activated(.leakyReLU(slope: 0.25), [-1, 0, 2], set: set) == [-0.25, 0, 2])
    }

    @Test func everyInstructionSetGivesTheSameBits() {
        let x = Self.arguments
        for activation in Self.all {
            let all = runnableSets.map { bits(Self.activated(activation, x, set: $0, scale: 1.25)) }
            #expect(all.allSatisfy { $0 == all[0] })
        }
        let normals = runnableSets.map { set in
            let y = zeros(x.count)
            NetKernels(set).normalDistribution(block(x).view, into: y.mutableView)
            return bits(y)
        }
        #expect(normals.allSatisfy { $0 == normals[0] })
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
