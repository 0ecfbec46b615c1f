internal import COneDNN

/// The oneDNN of this process.
package enum OneDNN {
    /// Of the library that runs, such as `2.6.3`.
    package static let version: String = {
        guard let version = dnnl_version()?.pointee else { return "unknown" }
        return "\(version.major).\(version.minor).\(version.patch)"
    }()

    /// The processor. Made at first use; then also fixed: what `InstructionSet.effective` is at that moment caps oneDNN for good,
    /// and its own environment variable for that loses its effect.
    nonisolated(unsafe) static let engine: dnnl_engine_t? = {  // oneDNN's engines may be shared by threads
        // If the library refuses, its bits are those of another leaf class, which the probe shows.
        _ = od_cap_instruction_set(Int32(InstructionSet.effective.level))
        var engine: dnnl_engine_t?
        check(dnnl_engine_create(&engine, dnnl_cpu, 0), "dnnl_engine_create")
        return engine
    }()

    /// The ε of a normalisation, which must not become 0 as a float: equal values would give NaN.
    static func epsilon(_ epsilon: Double) -> Float { max(Float(epsilon), .leastNormalMagnitude) }

    /// Every operation of ours has an implementation for every shape, so a refusal is our own mistake or the end of memory.
    static func check(_ status: dnnl_status_t, _ call: StaticString) {
        precondition(status == dnnl_success, "\(call): \(dnnl_status2str(status).map { String(cString: $0) } ?? "unknown")")
    }
}
