internal import Datasets
internal import Exactness
internal import NeuralNet
internal import Wire

/// The version of the numbers: raised whenever the same run file would give other bits.
public let numericsVersion = 1

/// All that a worker must know to compute: everything but rows and weights. Travels inside the welcome.
struct RunDescription: Codable, Equatable, Sendable {
    var seed: UInt64
    var model: ModelSpecification
    var rowFormat: RowFormat
    var preprocessing: Preprocessing
    var targetScaling: TargetScaling?
    var shardCount: Int
    var batchSize: Int
    /// Rows by part; a part that is absent has none.
    var trainRows: Int
    var validationRows: Int
    var testRows: Int
    var sampleRows: Int
    var chunkByteCount: Int
    /// Whether the rule evaluates several times per step, so that weights and gradients are numbered by rounds.
    var countsRounds = false
    /// nil: what each machine has.
    var instructionSet: String?
    var precision = Precision.f32

    /// Refuses what no coordinator of ours would send, so that a worker never traps on it.
    func validate() throws(WireError) {
        let isPowerOfTwo = shardCount > 0 && shardCount & (shardCount - 1) == 0 && shardCount <= 1 << 16
        guard isPowerOfTwo, batchSize > 0, batchSize % shardCount == 0 else {
            throw .malformed("a run of \(shardCount) virtual shards and batch size \(batchSize)")
        }
        guard trainRows > 0, sampleRows > 0, sampleRows <= trainRows, validationRows >= 0, testRows >= 0, trainRows <= Int(UInt32.max),
            validationRows <= Int(UInt32.max), testRows <= Int(UInt32.max)
        else { throw .malformed("a run of \(trainRows) training rows") }
        guard chunkByteCount > 0, chunkByteCount % (figureBlockLength * 4) == 0 else {
            throw .malformed("chunks of \(chunkByteCount) bytes")
        }
    }

    var tree: ShardTree { ShardTree(shardCount: shardCount) }
    var leafRows: Int { batchSize / shardCount }

    func rowCount(of part: PartID) -> Int {
        switch part {
        case .train: trainRows
        case .validation: validationRows
        case .test: testRows
        case .sample: sampleRows
        }
    }

    func plan(of part: PartID) -> StepPlan {
        StepPlan(rowCount: rowCount(of: part), batchSize: batchSize, shardCount: shardCount)
    }

    /// The parts that have rows.
    var parts: [PartID] { PartID.allCases.filter { rowCount(of: $0) > 0 } }

    /// Every row count that a leaf or block of this run can have.
    var leafRowCounts: [Int] {
        Set(parts.flatMap { plan(of: $0).leafRowCounts }).sorted()
    }
}

extension PartID {
    /// The part whose rows it looks at: the sample is a part of the training rows, the first ones of every shard.
    var storedAs: PartID { self == .sample ? .train : self }
}
