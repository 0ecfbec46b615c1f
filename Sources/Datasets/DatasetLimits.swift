/// Bounds on what a file may ask for, so that a hostile or mistaken one is an error and not a machine without memory.
enum DatasetLimits {
    /// Bytes of one unpacked file, and of one table's features: 16 GiB, more than a coordinator should hold.
    static let byteCount = 16 << 30
    /// Distinct class labels or categories of a column; beyond it the column almost certainly holds measurements.
    static let distinctTexts = 65_536
    /// Rows of a table: row numbers are sent as 32 bits.
    static let rowCount = Int(UInt32.max)
    /// No deflate stream unpacks to more than 1,032 times its length (zlib's technical notes).
    static let deflateRatio = 1_032
}

/// The product of sizes taken from a file; nil if it does not fit or is negative.
func checkedProduct(_ sizes: [Int]) -> Int? {
    var product = 1
    for size in sizes {
        let (next, overflow) = product.multipliedReportingOverflow(by: size)
        guard !overflow, next >= 0 else { return nil }
        product = next
    }
    return product
}
