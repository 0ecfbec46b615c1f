/// Mean and population standard deviation of every feature, in double, rows taken in ascending order.
struct Moments {
    let means: [Double]
    /// 1 for a feature that is the same in every row.
    let deviations: [Double]

    /// - Parameter rows: row numbers in any order, at least one.
    init(of table: Table, rows: [UInt32]) {
        let width = table.featureCount
        switch table.features {
        case .u8(let bytes):
            self.init(width: width, rows: rows.sorted()) { row, feature in Float(bytes[row * width + feature]) }
        case .f32(let floats):
            self.init(width: width, rows: rows.sorted()) { row, feature in floats[row * width + feature] }
        }
    }

    /// Two passes: the mean first, then the mean square of what differs from it.
    init(width: Int, rows: [UInt32], _ value: (_ row: Int, _ feature: Int) -> Float) {
        let count = Double(rows.count)
        var sums = [Double](repeating: 0, count: width)
        var isConstant = [Bool](repeating: true, count: width)
        for row in rows {
            for feature in 0..<width {
                let x = value(Int(row), feature)
                sums[feature] += Double(x)
                if x != value(Int(rows[0]), feature) { isConstant[feature] = false }
            }
        }
        let means = sums.map { $0 / count }
        var squares = [Double](repeating: 0, count: width)
        for row in rows {
            for feature in 0..<width {
                let difference = Double(value(Int(row), feature)) - means[feature]
                squares[feature] += difference * difference
            }
        }
        self.means = means
        deviations = (0..<width).map { isConstant[$0] ? 1 : (squares[$0] / count).squareRoot() }
    }
}
