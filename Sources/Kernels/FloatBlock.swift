/// A run of Floats owned by somebody else: a pointer and a count, never owning.
///
/// The words need not be aligned: bodies of messages may start at any byte. Kernels load accordingly.
/// Whoever makes a view keeps its memory alive for as long as the view is used.
public struct FloatView: @unchecked Sendable {  // plain memory; the owner of the block decides who writes when
    public let base: UnsafeRawPointer
    public let count: Int

    public init(base: UnsafeRawPointer, count: Int) {
        self.base = base
        self.count = count
    }

    public subscript(index: Int) -> Float {
        precondition(index >= 0 && index < count, "index out of the view")
        return base.loadUnaligned(fromByteOffset: index * MemoryLayout<Float>.stride, as: Float.self)
    }

    public subscript(range: Range<Int>) -> FloatView {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "range out of the view")
        return FloatView(base: base + range.lowerBound * MemoryLayout<Float>.stride, count: range.count)
    }

    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count * MemoryLayout<Float>.stride) }
}

/// As `FloatView`, aligned for Float, for writing.
public struct MutableFloatView: @unchecked Sendable {  // as FloatView
    public let base: UnsafeMutablePointer<Float>
    public let count: Int

    public init(base: UnsafeMutablePointer<Float>, count: Int) {
        self.base = base
        self.count = count
    }

    public var view: FloatView { FloatView(base: base, count: count) }

    public var mutableBytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base, count: count * MemoryLayout<Float>.stride)
    }

    public subscript(index: Int) -> Float {
        get {
            precondition(index >= 0 && index < count, "index out of the view")
            return base[index]
        }
        nonmutating set {
            precondition(index >= 0 && index < count, "index out of the view")
            base[index] = newValue
        }
    }

    public subscript(range: Range<Int>) -> MutableFloatView {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "range out of the view")
        return MutableFloatView(base: base + range.lowerBound, count: range.count)
    }

    /// Copies `source`, which must be as long.
    public func copy(from source: FloatView) {
        precondition(source.count == count, "copy between views of unequal length")
        UnsafeMutableRawPointer(base).copyMemory(from: source.base, byteCount: count * MemoryLayout<Float>.stride)
    }

    public func fill(_ value: Float) {
        base.update(repeating: value, count: count)
    }
}

/// 64-byte-aligned Floats: weights, gradients, slots and activations are blocks or ranges of blocks.
public final class FloatBlock: @unchecked Sendable {  // as FloatView
    public let mutableView: MutableFloatView
    private let release: () -> Void

    public var view: FloatView { mutableView.view }
    public var count: Int { mutableView.count }

    /// `count` zeros.
    public init(count: Int) {
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 64)
        let floats = bytes.bindMemory(to: Float.self, capacity: max(count, 1))
        floats.initialize(repeating: 0, count: max(count, 1))
        mutableView = MutableFloatView(base: floats, count: count)
        release = { bytes.deallocate() }
    }

    /// Memory made elsewhere, such as a shared segment; `release` is called once, when the block is gone.
    public init(adopting memory: MutableFloatView, release: @escaping () -> Void) {
        mutableView = memory
        self.release = release
    }

    deinit {
        release()
    }
}
