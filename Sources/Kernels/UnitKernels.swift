internal import CKernels

/// What units did on some rows. Marks and counts do not depend on the order of rows.
package enum UnitKernels {
    /// Marks with 1 the columns of `y` `[rows, alive.count]` in which some row is not 0; of values that are still to be rectified, in which
    /// some row is above 0.
    package static func markAlive(_ y: FloatView, rows: Int, rectified: Bool, in alive: inout [UInt8]) {
        precondition(y.count == rows * alive.count, "a view of \(y.count) for \(rows) rows of \(alive.count)")
        alive.withUnsafeMutableBufferPointer { marks in
            guard let base = marks.baseAddress else { return }
            ck_mark_alive(y.floats, Int64(rows), Int64(marks.count), rectified ? 1 : 0, base)
        }
    }

    /// Elements that do not lie in `range`; one that is no number does not.
    package static func countOutside(_ range: ClosedRange<Float>, _ y: FloatView) -> Int {
        Int(ck_count_outside(y.floats, Int64(y.count), range.lowerBound, range.upperBound))
    }
}
