/// Where each parameter lies in the one block of all parameters: file order, row-major, without gaps.
public struct ParameterLayout: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        /// `layers.<index or name>.<weight|bias>`.
        public let name: String
        /// A dense weight is `[outputs, inputs]`, its bias `[outputs]`.
        public let shape: [Int]
        public let range: Range<Int>
        /// Whether weight decay applies unless a group says otherwise: weights, not biases.
        public let isRegularized: Bool
        /// Index into `model.layers`.
        public let layer: Int
    }

    public private(set) var entries: [Entry] = []

    /// Elements of the block.
    public var count: Int { entries.last?.range.upperBound ?? 0 }

    public func entry(named name: String) -> Entry? {
        entries.first { $0.name == name }
    }

    /// The entry that `element` of the block belongs to.
    public func entry(containing element: Int) -> Entry? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].range.upperBound <= element { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].range.contains(element) ? entries[low] : nil
    }

    /// Adds an entry behind the others; nil if its size passes `largestCount`.
    mutating func append(name: String, shape: [Int], isRegularized: Bool, layer: Int) -> Entry? {
        var size = 1
        for extent in shape {
            let (product, overflow) = size.multipliedReportingOverflow(by: extent)
            guard !overflow, product <= Self.largestCount else { return nil }
            size = product
        }
        guard size <= Self.largestCount - count else { return nil }
        let entry = Entry(name: name, shape: shape, range: count..<count + size, isRegularized: isRegularized, layer: layer)
        entries.append(entry)
        return entry
    }

    /// 2³³ parameters, 32 GiB: what the counters of initialization and the addresses of one host allow.
    static let largestCount = 1 << 33
}
