/// Where the gradients of the stages' outputs lie while backward runs, and who brings them there.
///
/// A leaf has as few buffers as are in use at once: two in a chain, one more for each open shortcut. Stages whose output several others
/// read collect their parts one after another, from the last reader to the first, which fixes the order of the additions.
struct GradientRoutes: Sendable {
    struct Route: Sendable {
        /// The buffer with the gradient of the stage's output.
        var received: Int
        /// Where the gradient of its source's output goes; nil: nobody needs it.
        var passed: Target?
        /// The same for a sum's other source.
        var shortcut: Target?
        /// The output has several readers, or its reader is not the next stage: the gradient is complete only when the stage's turn comes.
        var receivesLater: Bool
    }

    struct Target: Sendable {
        var buffer: Int
        /// A part is there already; this one is added.
        var adds: Bool
        /// Where a part that is added is computed first; nil: the part is what was received.
        var spare: Int?

        /// Where the part is computed.
        var computed: Int { spare ?? buffer }
    }

    /// Per stage; nil below the first parameters.
    private(set) var routes: [Route?] = []
    /// Per buffer the stages whose outputs' gradients it holds at some time.
    private(set) var holders: [[Int]] = []

    init(_ stages: [Stage]) {
        var needed: [Bool] = []
        var readers = [[Int]](repeating: [], count: stages.count)
        for (index, stage) in stages.enumerated() {
            needed.append(stage.parameters != nil || stage.sources.contains { needed[$0] })
            for source in stage.sources { readers[source].append(index) }
        }
        routes = Array(repeating: nil, count: stages.count)
        guard let last = stages.indices.last else { return }
        var planner = Planner(needed: needed, buffers: Array(repeating: nil, count: stages.count))
        planner.buffers[last] = planner.take(for: last)
        for index in stages.indices.reversed() where needed[index] {
            guard let received = planner.buffers[index] else { preconditionFailure("a stage whose output nobody reads") }
            var route = Route(received: received, receivesLater: index != last && readers[index] != [index + 1])
            switch stages[index].kind {
            case .dense, .leafwise:
                route.passed = planner.target(stages[index].source)
                planner.release(received)
                if let spare = route.passed?.spare { planner.release(spare) }
            case .pointwise:
                route.passed = planner.target(stages[index].source, from: received, moves: true)
                if route.passed?.buffer != received { planner.release(received) }
            case .sum(_, let shortcut):
                route.passed = planner.target(stages[index].source, from: received, moves: true)
                let isMoved = route.passed?.buffer == received
                route.shortcut = planner.target(shortcut, from: received, moves: !isMoved)
                if !isMoved && route.shortcut?.buffer != received { planner.release(received) }
            }
            routes[index] = route
        }
        // What a sum passes on comes while other stages are still to be served, so its sources wait for their turn.
        for stage in stages where stage.isSum {
            for source in stage.sources { routes[source]?.receivesLater = true }
        }
        holders = planner.holders
    }

    private struct Planner {
        let needed: [Bool]
        var buffers: [Int?]
        var free: Set<Int> = []
        var holders: [[Int]] = []

        mutating func take(for stage: Int) -> Int {
            let buffer: Int
            if let first = free.min() {
                free.remove(first)
                buffer = first
            } else {
                buffer = holders.count
                holders.append([])
            }
            holders[buffer].append(stage)
            return buffer
        }

        mutating func release(_ buffer: Int) {
            free.insert(buffer)
        }

        /// - Parameters:
        ///   - received: where the part stands already; nil: it is computed.
        ///   - moves: whether that buffer becomes the source's own if it has none yet.
        mutating func target(_ source: Int?, from received: Int? = nil, moves: Bool = false) -> Target? {
            guard let source, needed[source] else { return nil }
            if let buffer = buffers[source] {
                return Target(buffer: buffer, adds: true, spare: received == nil ? take(for: source) : nil)
            }
            let buffer: Int
            if moves, let received {
                buffer = received
                holders[buffer].append(source)
            } else {
                buffer = take(for: source)
            }
            buffers[source] = buffer
            return Target(buffer: buffer, adds: false)
        }
    }
}

extension Stage {
    var isSum: Bool {
        if case .sum = kind { true } else { false }
    }

    /// The stages that it reads.
    var sources: [Int] {
        if case .sum(_, let shortcut) = kind { return [source, shortcut].compactMap { $0 } }
        return [source].compactMap { $0 }
    }
}
