/// Rows as the net takes them. Every position must be present: the worker asks `missing(in:)` first.
extension ShardStore {
    /// Preprocessed features, `[positions.count, featureCount]`.
    public func fill(_ positions: ArraySlice<UInt32>, into x: UnsafeMutableBufferPointer<Float>) {
        let width = format.featureCount
        precondition(x.count == positions.count * width, "a leaf's input must have the rows' length")
        for (row, position) in positions.enumerated() {
            precondition(contains(position), "a row is used before it arrived")
            let range = Int(position) * width..<(Int(position) + 1) * width
            let y = UnsafeMutableBufferPointer(rebasing: x[row * width..<(row + 1) * width])
            switch format.featureType {
            case .u8: bytes.withUnsafeBufferPointer { preprocessing.convert(UnsafeBufferPointer(rebasing: $0[range]), into: y) }
            case .f32: floats.withUnsafeBufferPointer { preprocessing.convert(UnsafeBufferPointer(rebasing: $0[range]), into: y) }
            }
        }
    }

    /// Class indices; for classification only.
    public func fillClasses(_ positions: ArraySlice<UInt32>, into y: UnsafeMutableBufferPointer<Int32>) {
        precondition(format.targetType != .values, "regression has no classes")
        take(targets, positions, into: y) { Int32(bitPattern: $0) }
    }

    /// Target values, scaled if the run standardises them; for regression only.
    public func fillValues(_ positions: ArraySlice<UInt32>, into y: UnsafeMutableBufferPointer<Float>) {
        precondition(format.targetType == .values, "classification has no target values")
        let (offset, factor) = (targetScaling?.offset ?? 0, targetScaling?.factor ?? 1)
        take(targets, positions, into: y) { (Float(bitPattern: $0) - offset) * factor }
    }

    /// The rows' numbers in their source table.
    public func fillSampleIDs(_ positions: ArraySlice<UInt32>, into ids: UnsafeMutableBufferPointer<UInt32>) {
        take(sampleIDs, positions, into: ids) { $0 }
    }

    private func take<Value>(
        _ words: [UInt32], _ positions: ArraySlice<UInt32>, into values: UnsafeMutableBufferPointer<Value>, _ convert: (UInt32) -> Value
    ) {
        precondition(values.count == positions.count, "a leaf's targets must have the rows' number")
        for (row, position) in positions.enumerated() {
            precondition(contains(position), "a row is used before it arrived")
            values[row] = convert(words[Int(position)])
        }
    }
}
