import Exactness
import Kernels
import NeuralNet
import Optimization
import ParameterServer
import Testing

@Suite struct StateVersionsTests {
    @Test func weightsRotateThroughThreeBlocksAndSlotsThroughTwo() {
        let state = StateVersions(elementCount: 4, slotCount: 2)
        var weights: Set<ObjectIdentifier> = [ObjectIdentifier(state.currentWeights)]
        let slots = state.currentSlots.map(ObjectIdentifier.init)
        for version in 1...6 {
            let (built, builtSlots, former) = (state.nextWeights, state.nextSlots.map(ObjectIdentifier.init), state.currentWeights)
            state.advance { $0 !== former }
            #expect(state.currentWeights === built)
            #expect(state.nextWeights !== built && state.nextWeights !== former)
            #expect(state.currentSlots.map(ObjectIdentifier.init) == builtSlots)
            #expect((state.currentSlots.map(ObjectIdentifier.init) == slots) == version.isMultiple(of: 2))
            weights.insert(ObjectIdentifier(state.currentWeights))
        }
        #expect(weights.count == 3)
    }

    @Test func theTwoSidesOfASlotAreDifferentBlocks() {
        let state = StateVersions(elementCount: 4, slotCount: 2)
        #expect(Set((state.currentSlots + state.nextSlots).map(ObjectIdentifier.init)).count == 4)
        #expect((state.currentSlots + state.nextSlots).allSatisfy { $0.count == 4 })
    }

    @Test func aBlockThatIsReadIsReplaced() {
        let state = StateVersions(elementCount: 4, slotCount: 0)
        var pinned: [FloatBlock] = []
        for version in 1...8 {
            pinned.append(state.currentWeights)
            state.nextWeights.mutableView.fill(Float(version))
            state.advance { block in !pinned.contains { $0 === block } }
            #expect(!pinned.contains { $0 === state.nextWeights })
        }
        for (version, block) in pinned.enumerated() { #expect((0..<4).allSatisfy { block.view[$0] == Float(version) }) }
    }

    @Test func aReleasedBlockIsUsedAgain() {
        let state = StateVersions(elementCount: 4, slotCount: 0)
        let first = state.currentWeights
        state.advance { $0 !== first }
        let third = state.nextWeights
        #expect(third !== first)
        state.advance { _ in true }
        #expect(state.currentWeights === third && state.nextWeights === first)
    }

    /// Messages of some versions are never sent; the training goes on and what they read stays what it was.
    @Test func trainingNeverWritesIntoWhatIsStillBeingSent() throws {
        let problem = try Problem(.momentum(learningRate: 0.1), shardCount: 2)
        let reference = ReferenceRun(problem, steps: 6)
        let pins = Pins()
        let harness = try ServerHarness(problem, isFree: { block in !pins.blocks.contains { $0 === block } })
        for (step, sums) in reference.sums.enumerated() {
            for chunk in 0..<3 { harness.offer(problem.tree.root, chunk, of: sums) }
            harness.drain()
            #expect(reference.states[step].isEqual(to: harness.server))
            if step < 4 { pins.blocks.append(harness.server.state.currentWeights) }
        }
        for (step, block) in pins.blocks.enumerated() { #expect(isEqual(block.view, reference.states[step].weights.view)) }
    }

    private final class Pins {
        var blocks: [FloatBlock] = []
    }
}
