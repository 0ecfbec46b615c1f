internal import CKernels

/// The settings of a thread that computes.
public enum ComputeThread {
    /// Makes denormal numbers zero and limits OpenMP, where a library brought it, to this one thread, whatever the environment says.
    ///
    /// Cheap enough to be called at the start of every step.
    public static func configure() {
        ck_configure_thread()
    }
}
