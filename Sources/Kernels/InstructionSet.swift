internal import CKernels
internal import Synchronization

/// The instruction sets that the kernels are compiled for. Our own differ in speed only: the bits are equal. oneDNN's are not.
public enum InstructionSet: String, CaseIterable, Sendable, Comparable, Codable {
    case baseline
    /// x86-64-v3.
    case avx2
    /// x86-64-v4.
    case avx512

    /// The best that this processor and system can run.
    public static let supported = InstructionSet.allCases[Int(ck_supported_level())]

    /// What engines made from now on use: the supported one, unless a lower cap is set.
    public static var effective: InstructionSet {
        min(supported, allCases[limit.load(ordering: .relaxed)])
    }

    /// Uses nothing above `highest` in engines made from now on.
    public static func cap(at highest: InstructionSet) {
        limit.store(highest.level, ordering: .relaxed)
    }

    private static let limit = Atomic<Int>(InstructionSet.avx512.level)

    /// Whether this processor multiplies bfloat16.
    public static let hasBF16Products = ck_has_bf16() != 0

    var level: Int {
        switch self {
        case .baseline: 0
        case .avx2: 1
        case .avx512: 2
        }
    }

    public static func < (a: InstructionSet, b: InstructionSet) -> Bool { a.level < b.level }

    var table: UnsafePointer<ck_kernels> { ck_kernels_at(Int32(level)) }
}
