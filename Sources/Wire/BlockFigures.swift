/// What one block of rows gave in a long pass: sums and counts, never means.
public struct BlockFigures: Equatable, Sendable {
    public static let byteCount = 32

    public var rows: UInt32
    /// Rows whose most probable class is theirs.
    public var correct: UInt32
    /// Rows whose class is among the five most probable.
    public var topFive: UInt32
    /// The data loss, summed over rows.
    public var loss: Double
    /// Squared differences between output and target, summed over elements; 0 for classification.
    public var squaredError: Double

    public init(rows: UInt32, correct: UInt32, topFive: UInt32 = 0, loss: Double, squaredError: Double) {
        self.rows = rows
        self.correct = correct
        self.topFive = topFive
        self.loss = loss
        self.squaredError = squaredError
    }

    /// Little-endian: rows u32, correct u32, top five u32, zero u32, loss f64, squared error f64, block after block.
    public static func encode(_ blocks: [BlockFigures], into bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count == blocks.count * byteCount, "figures need exactly their size")
        for (index, block) in blocks.enumerated() {
            let at = index * byteCount
            bytes.storeBytes(of: block.rows.littleEndian, toByteOffset: at, as: UInt32.self)
            bytes.storeBytes(of: block.correct.littleEndian, toByteOffset: at + 4, as: UInt32.self)
            bytes.storeBytes(of: block.topFive.littleEndian, toByteOffset: at + 8, as: UInt32.self)
            bytes.storeBytes(of: 0, toByteOffset: at + 12, as: UInt32.self)
            bytes.storeBytes(of: block.loss.bitPattern.littleEndian, toByteOffset: at + 16, as: UInt64.self)
            bytes.storeBytes(of: block.squaredError.bitPattern.littleEndian, toByteOffset: at + 24, as: UInt64.self)
        }
    }

    /// - Parameter expectedRows: the row count of every block that must be there; anything else is refused, so no row counts twice.
    public static func decode(_ bytes: UnsafeRawBufferPointer, expectedRows: [Int]) throws(WireError) -> [BlockFigures] {
        guard bytes.count == expectedRows.count * byteCount else {
            throw .bodyLength(bytes.count, expected: expectedRows.count * byteCount)
        }
        var blocks: [BlockFigures] = []
        blocks.reserveCapacity(expectedRows.count)
        for (index, expected) in expectedRows.enumerated() {
            let at = index * byteCount
            func word(_ offset: Int) -> UInt32 { UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at + offset, as: UInt32.self)) }
            func real(_ offset: Int) -> Double {
                Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at + offset, as: UInt64.self)))
            }
            guard word(12) == 0 else { throw .reservedByte }
            let block = BlockFigures(rows: word(0), correct: word(4), topFive: word(8), loss: real(16), squaredError: real(24))
            guard block.rows == UInt32(expected), block.correct <= block.rows, block.topFive <= block.rows else {
                throw .malformed("figures of \(block.rows) rows, \(block.correct) correct, for a block of \(expected)")
            }
            blocks.append(block)
        }
        return blocks
    }
}
