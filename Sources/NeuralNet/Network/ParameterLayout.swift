public import Exactness

/// Where each parameter lies in the one block of all parameters: file order, row-major, without gaps.
///
/// Behind the parameters a block has a tail for what batch normalisation keeps and nobody trains: in a block of weights the running
/// values, in a gradient the sums from which the next ones are formed, as doubles.
public struct ParameterLayout: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        /// `layers.<index or name>.<weight|bias|scale|shift>`, inside a residual block `layers.3.layers.0.weight`.
        public let name: String
        /// A dense weight is `[outputs, inputs]`, a convolution's `[filters, channels / groups, height, width]`, others one-dimensional.
        public let shape: [Int]
        public let range: Range<Int>
        /// Whether weight decay applies unless a group says otherwise: weights, not biases.
        public let isRegularized: Bool
        /// Index into `Network.layers`.
        public let layer: Int
    }

    public private(set) var entries: [Entry] = []
    private var normalizations: [Normalization] = []

    private struct Normalization: Sendable, Equatable {
        var prefix: String
        var channels: Int
        var momentum: Double
        var layer: Int
    }

    /// Elements of all parameters.
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

    // MARK: Running statistics

    public var runningStatistics: [RunningStatistics] {
        var start = count, sums = 0
        return normalizations.map { normalization in
            func entry(_ name: String) -> Entry {
                defer { start += normalization.channels }
                return Entry(
                    name: "\(normalization.prefix).\(name)", shape: [normalization.channels],
                    range: start..<start + normalization.channels, isRegularized: false, layer: normalization.layer)
            }
            let mean = entry("running_mean"), variance = entry("running_variance")
            let sumCount = 1 + 2 * normalization.channels
            defer { sums += sumCount }
            return RunningStatistics(mean: mean, variance: variance, momentum: normalization.momentum, sums: sums..<sums + sumCount)
        }
    }

    /// Floats behind the parameters: room for the sums, two floats each, of which the running values need half.
    public var tailCount: Int { normalizations.reduce(0) { $0 + 2 * (1 + 2 * $1.channels) } }

    /// Elements of a whole block of weights or gradients.
    public var blockLength: Int { count + tailCount }

    /// What a checkpoint or a model file holds of a block of weights: the parameters, then the running statistics.
    public var storedEntries: [Entry] { entries + runningStatistics.flatMap { [$0.mean, $0.variance] } }

    /// The parameter or running statistic that `element` of a block of weights belongs to.
    public func storedEntry(containing element: Int) -> Entry? {
        entry(containing: element) ?? storedEntries.first { $0.range.contains(element) }
    }

    /// How a block is cut for transport and update.
    public func chunks(byteCount: Int) -> ChunkMap {
        ChunkMap(elementCount: count, tailCount: tailCount, chunkByteCount: byteCount)
    }

    /// - Returns: the index into `runningStatistics`.
    mutating func appendStatistics(prefix: String, channels: Int, momentum: Double, layer: Int) -> Int {
        normalizations.append(Normalization(prefix: prefix, channels: channels, momentum: momentum, layer: layer))
        return normalizations.count - 1
    }

    /// 2³³ parameters, 32 GiB: what the counters of initialization and the addresses of one host allow.
    static let largestCount = 1 << 33
}
