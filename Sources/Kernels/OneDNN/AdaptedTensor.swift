/// A tensor that comes or goes in one layout where a pass wants another: copied over where they differ, passed through where not.
final class AdaptedTensor: Sendable {
    private let reorder: Reorder?
    /// One per thread.
    private let copies: [FloatBlock]

    var isCopied: Bool { reorder != nil }

    private init(from source: TensorLayout, to target: TensorLayout, copy: TensorLayout, threads: PrimitiveThreads) {
        reorder = source == target ? nil : Reorder(from: source, to: target, threads: threads)
        copies = source == target ? [] : (0..<threads.count).map { _ in FloatBlock(count: copy.count) }
    }

    /// An operand that comes as `outer`.
    static func operand(_ outer: TensorLayout, as inner: TensorLayout, threads: PrimitiveThreads) -> AdaptedTensor {
        AdaptedTensor(from: outer, to: inner, copy: inner, threads: threads)
    }

    /// A result that shall go out as `outer`.
    static func result(_ outer: TensorLayout, as inner: TensorLayout, threads: PrimitiveThreads) -> AdaptedTensor {
        AdaptedTensor(from: inner, to: outer, copy: inner, threads: threads)
    }

    func read(_ x: FloatView, thread: Int) -> UnsafeRawPointer {
        guard let reorder else { return x.base }
        reorder.run(x, into: copies[thread].mutableView, thread: thread)
        return copies[thread].view.base
    }

    func write(_ y: MutableFloatView, thread: Int, _ pass: (_ result: UnsafeRawPointer) -> Void) {
        guard let reorder else { return pass(y.base) }
        pass(copies[thread].view.base)
        reorder.run(copies[thread].view, into: y, thread: thread)
    }
}
