public import Exactness
internal import Kernels
public import NeuralNet
public import Optimization

/// What a server knows of the others in the open step.
struct OtherServers {
    /// Whether the step is complete everywhere.
    var isComplete = false
    /// Whether it has been said that the chunks of this server are ready.
    var knowsThatWeAreDone = false
    /// Whether the whole gradient has been judged.
    var isJudged = false
}

/// One of several servers: each builds its own chunks of the next version, and a step is complete when all of them are.
///
/// Nothing that one of them holds of version t is given up before: a lease that is given to somebody else in mid-step needs the whole of
/// it. The first server, the coordinator's, decides: it joins what the others have found of their figure blocks, and says when a step is
/// complete.
extension ParameterServer {
    public var isAlone: Bool { owned.count == chunks.count }

    /// Elements of the layout whose weights are this server's.
    public var ownedElements: Range<Int> {
        owned.isEmpty ? 0..<0 : chunks.range(owned.lowerBound).lowerBound..<chunks.range(owned.upperBound - 1).upperBound
    }

    /// Lets the step be complete: every server has said `built`.
    public func allAreBuilt() {
        others.isComplete = true
    }

    /// Whether every chunk of this server's next version is there.
    public var isBuilt: Bool { others.knowsThatWeAreDone }

    /// The norms of the step that made the complete version have been put in.
    public func noteNorms() {
        normsVersion = version
    }

    // MARK: Two phases

    /// Whether its chunks are reduced and wait for their judgement.
    public var canBeJudged: Bool { hasTwoPhases && !isAlone && reducedChunks == owned.count && !others.isJudged }

    /// Whether steps wait for a judgement of the whole gradient.
    public var awaitsJudgements: Bool { hasTwoPhases }

    /// Whether the gradient of this server's chunks is finite: known when it awaits its judgement.
    public var foundFinite: Bool { isFinite }

    /// Σg² of this server's figure blocks, the tail aside.
    public var ownSquares: [Double] { settings.squares?.sums(of: figureBlocks(of: owned)) ?? [] }

    /// The figure blocks that some chunks lie in, the tail aside.
    public func figureBlocks(of chunks: Range<Int>) -> Range<Int> {
        func block(_ chunk: Int) -> Int {
            let start = chunk < self.chunks.count ? self.chunks.range(chunk).lowerBound : self.chunks.updatedCount
            return (min(start, self.chunks.updatedCount) + figureBlockLength - 1) / figureBlockLength
        }
        return block(chunks.lowerBound)..<block(chunks.upperBound)
    }

    /// Takes what another server has found of its chunks; at the first server.
    public func takeSquares(_ squares: [Double], of chunks: Range<Int>, isFinite: Bool) {
        settings.squares?.set(squares, from: figureBlocks(of: chunks).lowerBound)
        self.isFinite = self.isFinite && isFinite
    }

    /// What the gradient is scaled by, nil: the step is skipped. Known at the first server when it has the squares of all.
    public var judgement: Float? { settings.factor(isFinite: isFinite) }

    /// Goes on to the second phase; at every server, with the first one's judgement.
    public func judge(_ scale: Float?) {
        others.isJudged = true
        isFinite = scale != nil
        settings.judge(scale: scale)
        beginSecondPhase()
    }
}

extension ChunkMap {
    /// Says why a server does not take a chunk that is not its own.
    func foreignText(_ chunk: Int) -> String {
        chunk >= 0 && chunk < count ? "chunk \(chunk), which is another server's" : "chunk \(chunk) of \(count)"
    }
}

extension ServerRanges {
    /// Cuts a layout between servers, never inside a row whose length is bounded.
    public init(layout: ParameterLayout, updater: Updater, chunkByteCount: Int, serverCount: Int) {
        let chunks = layout.chunks(byteCount: chunkByteCount)
        let borders = updater.limitsRows ? RowBorders(chunks: chunks, updater: updater) : nil
        self.init(chunks: chunks, serverCount: serverCount) { borders?.isBeginning($0) ?? true }
    }
}
