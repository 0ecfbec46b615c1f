internal import Datasets
internal import Exactness
internal import NeuralNet
internal import Wire

/// The version of the numbers: raised whenever the same run file would give other bits.
public let numericsVersion = 3

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
    /// Epochs after which training rows are dealt to the shards anew; nil deals once.
    var redealEvery: Int? = nil
    var chunkByteCount: Int
    /// Whether the rule evaluates several times per step, so that weights and gradients are numbered by rounds.
    var countsRounds = false
    /// Whether every contribution is an update of its own: modes ssp and async.
    var isStale = false
    /// nil: what each machine has.
    var instructionSet: String?
    var precision = Precision.f32
    /// What weights and the sums of nodes are rounded to before anybody else sees them.
    var wire = Precision.f32
    /// Where workers read the rows by themselves; nil: they are sent.
    var dataFiles: DataFiles? = nil
    /// The share of steps whose leaves two workers compute; nil: none.
    var auditFraction: Double? = nil

    /// Refuses what no coordinator of ours would send, so that a worker never traps on it.
    func validate() throws(WireError) {
        let isPowerOfTwo = shardCount > 0 && shardCount & (shardCount - 1) == 0 && shardCount <= 1 << 16
        guard isPowerOfTwo, batchSize > 0, batchSize % shardCount == 0 else {
            throw .malformed("a run of \(shardCount) virtual shards and batch size \(batchSize)")
        }
        guard trainRows > 0, sampleRows > 0, sampleRows <= trainRows, validationRows >= 0, testRows >= 0, trainRows <= Int(UInt32.max),
            validationRows <= Int(UInt32.max), testRows <= Int(UInt32.max)
        else { throw .malformed("a run of \(trainRows) training rows") }
        if let redealEvery, redealEvery < 1 { throw .malformed("a run that deals anew every \(redealEvery) epochs") }
        guard chunkByteCount > 0, chunkByteCount % (figureBlockLength * 4) == 0 else {
            throw .malformed("chunks of \(chunkByteCount) bytes")
        }
    }

    /// The largest body that a worker of this run can have to send: a chunk, positions, the figures of a shard.
    func largestBodyToCoordinator(_ chunks: ChunkMap) -> Int {
        // Every pair of a confusion stands for at least one row.
        let figures =
            parts.map { part in
                plan(of: part).blockCount(ofShard: 0) * BlockFigures.byteCount + plan(of: part).rows(ofShard: 0) * ConfusionCount.byteCount
            }.max() ?? 0
        return max(chunks.largestByteCount, figures, WireProtocol.smallestBodyLimit)
    }

    /// The largest body that a worker of this run can be sent: a chunk, a packet of rows.
    func largestBodyToWorker(_ chunks: ChunkMap) -> Int {
        max(chunks.largestByteCount, 2 * WireProtocol.rowPacketBytes, rowFormat.byteCount(rowCount: 1) ?? 0)
    }

    var tree: ShardTree { ShardTree(shardCount: shardCount, roundsNodes: wire == .bf16) }
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

    /// Which dealing of the training rows `step` takes its rows from. Long passes keep to the first, 0.
    func deal(ofStep step: UInt64) -> UInt64 {
        redealEvery.map { plan(of: .train).epoch(ofStep: step) / UInt64($0) } ?? 0
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
