import Exactness
import Kernels
import Testing

@Suite struct DropoutKernelTests {
    struct Answer: CustomTestStringConvertible {
        var counter: SIMD4<UInt32>
        var key: SIMD2<UInt32>
        var words: [UInt32]
        var testDescription: String { "counter \(counter)" }
    }

    /// Random123 1.14, tests/kat_vectors, philox4x32 10.
    static let answers = [
        Answer(counter: .zero, key: .zero, words: [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
        Answer(
            counter: SIMD4(repeating: .max), key: SIMD2(repeating: .max), words: [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
        Answer(
            counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: SIMD2(0xa409_3822, 0x299f_31d0),
            words: [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]),
    ]

    @Test(arguments: runnableSets, answers)
    func philoxGivesThePublishedNumbers(set: InstructionSet, answer: Answer) {
        #expect(NetKernels(set).philox(counter: answer.counter, key: answer.key, blocks: 1) == answer.words)
    }

    @Test(arguments: runnableSets)
    func philoxIsThatOfTheStreams(set: InstructionSet) {
        let philox = Philox(seed: 0x1234_5678_9abc_def0)
        let counter = SIMD4<UInt32>(0xffff_fff0, 77, 3, 9)  // the first word wraps
        let expected = (0..<21).flatMap { block -> [UInt32] in
            let words = philox.block(counter &+ SIMD4(UInt32(block), 0, 0, 0))
            return [words.x, words.y, words.z, words.w]
        }
        #expect(NetKernels(set).philox(counter: counter, key: philox.key, blocks: 21) == expected)
    }

    /// Bias, activation, mask and scale in one pass, against the streams element by element; widths with and without a rest.
    @Test(arguments: runnableSets, [1, 7, 32, 45, 100])
    func droppedElementsAreThoseOfTheStreams(set: InstructionSet, width: Int) {
        let rows = 5, rate = 0.3, layer = 6, step: UInt64 = 41, seed: UInt64 = 99
        let x = numbers(rows * width, seed: 1), bias = numbers(width, seed: 2)
        let samples = AlignedBlock<UInt32>(count: rows), keep = AlignedBlock<UInt8>(count: rows * width)
        for row in 0..<rows { samples[row] = UInt32(1_000_003 * row) }
        let epilogue = Epilogue(
            .relu, scale: 1.5, threshold: UInt32(rate * 0x1p32), seed: seed, step: step, tag: RandomStream.tag(.dropout, layer: layer))
        let y = zeros(x.count)
        NetKernels(set).forward(
            epilogue, x: block(x).view, bias: block(bias).view, samples: samples, y: y.mutableView, keep: keep,
            Region(rows: rows, width: width))
        for row in 0..<rows {
            let stream = RandomStream(seed: seed, purpose: .dropout, layer: layer, step: step, sample: samples[row])
            for column in 0..<width {
                let kept = stream.words(column / 4)[column % 4] >= UInt32(rate * 0x1p32)
                let index = row * width + column
                #expect(keep[index] == (kept ? 1 : 0))
                #expect(y.view[index] == (kept ? max(0, x[index] + bias[column]) * 1.5 : 0))
            }
        }
    }

    @Test(arguments: runnableSets)
    func regionsTogetherAreTheWhole(set: InstructionSet) {
        let rows = 3, width = 203
        let x = numbers(rows * width, seed: 3), samples = AlignedBlock<UInt32>(count: rows)
        let epilogue = Epilogue(.tanh, scale: 2, threshold: 1 << 31, seed: 5, step: 6, tag: 7)
        func result(_ parts: [Range<Int>]) -> [UInt32] {
            let y = zeros(x.count)
            for part in parts {
                NetKernels(set).forward(
                    epilogue, x: block(x).view, bias: nil, samples: samples, y: y.mutableView, keep: nil,
                    Region(rows: rows, width: width, first: part.lowerBound, count: part.count))
            }
            return bits(y)
        }
        #expect(result([0..<203]) == result([48..<96, 0..<48, 96..<203]))
    }

    /// The derivative in the same pass: 0 where dropped, scaled where kept, from the stored output.
    @Test(arguments: runnableSets, [Activation.identity, .relu, .leakyReLU(slope: 0.1)])
    func gradientsFollowTheMask(set: InstructionSet, activation: Activation) {
        let rows = 4, width = 45
        let x = numbers(rows * width, seed: 1), samples = AlignedBlock<UInt32>(count: rows)
        let keep = AlignedBlock<UInt8>(count: x.count), y = zeros(x.count), gradient = block(numbers(x.count, seed: 2))
        let before = values(gradient)
        let epilogue = Epilogue(activation, scale: 2, threshold: 1 << 31, seed: 5, step: 6, tag: 7)
        let region = Region(rows: rows, width: width)
        NetKernels(set).forward(epilogue, x: block(x).view, bias: nil, samples: samples, y: y.mutableView, keep: keep, region)
        NetKernels(set).backward(
            epilogue, y: y.view, keep: activation.showsDroppedUnits ? nil : keep, gradient: gradient.mutableView, region)
        for index in x.indices {
            let slope: Float =
                switch activation {
                case .relu: x[index] > 0 ? 1 : 0
                case .leakyReLU(let slope): x[index] > 0 ? 1 : slope
                default: 1
                }
            #expect(gradient.view[index] == (keep[index] == 1 ? before[index] * 2 * slope : 0))
        }
    }
}
