/// Doubles that travel among Floats, two places each, at any of them.
extension FloatView {
    /// The double in places 2 · index and 2 · index + 1.
    public func double(at index: Int) -> Double {
        precondition(index >= 0 && 2 * index + 1 < count, "index out of the view")
        return base.loadUnaligned(fromByteOffset: index * MemoryLayout<Double>.stride, as: Double.self)
    }
}

extension MutableFloatView {
    public func storeDouble(_ value: Double, at index: Int) {
        precondition(index >= 0 && 2 * index + 1 < count, "index out of the view")
        UnsafeMutableRawPointer(base).storeBytes(of: value, toByteOffset: index * MemoryLayout<Double>.stride, as: Double.self)
    }
}
