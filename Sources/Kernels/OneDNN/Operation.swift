internal import COneDNN

/// A chosen implementation of an operation, of which primitives and other operations are made.
final class Operation {
    let descriptor: OpaquePointer

    /// The implementation's name in oneDNN, such as `jit:avx2`.
    var implementation: String {
        var name: UnsafePointer<CChar>?
        let status = dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, &name)
        return status == dnnl_success ? name.map { String(cString: $0) } ?? "" : ""
    }

    /// - Parameters:
    ///   - operands: the owners of the descriptors that `describe` uses, kept alive meanwhile.
    ///   - describe: calls one of the shim's functions that choose an implementation.
    init(
        _ call: StaticString, of operands: [AnyObject?], adds: Bool = false, relu: Bool = false,
        _ describe: (_ operation: inout dnnl_primitive_desc_t?, _ engine: dnnl_engine_t?, _ attributes: OpaquePointer?) -> dnnl_status_t
    ) {
        var attributes: dnnl_primitive_attr_t?
        OneDNN.check(od_attributes_create(&attributes, adds ? 1 : 0, relu ? 1 : 0), "dnnl_primitive_attr_create")
        defer { dnnl_primitive_attr_destroy(attributes) }
        // The number of threads is part of the choice.
        let descriptor = ComputeThread.withMode {
            var descriptor: dnnl_primitive_desc_t?
            withExtendedLifetime(operands) { OneDNN.check(describe(&descriptor, OneDNN.engine, attributes), call) }
            return descriptor
        }
        guard let descriptor else { preconditionFailure("oneDNN gave no operation") }
        self.descriptor = descriptor
    }

    deinit {
        dnnl_primitive_desc_destroy(descriptor)
    }

    func layout(of argument: Int32) -> TensorLayout? { TensorLayout(of: descriptor, argument: argument) }

    /// For an argument that the operation is known to take.
    func layout(ofRequired argument: Int32) -> TensorLayout {
        guard let layout = layout(of: argument) else { preconditionFailure("an operation without its argument \(argument)") }
        return layout
    }
}
