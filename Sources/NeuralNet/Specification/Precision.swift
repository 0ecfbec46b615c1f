internal import Kernels

/// What products multiply; sums, weights and everything else are floats.
public enum Precision: String, CaseIterable, Sendable, Codable {
    case f32
    /// Operands rounded to bfloat16, the upper half of a float.
    case bf16

    /// Why engines made from now on cannot have this precision on this machine; nil if they can.
    public var obstacle: String? {
        guard self == .bf16 else { return nil }
        guard InstructionSet.hasBF16Products else {
            return "this processor has no bf16 products (instruction AVX512_BF16); precision f32 runs everywhere"
        }
        guard InstructionSet.effective == .avx512 else {
            return "bf16 products need instruction set avx512, and cluster.instruction_set says \(InstructionSet.effective.rawValue)"
        }
        return nil
    }

    public func checkAvailable() throws(PrecisionError) {
        if let obstacle { throw PrecisionError(precision: self, obstacle: obstacle) }
    }
}

/// A precision that a run asks for and this machine does not have.
public struct PrecisionError: Error, Sendable, CustomStringConvertible {
    public let precision: Precision
    public let obstacle: String

    public var description: String { "precision \(precision.rawValue): \(obstacle)" }
}

extension Precision {
    var operands: ElementType {
        switch self {
        case .f32: .float
        case .bf16: .bfloat16
        }
    }
}
