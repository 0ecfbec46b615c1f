internal import COneDNN

extension Convolution2D {
    final class Forward: Sendable {
        let x, y: AdaptedTensor
        private let primitive: Primitive

        init(_ operation: Operation, input: TensorLayout, output: TensorLayout, hasBias: Bool, threads: PrimitiveThreads) {
            x = .operand(input, as: operation.layout(ofRequired: DNNL_ARG_SRC_0), threads: threads)
            y = .result(output, as: operation.layout(ofRequired: DNNL_ARG_DST_0), threads: threads)
            primitive = Primitive(
                operation, threads: threads,
                arguments: [DNNL_ARG_SRC_0, DNNL_ARG_WEIGHTS_0, DNNL_ARG_DST_0] + (hasBias ? [DNNL_ARG_BIAS] : []))
        }

        func run(x: FloatView, weights: FloatView, bias: FloatView?, y: MutableFloatView, thread: Int) {
            let x = self.x.read(x, thread: thread)
            self.y.write(y, thread: thread) { primitive.run(thread: thread, x, weights.base, $0, bias?.base) }
        }
    }

    final class BackwardInput: Sendable {
        let dy, dx: AdaptedTensor
        private let primitive: Primitive

        init(_ operation: Operation, input: TensorLayout, output: TensorLayout, threads: PrimitiveThreads) {
            dy = .operand(output, as: operation.layout(ofRequired: DNNL_ARG_DIFF_DST_0), threads: threads)
            dx = .result(input, as: operation.layout(ofRequired: DNNL_ARG_DIFF_SRC_0), threads: threads)
            primitive = Primitive(operation, threads: threads, arguments: [DNNL_ARG_DIFF_DST_0, DNNL_ARG_WEIGHTS_0, DNNL_ARG_DIFF_SRC_0])
        }

        func run(dy: FloatView, weights: FloatView, dx: MutableFloatView, thread: Int) {
            let dy = self.dy.read(dy, thread: thread)
            self.dx.write(dx, thread: thread) { primitive.run(thread: thread, dy, weights.base, $0) }
        }
    }

    final class BackwardWeights: Sendable {
        let x, dy: AdaptedTensor
        private let dw: AdaptedTensor
        private let primitive: Primitive

        /// - Parameter gradient: of the weights.
        init(
            _ operation: Operation, input: TensorLayout, output: TensorLayout, gradient: TensorLayout, hasBias: Bool,
            threads: PrimitiveThreads
        ) {
            dw = .result(gradient, as: operation.layout(ofRequired: DNNL_ARG_DIFF_WEIGHTS_0), threads: threads)
            x = .operand(input, as: operation.layout(ofRequired: DNNL_ARG_SRC_0), threads: threads)
            dy = .operand(output, as: operation.layout(ofRequired: DNNL_ARG_DIFF_DST_0), threads: threads)
            primitive = Primitive(
                operation, threads: threads,
                arguments: [DNNL_ARG_SRC_0, DNNL_ARG_DIFF_DST_0, DNNL_ARG_DIFF_WEIGHTS_0] + (hasBias ? [DNNL_ARG_DIFF_BIAS] : []))
        }

        func run(x: FloatView, dy: FloatView, dw: MutableFloatView, db: MutableFloatView?, thread: Int) {
            let x = self.x.read(x, thread: thread), dy = self.dy.read(dy, thread: thread)
            self.dw.write(dw, thread: thread) { primitive.run(thread: thread, x, dy, $0, (db?.base).map { UnsafeRawPointer($0) }) }
        }
    }
}
