import Exactness
import Foundation
import Kernels
import Testing

@testable import NeuralNet

/// Outputs and class probabilities without targets.
@Suite struct PredictionTests {
    /// Float rounding of a quotient of exponentials that are right to 2 units in the last place.
    private static let tolerance = 1e-6

    private func engine(_ layers: [LayerKind], loss: LossSpecification, leafRows: Int = 3) throws -> (LeafEngine, FloatBlock) {
        let network = try Network(
            ModelSpecification(inputShape: [4], layers: layers.map { LayerSpecification($0) }, loss: loss))
        let engine = LeafEngine(network: network, tree: ShardTree(shardCount: 1), leafRows: leafRows, seed: 3)
        engine.reserve(leaves: 1)
        let weights = FloatBlock(count: network.layout.count)
        network.initialize(into: weights.mutableView, seed: 8)
        let inputs = engine.inputs(slot: 0, rows: leafRows)
        for index in 0..<inputs.count { inputs[index] = Float(index % 7) * 3 - 8 }
        engine.setSampleIDs(slot: 0, rows: leafRows) { UInt32(40 + $0) }
        return (engine, weights)
    }

    @Test func softmaxOfTheLogits() throws {
        let (engine, weights) = try engine([.dense(units: 5)], loss: .softmaxCrossEntropy)
        engine.predict([LeafSlot(shard: 0, slot: 0, rows: 3)], weights: weights.view)
        let p = FloatBlock(count: 15)
        engine.probabilities(slot: 0, rows: 3, into: p.mutableView)
        let logits = engine.outputs(slot: 0, rows: 3)
        for row in 0..<3 {
            let exponentials = (0..<5).map { exp(Double(logits[row * 5 + $0])) }
            for column in 0..<5 {
                #expect(abs(Double(p.view[row * 5 + column]) - exponentials[column] / exponentials.reduce(0, +)) < Self.tolerance)
            }
        }
    }

    @Test(arguments: [-200, -1, 0, 0.5, 200] as [Float])
    func sigmoidOfTheOneLogit(bias: Float) throws {
        let (engine, weights) = try engine([.dense(units: 1)], loss: .binaryCrossEntropy)
        for index in 0..<4 { weights.mutableView[index] = 0 }
        weights.mutableView[4] = bias
        engine.predict([LeafSlot(shard: 0, slot: 0, rows: 3)], weights: weights.view)
        #expect(engine.classCount == 2)
        let p = FloatBlock(count: 6)
        engine.probabilities(slot: 0, rows: 3, into: p.mutableView)
        let expected = 1 / (1 + exp(-Double(bias)))
        for row in 0..<3 {
            #expect(abs(Double(p.view[2 * row + 1]) - expected) < Self.tolerance)
            #expect(abs(Double(p.view[2 * row]) - (1 - expected)) < Self.tolerance)
        }
    }

    @Test func aMaskIsThatOfTheTrainingStep() throws {
        let (engine, weights) = try engine([.dense(units: 16), .dropout(rate: 0.5), .dense(units: 5)], loss: .softmaxCrossEntropy)
        engine.setLabels(slot: 0, rows: 3) { Int32($0) }
        let slot = LeafSlot(shard: 0, slot: 0, rows: 3)
        let gradient = FloatBlock(count: weights.count)
        func outputs() -> [Float] { (0..<15).map { engine.outputs(slot: 0, rows: 3)[$0] } }
        _ = try engine.computeGradients(
            step: 6, nodes: [NodeWork(node: ShardTree(shardCount: 1).root, gradient: gradient.mutableView, slots: [slot])],
            weights: weights.view, parametersNeeded: { _ in }, gradientFinished: { _, _ in })
        let trained = outputs()
        engine.predict([slot], weights: weights.view, mask: 6)
        #expect(outputs() == trained)
        engine.predict([slot], weights: weights.view, mask: 7)
        #expect(outputs() != trained)
        engine.predict([slot], weights: weights.view)
        let plain = outputs()
        _ = engine.evaluate([slot], weights: weights.view)
        #expect(outputs() == plain)
    }
}
