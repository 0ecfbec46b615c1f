internal import COneDNN

/// A compiled operation with its arguments for every thread; running it allocates nothing here.
final class Primitive: @unchecked Sendable {  // a thread touches only the arguments with its number
    private let primitive: OpaquePointer
    private let threads: PrimitiveThreads
    /// Per thread `stride` arguments, the last being scratch if the operation wants any.
    private let arguments: UnsafeMutablePointer<dnnl_exec_arg_t>
    private let stride: Int
    private let tensors: Int

    /// - Parameter arguments: those of the operation, in the order in which `run` takes their memory.
    init(_ operation: Operation, threads: PrimitiveThreads, arguments taken: [Int32]) {
        self.threads = threads
        let primitive = ComputeThread.withMode {
            var primitive: dnnl_primitive_t?
            OneDNN.check(dnnl_primitive_create(&primitive, operation.descriptor), "dnnl_primitive_create")
            return primitive
        }
        guard let primitive else { preconditionFailure("oneDNN gave no primitive") }
        self.primitive = primitive
        tensors = taken.count
        var all = taken.map { ($0, operation.layout(ofRequired: $0)) }
        if let scratch = operation.layout(of: DNNL_ARG_SCRATCHPAD) {
            threads.reserve(scratch.count * MemoryLayout<Float>.stride)
            all.append((DNNL_ARG_SCRATCHPAD, scratch))
        }
        stride = all.count
        arguments = .allocate(capacity: threads.count * stride)
        for thread in 0..<threads.count {
            for (index, (argument, layout)) in all.enumerated() {
                var memory: dnnl_memory_t?
                OneDNN.check(od_memory_create(&memory, layout.descriptor, OneDNN.engine), "dnnl_memory_create")
                (arguments + thread * stride + index).initialize(to: dnnl_exec_arg_t(arg: argument, memory: memory))
            }
        }
    }

    deinit {
        for index in 0..<threads.count * stride { dnnl_memory_destroy(arguments[index].memory) }
        arguments.deallocate()
        dnnl_primitive_destroy(primitive)
    }

    /// Runs on the calling thread, in its computing mode.
    ///
    /// The memory must be as long as the arguments' layouts say and is read or written as the operation says.
    func run(
        thread: Int, _ first: UnsafeRawPointer, _ second: UnsafeRawPointer, _ third: UnsafeRawPointer? = nil,
        _ fourth: UnsafeRawPointer? = nil, _ fifth: UnsafeRawPointer? = nil, _ sixth: UnsafeRawPointer? = nil,
        _ seventh: UnsafeRawPointer? = nil, _ eighth: UnsafeRawPointer? = nil, _ ninth: UnsafeRawPointer? = nil
    ) {
        precondition(thread >= 0 && thread < threads.count, "a primitive on a thread that it was not made for")
        let mine = arguments + thread * stride
        bind(mine[0], first)
        bind(mine[1], second)
        if tensors > 2 { bind(mine[2], third) }
        if tensors > 3 { bind(mine[3], fourth) }
        if tensors > 4 { bind(mine[4], fifth) }
        if tensors > 5 { bind(mine[5], sixth) }
        if tensors > 6 { bind(mine[6], seventh) }
        if tensors > 7 { bind(mine[7], eighth) }
        if tensors > 8 { bind(mine[8], ninth) }
        if stride > tensors { bind(mine[tensors], UnsafeRawPointer(threads.scratch[thread].base)) }
        ComputeThread.withMode {
            OneDNN.check(dnnl_primitive_execute(primitive, threads.streams[thread], Int32(stride), mine), "dnnl_primitive_execute")
        }
    }

    private func bind(_ argument: dnnl_exec_arg_t, _ memory: UnsafeRawPointer?) {
        OneDNN.check(dnnl_memory_set_data_handle(argument.memory, UnsafeMutableRawPointer(mutating: memory)), "dnnl_memory_set_data_handle")
    }
}
