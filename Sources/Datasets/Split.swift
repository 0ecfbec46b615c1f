internal import Exactness

/// Which rows of the training source are trained on, and which are held out: row numbers in permuted order.
public struct Split: Equatable, Sendable {
    public let train: [UInt32]
    /// Empty if validation is no fraction.
    public let validation: [UInt32]
    /// Empty if the test is no fraction.
    public let test: [UInt32]

    /// Permutes all rows by seed and cuts: test first, then validation, then at most `limit` rows for training.
    /// - Parameters:
    ///   - validation, test: shares of `rowCount`, ⌊share·rowCount + ½⌋ rows each; nil for none.
    ///   - rowCount: at least 1, less than 2³².
    public init(rowCount: Int, validation: Double?, test: Double?, limit: Int?, seed: UInt64) throws(DatasetError) {
        let testCount = try Self.count(test, of: rowCount, part: "test")
        let validationCount = try Self.count(validation, of: rowCount, part: "validation")
        if let limit, limit < 1 { throw .split(.limit(limit)) }
        guard testCount + validationCount < rowCount else {
            throw .split(.nothingLeft(rowCount: rowCount, validation: validationCount, test: testCount))
        }
        let order = RandomStream(seed: seed, purpose: .split).permutation(count: rowCount)
        let heldOut = testCount + validationCount
        self.test = Array(order[..<testCount])
        self.validation = Array(order[testCount..<heldOut])
        self.train = Array(order[heldOut...].prefix(limit ?? rowCount))
    }

    private static func count(_ fraction: Double?, of rowCount: Int, part: String) throws(DatasetError) -> Int {
        guard let fraction else { return 0 }
        guard fraction > 0, fraction < 1 else { throw .split(.fraction(part: part, fraction)) }
        let count = Int((fraction * Double(rowCount) + 0.5).rounded(.down))
        guard count > 0 else { throw .split(.noRow(part: part, fraction: fraction, rowCount: rowCount)) }
        return count
    }
}

/// Why the training source cannot be cut as asked.
public enum SplitFault: Error, Equatable, Sendable, CustomStringConvertible {
    case fraction(part: String, Double)
    case noRow(part: String, fraction: Double, rowCount: Int)
    case limit(Int)
    case nothingLeft(rowCount: Int, validation: Int, test: Int)

    public var description: String {
        switch self {
        case .fraction(let part, let fraction):
            "data.\(part).fraction is \(fraction): it must be greater than 0 and less than 1"
        case .noRow(let part, let fraction, let rowCount):
            "data.\(part).fraction \(fraction) of \(rowCount) rows is no row: raise the fraction, or say `\(part): none`"
        case .limit(let limit):
            "data.limit is \(limit): it must be at least 1"
        case .nothingLeft(let rowCount, let validation, let test):
            "of \(rowCount) rows \(validation) go to validation and \(test) to the test: none is left for training"
        }
    }
}
