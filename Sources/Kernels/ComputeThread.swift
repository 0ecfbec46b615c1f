internal import CKernels

/// The floating-point mode of a thread that computes: rounding to nearest, denormal numbers zero; and OpenMP, where a library brought it,
/// limited to this one thread, whatever the environment says.
public enum ComputeThread {
    /// For a thread that does nothing but compute.
    public static func configure() {
        _ = ck_enter_compute_mode()
    }

    /// Runs `body` in the mode and restores the caller's: two register writes.
    package static func withMode<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        let mode = ck_enter_compute_mode()
        defer { ck_leave_compute_mode(mode) }
        return try body()
    }
}
