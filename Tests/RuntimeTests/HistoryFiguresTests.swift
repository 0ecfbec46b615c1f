import Datasets
import Foundation
import NeuralNet
import Testing
import Wire

@testable import Runtime

@Suite struct StepLossesTests {
    @Test func aLineTellsWhatCameSinceTheLast() {
        var losses = StepLosses()
        #expect(losses.take() == nil)
        for loss in [2.0, 8, 1, 1] { losses.note(loss, samples: 30) }
        #expect(losses.take() == StepLosses.Report(first: 2, last: 1, mean: 3, highest: 8, samples: 120))
        losses.note(0.5, samples: 7)
        #expect(losses.take() == StepLosses.Report(first: 0.5, last: 0.5, mean: 0.5, highest: 0.5, samples: 7))
    }

    @Test func whatIsNotFiniteIsLeftOut() {
        var losses = StepLosses()
        for loss in [2.0, .nan, 1] { losses.note(loss, samples: 2) }
        #expect(losses.take() == StepLosses.Report(first: 2, last: 1, mean: nil, highest: nil, samples: 6))
    }
}

@Suite struct StepLossesOfOldCheckpointsTests {
    @Test func rowsAreNotCountedFromTheMiddle() throws {
        let written = Data(#"{"first":2,"last":1,"sum":3,"highest":2,"count":2}"#.utf8)
        var losses = try JSONDecoder().decode(StepLosses.self, from: written)
        losses.note(3, samples: 40)
        #expect(losses.take() == StepLosses.Report(first: 2, last: 3, mean: 2, highest: 3, samples: nil))
        losses.note(3, samples: 40)
        #expect(losses.take()?.samples == 40)
    }
}

@Suite struct UnitTallyTests {
    private func observed() throws -> [ObservedUnits] {
        let layers = [LayerKind.dense(units: 4), .relu, .dense(units: 2), .tanh, .dense(units: 2)].map { LayerSpecification($0) }
        return try Network(ModelSpecification(inputShape: [3], layers: layers, loss: .softmaxCrossEntropy)).observedUnits
    }

    @Test func sharesAreOfUnitsAndOfActivations() throws {
        var tally = UnitTally()
        tally.begin(5)
        tally.take(evaluation: 5, shard: 1, [.alive([0, 0, 1, 0]), .outside(3)])
        tally.take(evaluation: 5, shard: 0, [.alive([1, 0, 0, 0]), .outside(2)])
        let shares = tally.shares(try observed(), rows: 10)
        #expect(shares[1]?.dead == 0.5 && shares[1]?.saturated == nil)
        #expect(shares[3]?.saturated == 0.25 && shares[3]?.dead == nil)
    }

    @Test func aShardThatComesTwiceCountsOnce() throws {
        var tally = UnitTally()
        tally.begin(5)
        for _ in 0..<2 { tally.take(evaluation: 5, shard: 0, [.alive([1, 1, 1, 1]), .outside(2)]) }
        #expect(tally.shares(try observed(), rows: 10)[3]?.saturated == 0.1)
    }

    @Test func figuresOfAnotherEvaluationAreForgotten() throws {
        var tally = UnitTally()
        tally.begin(5)
        tally.take(evaluation: 5, shard: 0, [.alive([1, 1, 1, 1]), .outside(2)])
        tally.begin(6)
        tally.take(evaluation: 5, shard: 1, [.alive([1, 1, 1, 1]), .outside(2)])
        #expect(tally.shares(try observed(), rows: 10).isEmpty)
    }

    @Test func paddingIsNoUnit() throws {
        var tally = UnitTally()
        tally.begin(1)
        tally.take(evaluation: 1, shard: 0, [.alive([1, 1, 1, 0, 0, 0, 0, 0]), .outside(0)])
        #expect(tally.shares(try observed(), rows: 10)[1]?.dead == 0.25)
    }

    @Test func aLayerWhoseShardsDisagreeIsLeftOut() throws {
        var tally = UnitTally()
        tally.begin(1)
        tally.take(evaluation: 1, shard: 0, [.alive([1, 1, 1, 1]), .outside(0)])
        tally.take(evaluation: 1, shard: 1, [.alive([1, 1]), .outside(10)])
        let shares = tally.shares(try observed(), rows: 10)
        #expect(shares[1] == nil && shares[3]?.saturated == 0.5)
    }
}
