/// A change of a run that is predicted to make it faster.
public struct Advice: Equatable, Sendable {
    public enum Change: Equatable, Sendable {
        case moreServers(Int)
        case halfWire
        /// With as many shards more, so that leaves stay as they are.
        case largerBatch(factor: Int)
        case fewerWorkers(Int)
        /// More of them than shards stand by.
        case moreShards(Int)
    }

    public var change: Change
    /// Samples per second, against those without the change.
    public var gain: Double
    public var prediction: Prediction

    /// Less than this is not worth a change.
    static let leastGain = 1.1
    private static let mostServers = 8

    /// What would help, the best first.
    public static func all(for model: ClusterModel, costs: Costs) -> [Advice] {
        let now = Prediction(model, costs: costs)
        var found: [Advice] = []
        func consider(_ change: Change, samples: Double = 1, least: Double = leastGain, _ edit: (inout ClusterModel) -> Void) {
            var other = model
            edit(&other)
            let prediction = Prediction(other, costs: costs)
            let gain = now.secondsPerStep / prediction.secondsPerStep * samples
            if gain >= least { found.append(Advice(change: change, gain: gain, prediction: prediction)) }
        }
        if case .hosts = model.placement {
            var best: Advice?
            var count = model.servers * 2
            // A server has a chunk at least.
            let most = min(mostServers, (model.parameters + model.chunkLength - 1) / model.chunkLength)
            while count <= most {
                let before = found.count
                consider(.moreServers(count), least: (best?.gain ?? 1) * leastGain) { $0.servers = count }
                if found.count > before {
                    best = found.removeLast()
                }
                count *= 2
            }
            if let best { found.append(best) }
        }
        if model.network != nil, model.bytesPerElement == 4 { consider(.halfWire) { $0.bytesPerElement = 2 } }
        if model.network != nil || model.workers > 1 {
            consider(.largerBatch(factor: 2), samples: 2, least: 1.25) { $0.virtualShards *= 2 }
        }
        if let count = fewest(for: model, costs: costs, now: now) { consider(.fewerWorkers(count), least: 1) { $0.workers = count } }
        if model.workers > model.virtualShards {
            var shards = model.virtualShards
            while shards < model.workers { shards *= 2 }
            found.append(Advice(change: .moreShards(shards), gain: 1, prediction: now))
        }
        return found.sorted { $0.gain > $1.gain }
    }

    /// The fewest workers that are as fast, if fewer are.
    private static func fewest(for model: ClusterModel, costs: Costs, now: Prediction) -> Int? {
        var candidates: [Int] = []
        var count = 1
        while count < model.activeWorkers {
            candidates.append(count)
            count *= 2
        }
        return candidates.first { count in
            var other = model
            other.workers = count
            return Prediction(other, costs: costs).secondsPerStep <= now.secondsPerStep
        }
    }
}
