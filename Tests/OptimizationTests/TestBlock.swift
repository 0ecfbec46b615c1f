import Exactness
import Kernels

@testable import Optimization

/// A parameter block with both its versions, stepped through `Updater` as a server does, in chunks of one figure block.
final class TestBlock {
    let updater: Result<Updater, OptimizationError>
    private(set) var stepCount: UInt64 = 0
    private var current: [FloatBlock]
    private var next: [FloatBlock]
    private let scratch = UpdateScratch(shardCount: 4)
    /// Elements per call of `update`.
    var chunkLength = figureBlockLength

    init(rule: RuleSpecification, treatment: GradientTreatment = GradientTreatment(), weights: [Float], segments: [UpdateSegment]? = nil) {
        do {
            let whole = [UpdateSegment(range: 0..<weights.count, isRegularized: true)]
            updater = .success(try Updater(rule: rule, treatment: treatment, segments: segments ?? whole))
        } catch {
            updater = .failure(error)
        }
        let slots = rule.slotNames.indices.map { [Float](repeating: rule.initialSlotValue($0), count: weights.count) }
        current = ([weights] + slots).map { FloatBlock($0) }
        next = current.map { FloatBlock(count: $0.count) }
    }

    var weights: [Float] { current[0].values }
    var slots: [[Float]] { current.dropFirst().map(\.values) }

    /// One step at the rule's rate; operand i is leaf i of four shards. The version only changes if all was finite.
    func step(operands: [[Float]], sampleCount: Int, norms: NormAccumulator? = nil) throws -> UpdateOutcome {
        let updater = try updater.get()
        let tree = ShardTree(shardCount: 4)
        let reduction = TreeReduction(nodes: operands.indices.map { tree.leaf($0) }, in: tree)
        let blocks = operands.map { FloatBlock($0) }
        let scalars = updater.scalars(step: stepCount + 1, learningRate: updater.rule.learningRate)
        for start in stride(from: 0, to: updater.elementCount, by: chunkLength) {
            let range = start..<min(start + chunkLength, updater.elementCount)
            let outcome = updater.update(
                range, reduction: reduction, operands: blocks.map { $0.view[range] }, sampleCount: sampleCount, scalars: scalars,
                weights: current[0].view, slots: current.dropFirst().map(\.view), into: next[0].mutableView,
                nextSlots: next.dropFirst().map(\.mutableView), scratch: scratch, norms: norms)
            guard outcome == .finite else { return withExtendedLifetime(blocks) { outcome } }
        }
        withExtendedLifetime(blocks) {}
        swap(&current, &next)
        stepCount += 1
        return .finite
    }
}

extension FloatBlock {
    convenience init(_ values: [Float]) {
        self.init(count: values.count)
        for (index, value) in values.enumerated() { mutableView[index] = value }
    }

    var values: [Float] { (0..<count).map { mutableView[$0] } }
}

/// Numbers in ±1, and how to get them again.
struct TestNumbers {
    private var state: UInt32

    init(seed: UInt32) {
        state = seed &* 2_654_435_761
    }

    mutating func next() -> Float {
        state = state &* 1_664_525 &+ 1_013_904_223
        return Float(Int32(bitPattern: state &* 747_796_405)) / Float(1 << 31)
    }

    static func array(_ count: Int, seed: UInt32) -> [Float] {
        var numbers = TestNumbers(seed: seed)
        return (0..<count).map { _ in numbers.next() }
    }
}
