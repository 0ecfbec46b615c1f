internal import Exactness
internal import Kernels

/// A worker's two versions of the weights: the one it computes with, and the one that arrives meanwhile.
final class WeightsMemory {
    private final class Version {
        let block: FloatBlock
        var number: UInt64?
        var isHere: [Bool]
        var missing: Int

        init(chunks: ChunkMap) {
            block = FloatBlock(count: chunks.elementCount)
            isHere = Array(repeating: false, count: chunks.count)
            missing = chunks.count
        }

        func begin(_ number: UInt64) {
            self.number = number
            for index in isHere.indices { isHere[index] = false }
            missing = isHere.count
        }
    }

    let chunks: ChunkMap
    private let versions: [Version]

    init(chunks: ChunkMap) {
        self.chunks = chunks
        versions = [Version(chunks: chunks), Version(chunks: chunks)]
    }

    /// Stores a chunk. A version that is not held replaces the older of the two; one older than both is dropped.
    func store(version: UInt64, chunk: Int, body: FloatView) {
        let target: Version
        if let held = versions.first(where: { $0.number == version }) {
            target = held
        } else {
            let older = (versions[0].number ?? 0) <= (versions[1].number ?? 0) ? versions[0] : versions[1]
            let free = versions.first { $0.number == nil } ?? older
            guard free.number.map({ $0 < version }) ?? true else { return }
            free.begin(version)
            target = free
        }
        guard !target.isHere[chunk] else { return }
        target.block.mutableView[chunks.range(chunk)].copy(from: body)
        target.isHere[chunk] = true
        target.missing -= 1
    }

    /// Forgets everything: the next session may be about other weights.
    func clear() {
        for version in versions { version.number = nil }
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
        versions.first { $0.number == number }?.block.view
    }

    /// The newest version of which every chunk is here.
    var newestComplete: UInt64? {
        versions.filter { $0.missing == 0 }.compactMap(\.number).max()
    }

    /// A version of which some chunks are here and others are not.
    var arriving: UInt64? {
        versions.first { $0.number != nil && $0.missing > 0 }?.number
    }

    /// Chunks of `number` in order of travel that are here without a gap; the next chunk to wait for is at this position.
    func contiguousChunks(of number: UInt64) -> Int {
        guard let version = versions.first(where: { $0.number == number }) else { return 0 }
        var position = 0
        while position < chunks.count, version.isHere[chunks.count - 1 - position] { position += 1 }
        return position
    }
}
