internal import COneDNN

/// Copies a tensor from one layout into another; padding of the target becomes zero.
package final class Reorder: Sendable {
    private let source, target: TensorLayout
    private let primitive: Primitive

    package init(from source: TensorLayout, to target: TensorLayout, threads: PrimitiveThreads) {
        self.source = source
        self.target = target
        let operation = Operation("dnnl_reorder_primitive_desc_create", of: [source, target]) {
            od_reorder_describe(&$0, $1, $2, source.descriptor, target.descriptor)
        }
        primitive = Primitive(operation, threads: threads, arguments: [DNNL_ARG_SRC_0, DNNL_ARG_DST_0])
    }

    package func run(_ x: FloatView, into y: MutableFloatView, thread: Int = 0) {
        precondition(x.count >= source.count && y.count >= target.count, "a tensor smaller than its layout")
        primitive.run(thread: thread, x.base, y.base)
    }
}
