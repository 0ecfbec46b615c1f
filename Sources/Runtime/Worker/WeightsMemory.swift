internal import Exactness
internal import Kernels

/// A worker's two versions of the weights: the one it computes with, and the one that arrives meanwhile.
///
/// A version lies in memory of the worker's own, or, as a whole, in a block that the servers of its host share.
final class WeightsMemory {
    private final class Version {
        var number: UInt64?
        /// The same values had the numbers from here on.
        var firstNumber: UInt64 = 0
        var isHere: [Bool]
        var missing: Int
        /// The shared block that it lies in, nil: in `own`.
        var sharedBlock: Int?
        lazy var own = FloatBlock(count: elementCount)
        private let elementCount: Int

        init(chunks: ChunkMap) {
            elementCount = chunks.elementCount
            isHere = Array(repeating: false, count: chunks.count)
            missing = chunks.count
        }

        func begin(_ number: UInt64, sharedBlock: Int?) {
            self.number = number
            firstNumber = number
            self.sharedBlock = sharedBlock
            for index in isHere.indices { isHere[index] = false }
            missing = isHere.count
        }

        func mark(_ chunk: Int) {
            isHere[chunk] = true
            missing -= 1
        }

        /// Whether its values are those of version `wanted`.
        func covers(_ wanted: UInt64) -> Bool {
            number.map { firstNumber <= wanted && wanted <= $0 } ?? false
        }
    }

    /// Who sends the chunks of a version.
    enum Sources {
        case oneServer
        /// All of them or none use the shared blocks, if there are any.
        case alike
        /// A shared block holds some of the chunks only: then they are copied together with the others.
        case mixed
    }

    let chunks: ChunkMap
    private let shared: BlockSegment?
    private let sources: Sources
    private let versions: [Version]

    /// - Parameter shared: the servers' blocks of weights, for reading.
    init(chunks: ChunkMap, shared: BlockSegment? = nil, sources: Sources = .oneServer) {
        self.chunks = chunks
        self.shared = shared
        self.sources = sources
        versions = [Version(chunks: chunks), Version(chunks: chunks)]
    }

    /// Stores a chunk. A version that is not held replaces the older of the two; one older than both is dropped.
    /// - Parameter body: of Floats or, half as long, of bfloat16 numbers.
    func store(version: UInt64, chunk: Int, body: UnsafeRawBufferPointer) {
        guard let target = target(version, sharedBlock: nil), !target.isHere[chunk] else { return }
        let values = target.own.mutableView[chunks.range(chunk)]
        if body.count == 2 * values.count {
            ElementwiseKernels.widen(bf16: body, into: values)
        } else {
            values.mutableBytes.copyMemory(from: body)
        }
        target.mark(chunk)
    }

    /// Takes note that a chunk has become readable in a shared block.
    func share(version: UInt64, chunk: Int, block: Int) {
        if sources == .mixed {
            if let shared { store(version: version, chunk: chunk, body: shared.view(block)[chunks.range(chunk)].bytes) }
            return
        }
        guard let target = target(version, sharedBlock: block), !target.isHere[chunk] else { return }
        target.mark(chunk)
    }

    /// Version `number` has the values of the one before it, if that is here.
    ///
    /// Of several servers one may say so before another has sent its chunks of either.
    func renumber(to number: UInt64) {
        guard number > 0, let former = versions.first(where: { $0.number == number - 1 }), former.missing == 0 || sources != .oneServer
        else { return }
        guard let version = versions.first(where: { $0.covers(number) }) else {
            former.number = number
            return
        }
        for chunk in 0..<chunks.count where former.isHere[chunk] && !version.isHere[chunk] {
            let range = chunks.range(chunk)
            if version.sharedBlock == nil { version.own.mutableView[range].copy(from: former.own.view[range]) }
            version.mark(chunk)
        }
    }

    func canShare(_ block: Int) -> Bool {
        shared.map { block >= 0 && block < $0.blockCount } ?? false
    }

    /// Whether chunks of a version may come so: of several servers none puts it anywhere else than the others.
    func accepts(_ version: UInt64, sharedBlock: Int?) -> Bool {
        guard sources == .alike, let held = versions.first(where: { $0.covers(version) }), held.missing < chunks.count else { return true }
        return held.sharedBlock == sharedBlock
    }

    private func target(_ version: UInt64, sharedBlock: Int?) -> Version? {
        if let held = versions.first(where: { $0.covers(version) }) {
            if held.sharedBlock != sharedBlock { held.begin(version, sharedBlock: sharedBlock) }
            return held
        }
        let older = (versions[0].number ?? 0) <= (versions[1].number ?? 0) ? versions[0] : versions[1]
        let free = versions.first { $0.number == nil } ?? older
        guard free.number.map({ $0 < version }) ?? true else { return nil }
        free.begin(version, sharedBlock: sharedBlock)
        return free
    }

    func isComplete(_ number: UInt64) -> Bool {
        versions.contains { $0.number == number && $0.missing == 0 }
    }

    /// Whether every chunk that holds elements of `range` is here.
    func holds(_ range: Range<Int>, of number: UInt64) -> Bool {
        guard let version = versions.first(where: { $0.number == number }) else { return false }
        if version.missing == 0 { return true }
        for chunk in chunks.chunks(covering: range) where !version.isHere[chunk] { return false }
        return true
    }

    func weights(_ number: UInt64) -> FloatView? {
        guard let version = versions.first(where: { $0.number == number }) else { return nil }
        if let block = version.sharedBlock { return shared?.view(block) }
        return version.own.view
    }

    /// The newest version of which every chunk is here.
    var newestComplete: UInt64? {
        versions.filter { $0.missing == 0 }.compactMap(\.number).max()
    }

    /// A version of which some chunks are here and others are not.
    var arriving: UInt64? {
        versions.first { $0.number != nil && $0.missing > 0 }?.number
    }

    /// Chunks of `number`, of a server's in order of travel, that are here without a gap; the next one to wait for is at this position.
    func contiguousChunks(of number: UInt64, owned: Range<Int>) -> Int {
        guard let version = versions.first(where: { $0.number == number }) else { return 0 }
        var position = 0
        while position < owned.count, version.isHere[owned.upperBound - 1 - position] { position += 1 }
        return position
    }
}
