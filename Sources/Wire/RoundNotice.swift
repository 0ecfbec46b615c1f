/// Which rows and which dropout masks a round of a closure rule takes.
public struct RoundNotice: Equatable, Sendable {
    public static let byteCount = 16

    /// Where a round lies in its pass, as another parameter server is told in `count`.
    public struct Place: OptionSet, Sendable {
        public let rawValue: UInt32

        public init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        public static let beginsPass = Place(rawValue: 1)
        /// Its server's sum over the pass is wanted.
        public static let endsPass = Place(rawValue: 2)
    }

    /// The step of the plan whose rows are taken.
    public var planStep: UInt64
    /// The step whose masks are taken.
    public var maskStep: UInt64

    public init(planStep: UInt64, maskStep: UInt64) {
        self.planStep = planStep
        self.maskStep = maskStep
    }

    /// Little-endian: plan step u64, mask step u64.
    public func encode(into bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count == Self.byteCount, "a notice needs exactly its size")
        bytes.storeBytes(of: planStep.littleEndian, toByteOffset: 0, as: UInt64.self)
        bytes.storeBytes(of: maskStep.littleEndian, toByteOffset: 8, as: UInt64.self)
    }

    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        guard bytes.count == Self.byteCount else { throw .bodyLength(bytes.count, expected: Self.byteCount) }
        planStep = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
        maskStep = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
}
