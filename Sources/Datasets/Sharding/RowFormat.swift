/// How rows travel and lie in a worker's memory.
///
/// A packet of n rows is the features of all n rows in their stored type, then n targets of 4 bytes (Int32 or Float), then n sample ids
/// (UInt32): `n · bytesPerRow` bytes, little-endian, without header or padding.
public struct RowFormat: Codable, Equatable, Sendable {
    public enum FeatureType: String, Codable, Equatable, Sendable {
        case u8
        case f32

        var byteCount: Int { self == .u8 ? 1 : 4 }
    }

    public enum TargetType: Codable, Equatable, Sendable {
        /// Int32 in 0..<count.
        case classes(count: Int)
        /// Float, in original units.
        case values
    }

    static let targetByteCount = 4
    static let sampleIDByteCount = 4

    public let featureType: FeatureType
    public let featureCount: Int
    public let targetType: TargetType

    public init(featureType: FeatureType, featureCount: Int, targetType: TargetType) {
        self.featureType = featureType
        self.featureCount = featureCount
        self.targetType = targetType
    }

    init(of table: Table) {
        switch table.features {
        case .u8: featureType = .u8
        case .f32: featureType = .f32
        }
        switch table.targets {
        case .classes(_, let names): targetType = .classes(count: names.count)
        case .values: targetType = .values
        }
        featureCount = table.featureCount
    }

    public var featureBytesPerRow: Int { featureCount * featureType.byteCount }
    public var bytesPerRow: Int { featureBytesPerRow + Self.targetByteCount + Self.sampleIDByteCount }

    /// The bytes of so many rows; nil if that is no size, which only a description from the wire can cause.
    public func byteCount(rowCount: Int) -> Int? {
        guard rowCount >= 0, featureCount > 0, let features = checkedProduct([featureCount, featureType.byteCount]) else { return nil }
        let (row, overflow) = features.addingReportingOverflow(Self.targetByteCount + Self.sampleIDByteCount)
        return overflow ? nil : checkedProduct([row, rowCount])
    }
}

/// Why a packet of rows, or the description of a shard, is refused.
public enum RowPacketError: Error, Equatable, Sendable, CustomStringConvertible {
    case byteCount(Int, expected: Int, rowCount: Int)
    case position(UInt32, capacity: Int)
    case classIndex(Int32, row: Int, classCount: Int)
    case shardSize(capacity: Int, featureCount: Int)
    case preprocessing(featureCount: Int)

    public var description: String {
        switch self {
        case .byteCount(let count, let expected, let rowCount):
            "a packet of \(rowCount) rows must have \(expected) bytes, it has \(count)"
        case .position(let position, let capacity):
            "a packet has a row for position \(position) of a shard with \(capacity) rows"
        case .classIndex(let index, let row, let classCount):
            "row \(row) of a packet has the class \(index), there are \(classCount)"
        case .shardSize(let capacity, let featureCount):
            "a shard of \(capacity) rows of \(featureCount) features cannot be held"
        case .preprocessing(let featureCount):
            "the preprocessing is not one for \(featureCount) features"
        }
    }
}
