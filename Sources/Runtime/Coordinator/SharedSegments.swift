internal import Kernels
internal import OperatingSystem

/// The coordinator's side of the shared memory: the weights, and gradient segments for local worker processes.
///
/// Parameter servers of this host are started before the first worker and get everything there will be, so that nothing is handed over
/// later: weights, of which each writes its own chunks, and all gradient segments, which worker processes have one after the other.
final class SharedSegments {
    /// Nodes that a worker may send at a time through its segment; with more it falls back to messages.
    private static let mostNodes = 16
    private static let blocksPerNode = 3
    /// A process may have contributed to the open step and, where servers know before us that it is complete, to the next one.
    private static let completionsToReuse = 2

    /// A gradient segment and what it is to be kept for.
    private struct Place {
        let segment: BlockSegment
        var use = Use.free

        enum Use: Equatable {
            case free
            case held(processID: Int32)
            /// Its process is gone; so many steps must be completed before nobody reads its contributions any more.
            case retired(completions: Int)
        }
    }

    private let weights: BlockSegment
    /// The blocks of `weights`, which workers read.
    let weightBlocks: [FloatBlock]
    private var places: [Place] = []
    private let elementCount: Int
    private let gradientBlocks: Int
    private let hasServers: Bool
    private var isClosed: Bool

    /// - Parameters:
    ///   - workers: local ones, at a time.
    ///   - hasServers: whether other servers of this host share the memory; then there are no more segments than are made here.
    init(elementCount: Int, shardCount: Int, workers: Int, hasServers: Bool) throws(SystemError) {
        self.elementCount = elementCount
        self.hasServers = hasServers
        gradientBlocks = Self.blocksPerNode * min(max(shardCount / 2, 1), Self.mostNodes)
        let weights = try BlockSegment.create(
            blockCount: SharedSegmentsOption.weightBlocks, elementCount: elementCount, sharing: hasServers ? .earlyWrite : .creatorWrites,
            name: "dnn-weights")
        self.weights = weights
        weightBlocks = (0..<weights.blockCount).map { weights.writableBlock($0) }
        isClosed = !hasServers
        guard hasServers else { return }
        // As many processes as there are workers, and two more, may die within two steps.
        for _ in 0..<2 * workers + 2 { try addPlace() }
    }

    private func addPlace() throws(SystemError) {
        places.append(
            Place(
                segment: try BlockSegment.create(
                    blockCount: gradientBlocks, elementCount: elementCount, sharing: .allWrite, name: "dnn-gradients")))
    }

    // MARK: Servers

    /// What another server of this host is given when it is started.
    var forServer: (option: ServerSegmentsOption, descriptors: [ChildProcess.Inheritance]) {
        let option = ServerSegmentsOption(segmentCount: places.count, gradientBlocks: gradientBlocks)
        let gradients = places.enumerated().map { index, place in
            ChildProcess.Inheritance(place.segment.memory.descriptor, as: option.firstGradients + Int32(index))
        }
        return (option, [ChildProcess.Inheritance(weights.memory.descriptor, as: option.weightsDescriptor)] + gradients)
    }

    /// All servers have mapped the weights: no process that gets them from now on can write there.
    func closeWeights() throws(SystemError) {
        guard !isClosed else { return }
        try weights.memory.closeToWriters()
        isClosed = true
    }

    // MARK: Workers

    /// A segment for a worker that is about to be started, and what the worker has to be given; nil if none is free.
    func prepare() throws(SystemError) -> (place: Int, option: SharedSegmentsOption, descriptors: [ChildProcess.Inheritance])? {
        precondition(isClosed, "a worker could write weights")
        if !hasServers, !places.contains(where: { $0.use == .free }) { try addPlace() }
        guard let place = places.firstIndex(where: { $0.use == .free }) else { return nil }
        let option = SharedSegmentsOption(gradientBlocks: gradientBlocks)
        return (
            place, option,
            [
                ChildProcess.Inheritance(weights.memory.descriptor, as: option.weightsDescriptor),
                ChildProcess.Inheritance(places[place].segment.memory.descriptor, as: option.gradientsDescriptor),
            ]
        )
    }

    /// The process that a prepared segment is for has been started.
    func adopt(_ place: Int, of processID: Int32) {
        places[place].use = .held(processID: processID)
    }

    /// The number of a process's segment among all; nil if it has none.
    func place(of processID: Int32) -> Int? {
        places.firstIndex { $0.use == .held(processID: processID) }
    }

    func gradients(of processID: Int32) -> BlockSegment? {
        place(of: processID).map { places[$0].segment }
    }

    /// The process is gone; its segment stays as it is until the steps are over that it may have contributed to.
    func retire(_ processID: Int32) {
        if let place = place(of: processID) { places[place].use = .retired(completions: Self.completionsToReuse) }
    }

    func stepCompleted() {
        for index in places.indices {
            guard case .retired(let completions) = places[index].use else { continue }
            places[index].use = completions > 1 ? .retired(completions: completions - 1) : .free
            // Where the system keeps the pages, they are written again by the next process.
            if completions == 1 { try? places[index].segment.memory.discard() }
        }
    }
}
