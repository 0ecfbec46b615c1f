/// A worker's memory of one shard: rows in their stored type, as they arrived, and which of them are there.
///
/// One thread at a time stores; no other thread uses the store meanwhile. Any number may fill from it at once.
// `@unchecked Sendable`: the worker's loop stores between leaf passes only, as the contract above asks.
public final class ShardStore: @unchecked Sendable {
    public let format: RowFormat
    /// The rows of the whole shard.
    public let capacity: Int
    let preprocessing: Preprocessing
    let targetScaling: TargetScaling?
    /// capacity × featureCount of the stored type; the other one is empty.
    private(set) var bytes: [UInt8] = []
    private(set) var floats: [Float] = []
    /// Int32 or Float, as `format` says.
    private(set) var targets: [UInt32]
    private(set) var sampleIDs: [UInt32]
    private var isPresent: [Bool]
    public private(set) var presentCount = 0

    public init(
        format: RowFormat, capacity: Int, preprocessing: Preprocessing, targetScaling: TargetScaling? = nil
    ) throws(RowPacketError) {
        guard let byteCount = format.byteCount(rowCount: capacity), byteCount <= DatasetLimits.byteCount,
            capacity <= DatasetLimits.rowCount
        else {
            throw .shardSize(capacity: capacity, featureCount: format.featureCount)
        }
        guard preprocessing.fits(featureCount: format.featureCount) else { throw .preprocessing(featureCount: format.featureCount) }
        self.format = format
        self.capacity = capacity
        self.preprocessing = preprocessing
        self.targetScaling = targetScaling
        switch format.featureType {
        case .u8: bytes = Array(repeating: 0, count: capacity * format.featureCount)
        case .f32: floats = Array(repeating: 0, count: capacity * format.featureCount)
        }
        targets = Array(repeating: 0, count: capacity)
        sampleIDs = Array(repeating: 0, count: capacity)
        isPresent = Array(repeating: false, count: capacity)
    }

    public var isComplete: Bool { presentCount == capacity }

    /// The positions whose rows are not there yet, in the order given; positions beyond the shard are among them.
    public func missing(in positions: ArraySlice<UInt32>) -> [UInt32] {
        positions.filter { !contains($0) }
    }

    public func contains(_ position: UInt32) -> Bool {
        position < capacity && isPresent[Int(position)]
    }

    /// Takes a packet as `RowFormat` lays it out, whole or, with an error, not at all.
    /// - Parameter positions: where in the shard its rows belong; a row that is there already is replaced.
    public func store(_ packet: UnsafeRawBufferPointer, at positions: ArraySlice<UInt32>) throws(RowPacketError) {
        let expected = positions.count * format.bytesPerRow
        guard packet.count == expected else { throw .byteCount(packet.count, expected: expected, rowCount: positions.count) }
        if let position = positions.first(where: { $0 >= capacity }) { throw .position(position, capacity: capacity) }
        let featuresEnd = positions.count * format.featureBytesPerRow
        let targetsEnd = featuresEnd + positions.count * RowFormat.targetByteCount
        let newTargets = UnsafeRawBufferPointer(rebasing: packet[featuresEnd..<targetsEnd])
        let newIDs = UnsafeRawBufferPointer(rebasing: packet[targetsEnd...])
        try checkClasses(newTargets, count: positions.count)

        switch format.featureType {
        case .u8: bytes.withUnsafeMutableBytes { copyFeatures(packet, positions, into: $0) }
        case .f32: floats.withUnsafeMutableBytes { copyFeatures(packet, positions, into: $0) }
        }
        for (row, position) in positions.enumerated() {
            targets[Int(position)] = newTargets.word(row)
            sampleIDs[Int(position)] = newIDs.word(row)
            if !isPresent[Int(position)] {
                isPresent[Int(position)] = true
                presentCount += 1
            }
        }
    }

    private func checkClasses(_ targets: UnsafeRawBufferPointer, count: Int) throws(RowPacketError) {
        guard case .classes(let classCount) = format.targetType else { return }
        for row in 0..<count {
            let index = Int32(bitPattern: targets.word(row))
            guard index >= 0, index < classCount else { throw .classIndex(index, row: row, classCount: classCount) }
        }
    }

    private func copyFeatures(
        _ packet: UnsafeRawBufferPointer, _ positions: ArraySlice<UInt32>, into features: UnsafeMutableRawBufferPointer
    ) {
        let length = format.featureBytesPerRow
        for (row, position) in positions.enumerated() {
            let (source, target) = (row * length, Int(position) * length)
            UnsafeMutableRawBufferPointer(rebasing: features[target..<target + length])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: packet[source..<source + length]))
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The index-th little-endian 32-bit word; a received buffer need not be aligned.
    fileprivate func word(_ index: Int) -> UInt32 {
        UInt32(littleEndian: loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
    }
}
