/// Some rows as a net takes them.
public struct Batch: Sendable, Equatable {
    /// Preprocessed, `[count, featureCount]`.
    public let features: [Float]
    /// Class numbers; empty for regression.
    public let classes: [Int]
    /// Target values, standardised if the data are; empty for classification.
    public let values: [Float]
    /// The rows' numbers in their source, which key dropout.
    public let samples: [UInt32]

    public var count: Int { samples.count }
}

/// The rows of a part in batches, for the loop in one process.
///
///     let rows = try data.batches(.train, size: 64)
///     for batch in rows.epoch(3) { … }
///
/// Orders are those of a run with one virtual shard and the same seed and batch size.
public struct Batches: Sendable {
    public let size: Int
    public let rowCount: Int
    private let seed: UInt64
    private let store: ShardStore

    /// - Parameters:
    ///   - part: of `data`, whose seed deals and orders the rows.
    ///   - size: rows of a batch; the last one of an epoch may be shorter.
    init(_ part: DataPart, of data: PreparedData, size: Int) throws {
        guard size >= 1 else { throw BatchError.size(size) }
        let seed = data.seed
        let sharded = ShardedPart(part, shardCount: 1, seed: seed)
        let store = try ShardStore(
            format: part.format, capacity: part.rowCount, preprocessing: data.preprocessing, targetScaling: data.targetScaling)
        let positions = (0..<UInt32(part.rowCount)).map { $0 }
        var packet: [UInt8] = []
        for start in stride(from: 0, to: positions.count, by: Self.copiedAtOnce) {
            let some = positions[start..<min(start + Self.copiedAtOnce, positions.count)]
            packet.removeAll(keepingCapacity: true)
            sharded.gather(shard: 0, positions: some, appendingTo: &packet)
            try packet.withUnsafeBytes { try store.store($0, at: some) }
        }
        self.size = size
        self.seed = seed
        self.store = store
        rowCount = part.rowCount
    }

    private static let copiedAtOnce = 4_096

    /// All rows in the order of an epoch, counted from 0.
    public func epoch(_ epoch: Int) -> BatchSequence {
        precondition(epoch >= 0, "epochs are counted from 0, got \(epoch)")
        return BatchSequence(
            store: store, order: EpochOrder.positions(rowCount: rowCount, seed: seed, epoch: UInt64(epoch), shard: 0), size: size)
    }

    /// All rows in the order in which they were dealt, the same every time.
    public var inOrder: BatchSequence {
        BatchSequence(store: store, order: (0..<UInt32(rowCount)).map { $0 }, size: size)
    }
}

/// Batches one after the other, each made when it is asked for.
public struct BatchSequence: Sequence, IteratorProtocol, Sendable {
    let store: ShardStore
    let order: [UInt32]
    let size: Int
    private var position = 0

    init(store: ShardStore, order: [UInt32], size: Int) {
        self.store = store
        self.order = order
        self.size = size
    }

    public mutating func next() -> Batch? {
        guard position < order.count else { return nil }
        let positions = order[position..<Swift.min(position + size, order.count)]
        position += size
        func filled<Value>(_ zero: Value, _ count: Int, _ fill: (UnsafeMutableBufferPointer<Value>) -> Void) -> [Value] {
            var values = Array(repeating: zero, count: count)
            values.withUnsafeMutableBufferPointer { fill($0) }
            return values
        }
        let isRegression = store.format.targetType == .values
        return Batch(
            features: filled(0, positions.count * store.format.featureCount) { store.fill(positions, into: $0) },
            classes: isRegression ? [] : filled(Int32(0), positions.count) { store.fillClasses(positions, into: $0) }.map { Int($0) },
            values: isRegression ? filled(0, positions.count) { store.fillValues(positions, into: $0) } : [],
            samples: filled(0, positions.count) { store.fillSampleIDs(positions, into: $0) })
    }
}

extension PreparedData {
    /// With relative paths from the current folder.
    public init(_ specification: DataSpecification, seed: UInt64 = 1) throws(DataProblems) {
        try self.init(specification, seed: seed, folder: "")
    }

    /// The rows of a part, `size` at a time.
    /// - Throws: `BatchError` where there is no such part, or no rows in a batch.
    public func batches(_ name: PartName, size: Int) throws -> Batches {
        let part: DataPart? =
            switch name {
            case .train: train
            case .validation: validation
            case .test: test
            }
        guard let part else { throw BatchError.missing(name) }
        return try Batches(part, of: self, size: size)
    }
}

/// What rows are there for.
public enum PartName: String, Sendable {
    case train
    case validation
    case test
}

/// Batches that cannot be made.
public enum BatchError: Error, Equatable, Sendable, CustomStringConvertible {
    case size(Int)
    case missing(PartName)

    public var description: String {
        switch self {
        case .size(let size): "a batch has at least 1 row, got \(size)"
        case .missing(let part):
            "there are no \(part.rawValue) rows: give the data's description a \(part.rawValue) of its own or a fraction, .fraction(0.2)"
        }
    }
}
