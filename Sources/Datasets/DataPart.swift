/// The rows of one table that are trained on, or validated or tested with.
public struct DataPart: Sendable {
    public let table: Table
    /// Row numbers in `table`, in the order in which shards are dealt.
    public let rows: [UInt32]

    public var rowCount: Int { rows.count }

    /// How a row travels.
    public var format: RowFormat { RowFormat(of: table) }

    /// Every row of a table.
    init(whole table: Table) {
        self.init(table: table, rows: (0..<UInt32(table.rowCount)).map { $0 })
    }

    init(table: Table, rows: [UInt32]) {
        self.table = table
        self.rows = rows
    }
}
