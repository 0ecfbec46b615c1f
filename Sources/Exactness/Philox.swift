/// Philox4x32-10, a counter-based random generator: a value is a pure function of key and counter.
///
/// There is no generator state to ship to a worker or to restore from a checkpoint; whoever computes an element draws the same bits.
/// - Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011; test vectors of Random123.
public struct Philox: Sendable, Equatable {
    public let key: SIMD2<UInt32>

    public init(key: SIMD2<UInt32>) {
        self.key = key
    }

    /// The generator of a run: the run's seed is the key.
    public init(seed: UInt64) {
        self.init(key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
    }

    /// The four random words at `counter`.
    public func block(_ counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
        var c = counter
        var k = key
        for _ in 0..<10 {
            let first = UInt64(0xD251_1F53) &* UInt64(c.x)
            let second = UInt64(0xCD9E_8D57) &* UInt64(c.z)
            c = SIMD4(
                UInt32(truncatingIfNeeded: second >> 32) ^ c.y ^ k.x,
                UInt32(truncatingIfNeeded: second),
                UInt32(truncatingIfNeeded: first >> 32) ^ c.w ^ k.y,
                UInt32(truncatingIfNeeded: first))
            k &+= SIMD2(0x9E37_79B9, 0xBB67_AE85)
        }
        return c
    }
}

/// What a random number is for: the top byte of the counter's last word, so that no two uses share a number.
public enum RandomPurpose: UInt8, Sendable {
    case split = 1
    case deal = 2
    case epochShuffle = 3
    case initialization = 4
    case dropout = 5
    case probe = 6
    /// Which steps an audit looks at: draws no number that a weight could depend on.
    case audit = 7
}

/// One stream of random numbers: counter = (element / 4, sample, step, purpose and layer).
public struct RandomStream: Sendable {
    private let philox: Philox
    private let sample: UInt32
    private let step: UInt32
    private let tag: UInt32

    /// - Parameters:
    ///   - layer: less than 2²⁴.
    ///   - step: its low 32 bits tell streams apart.
    public init(seed: UInt64, purpose: RandomPurpose, layer: Int = 0, step: UInt64 = 0, sample: UInt32 = 0) {
        precondition(layer >= 0 && layer < 1 << 24, "a stream's layer must be in 0..<2^24")
        self.philox = Philox(seed: seed)
        self.sample = sample
        self.step = UInt32(truncatingIfNeeded: step)
        self.tag = Self.tag(purpose, layer: layer)
    }

    /// The counter's last word.
    public static func tag(_ purpose: RandomPurpose, layer: Int) -> UInt32 {
        UInt32(purpose.rawValue) << 24 | UInt32(layer)
    }

    /// The four words that belong to elements 4·index ..< 4·index+4.
    public func words(_ index: Int) -> SIMD4<UInt32> {
        philox.block(SIMD4(UInt32(truncatingIfNeeded: index), sample, step, tag))
    }

    /// A whole number in 0..<bound from 64 random bits; the bias is below bound / 2⁶⁴.
    public func integer(_ index: Int, below bound: Int) -> Int {
        let four = words(index / 2)
        let bits = index % 2 == 0 ? UInt64(four.x) | UInt64(four.y) << 32 : UInt64(four.z) | UInt64(four.w) << 32
        return Int(bits.multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// A permutation of 0..<count (Fisher and Yates, drawn from the end).
    public func permutation(count: Int) -> [UInt32] {
        var order = (0..<UInt32(count)).map { $0 }
        for last in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(last, integer(last, below: last + 1))
        }
        return order
    }
}
