import Datasets
import Exactness
import NeuralNet
import Testing
import Wire

@testable import Runtime

@Suite struct RowLoaderTests {
    private let run = RunDescription(
        seed: 3, model: ModelSpecification(inputShape: [2], layers: [LayerSpecification(.dense(units: 2))], loss: .softmaxCrossEntropy),
        rowFormat: RowFormat(featureType: .u8, featureCount: 2, targetType: .classes(count: 2)), preprocessing: .none, targetScaling: nil,
        shardCount: 2, batchSize: 8, trainRows: 41, validationRows: 6, testRows: 0, sampleRows: 41, chunkByteCount: 65_536,
        instructionSet: nil)

    /// Answers every request with rows of zeros and gives the positions that were asked for, by shard and part.
    private func serve(_ loader: RowLoader, until limit: Int = .max) throws -> [ShardKey: [UInt32]] {
        var asked: [ShardKey: [UInt32]] = [:]
        var served = 0
        while served < limit, let (number, request) = loader.nextRequest() {
            asked[request.key, default: []] += request.positions
            let packet = [UInt8](repeating: 0, count: request.positions.count * run.rowFormat.bytesPerRow)
            try packet.withUnsafeBytes { try loader.arrived(number, packet: $0) }
            served += 1
        }
        return asked
    }

    @Test func everyRowIsAskedForOnce() throws {
        let loader = RowLoader(run: run)
        try loader.plan(shards: [0, 1], step: 0)
        let asked = try serve(loader)
        for shard in 0..<2 {
            #expect(asked[ShardKey(part: .train, shard: shard)]?.sorted() == (0..<UInt32(21 - shard)).map { $0 })
            #expect(asked[ShardKey(part: .validation, shard: shard)]?.sorted() == [0, 1, 2])
        }
        #expect(loader.nextRequest() == nil)
    }

    @Test func rowsOfTheCurrentStepComeFirst() throws {
        let loader = RowLoader(run: run)
        let step: UInt64 = 8  // epoch 1, third step
        try loader.plan(shards: [0, 1], step: step)
        let plan = run.plan(of: .train)
        for shard in 0..<2 {
            let order = EpochOrder.positions(rowCount: plan.rows(ofShard: shard), seed: run.seed, epoch: 1, shard: shard)
            let first = try #require(loader.nextRequest()).request
            #expect(first.key == ShardKey(part: .train, shard: shard))
            #expect(first.positions == Array(order[plan.positions(step: step, shard: shard)]))
        }
    }

    @Test func rowsThatAreHereAreNotAskedForAgain() throws {
        let loader = RowLoader(run: run)
        try loader.plan(shards: [0], step: 0)
        let before = try serve(loader)
        #expect(!before.isEmpty)
        try loader.plan(shards: [0, 1], step: 3)
        let after = try serve(loader)
        #expect(after[ShardKey(part: .train, shard: 0)] == nil)
        #expect(after[ShardKey(part: .train, shard: 1)]?.count == 20)
    }

    /// Every second epoch is dealt anew; the first dealing's sample stays, since every validation looks at it.
    @Test func anotherDealingAsksForItsRowsAndKeepsTheFirst() throws {
        var run = run
        run.redealEvery = 2
        run.sampleRows = 10
        let loader = RowLoader(run: run)
        try loader.plan(shards: [0], step: 0)
        #expect(try serve(loader)[ShardKey(part: .train, shard: 0)]?.count == 21)
        let step = UInt64(2 * run.plan(of: .train).stepsPerEpoch)
        try loader.plan(shards: [0], step: step - 1)
        #expect(loader.nextRequest() == nil)
        try loader.plan(shards: [0], step: step)
        #expect(try serve(loader).mapValues(\.count) == [ShardKey(part: .train, shard: 0, deal: 1): 21])
        #expect(try loader.holds(ShardKey(part: .train, shard: 0), [0, 20]))
        #expect(try loader.holds(ShardKey(part: .train, shard: 0, deal: 1), [0, 20]))
    }

    /// A worker that joins later has seen no first dealing: it fetches the sample, and the rest only if a long pass wants it.
    @Test func aLateWorkerFetchesTheSampleAndOnRequestTheRest() throws {
        var run = run
        run.redealEvery = 1
        run.sampleRows = 10
        let loader = RowLoader(run: run)
        let first = ShardKey(part: .train, shard: 0)
        try loader.plan(shards: [0], step: UInt64(run.plan(of: .train).stepsPerEpoch))
        #expect(try serve(loader)[first] == [0, 1, 2, 3, 4])
        let all = (0..<UInt32(21)).map { $0 }
        try loader.request(first, all[...])
        try loader.request(first, all[...])
        #expect(try serve(loader) == [first: Array(5..<21)])
    }

    @Test func noMoreRequestsThanTheCredit() throws {
        let loader = RowLoader(run: run)
        try loader.plan(shards: [0, 1], step: 0)
        var count = 0
        while loader.nextRequest(limit: 3) != nil { count += 1 }
        #expect(count == 3)
    }

    @Test func answerToAForgottenRequestIsDropped() throws {
        let loader = RowLoader(run: run)
        try loader.plan(shards: [0], step: 0)
        let (number, request) = try #require(loader.nextRequest())
        try loader.plan(shards: [0], step: 0)
        let packet = [UInt8](repeating: 0, count: request.positions.count * run.rowFormat.bytesPerRow)
        try packet.withUnsafeBytes { try loader.arrived(number, packet: $0) }
        #expect(try serve(loader)[ShardKey(part: .train, shard: 0)]?.count == 21)
    }

    /// What a step waits for, then what a coming lease needs, then what is only audited.
    @Test func rowsOfComingShardsComeAfterOwnOnes() throws {
        let loader = RowLoader(run: run)
        try loader.plan(shards: [1], fetch: [0], step: 0)
        var keys: [ShardKey] = []
        while let (number, request) = loader.nextRequest() {
            if keys.last != request.key { keys.append(request.key) }
            let packet = [UInt8](repeating: 0, count: request.positions.count * run.rowFormat.bytesPerRow)
            #expect(!loader.isIdle)
            try packet.withUnsafeBytes { try loader.arrived(number, packet: $0) }
        }
        #expect(loader.isIdle)
        #expect(keys == [(.train, 1), (.validation, 1), (.train, 0), (.validation, 0)].map { ShardKey(part: $0, shard: $1) })
    }

    @Test func ofShardsThatAreAuditedOnlyTrainingRowsAreWanted() throws {
        let loader = RowLoader(run: run)
        try loader.plan(shards: [1], audits: [0], step: 0)
        let asked = try serve(loader)
        #expect(asked[ShardKey(part: .train, shard: 0)]?.count == 21 && asked[ShardKey(part: .validation, shard: 0)] == nil)
        #expect(asked[ShardKey(part: .validation, shard: 1)] != nil)
    }
}
