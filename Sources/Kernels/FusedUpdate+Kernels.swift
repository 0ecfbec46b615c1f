internal import CKernels

/// The compiled loops of the update for one level of x86-64; all levels give the same bits.
struct UpdateKernels: @unchecked Sendable {  // a constant table of functions
    enum Level: UInt32, CaseIterable {
        case baseline, avx2, avx512
    }

    private let address: UnsafePointer<dnn_update_kernels>

    var table: dnn_update_kernels { address.pointee }

    /// Nil where this processor lacks the level.
    init?(_ level: Level) {
        guard let address = dnn_update_kernels(dnn_update_level(level.rawValue)) else { return nil }
        self.address = address
    }

    static let best: UpdateKernels = {
        guard let best = Level.allCases.reversed().lazy.compactMap(UpdateKernels.init).first else {
            preconditionFailure("the baseline level always exists")
        }
        return best
    }()

    /// Runs `body` with subnormals as zero and rounding to nearest, whatever the thread's mode.
    static func withUpdateMode<Result>(_ body: () -> Result) -> Result {
        let mode = dnn_update_enter_mode()
        defer { dnn_update_leave_mode(mode) }
        return body()
    }
}
