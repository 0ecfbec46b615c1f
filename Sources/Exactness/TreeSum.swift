/// Elements of the parameter layout in one block of a whole-block figure (norms, dot products, penalties).
///
/// Chunk boundaries, and so server boundaries, are multiples of it.
public let figureBlockLength = 16_384

/// Joins per-block sums by a binary tree over the block index; a block without a sum is no operand.
///
/// The result depends on the blocks' values and numbers alone, never on who computed them or when they came.
public func treeSum<Value>(_ blocks: [Value?], _ add: (Value, Value) -> Value) -> Value? {
    var row = blocks
    while row.count > 1 {
        row = stride(from: 0, to: row.count, by: 2).map { index in
            guard index + 1 < row.count else { return row[index] }
            switch (row[index], row[index + 1]) {
            case (let left?, let right?): return add(left, right)
            case (let left, nil): return left
            case (nil, let right): return right
            }
        }
    }
    return row.first ?? nil
}

/// The tree sum of doubles; 0 when there are none.
public func treeSum(_ blocks: [Double]) -> Double {
    treeSum(blocks.map { Optional($0) }, +) ?? 0
}
