internal import Foundation
internal import Scaling

/// What `plan` says.
struct PlanReport: Encodable {
    let model: ClusterModel
    let batchSize: Int
    let bandwidth: Double?
    let costs: Costs
    let prediction: Prediction
    let alone: Prediction
    let advice: [Advice]

    private enum CodingKeys: String, CodingKey {
        case workers, servers, wire, costs, advice, bottleneck, computing, cores
        case virtualShards = "virtual_shards"
        case msPerStep = "ms_per_step"
        case samplesPerSecond = "samples_per_second"
        case timesOneWorker = "times_one_worker"
        case serverThreads = "server_threads"
        case serverNetwork = "server_network"
        case workerNetwork = "worker_network"
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(model.workers, forKey: .workers)
        try values.encode(model.servers, forKey: .servers)
        try values.encode(wire, forKey: .wire)
        try values.encode(model.virtualShards, forKey: .virtualShards)
        try values.encode(prediction.secondsPerStep * 1_000, forKey: .msPerStep)
        try values.encode(Double(batchSize) / prediction.secondsPerStep, forKey: .samplesPerSecond)
        try values.encode(alone.secondsPerStep / prediction.secondsPerStep, forKey: .timesOneWorker)
        try values.encode(prediction.bottleneck.rawValue, forKey: .bottleneck)
        try values.encode(prediction.computing, forKey: .computing)
        try values.encode(prediction.serverThreads, forKey: .serverThreads)
        try values.encode(prediction.serverNetwork, forKey: .serverNetwork)
        try values.encode(prediction.workerNetwork, forKey: .workerNetwork)
        try values.encode(prediction.cores, forKey: .cores)
        try values.encode(costs, forKey: .costs)
        try values.encode(advice.map(line), forKey: .advice)
    }

    var text: String {
        func share(_ value: Double) -> String { "\(Int((100 * value).rounded())) %" }
        let place =
            switch model.placement {
            case .oneHost: "all on this host, \(model.coresPerHost) cores"
            case .oneHostWithNetwork: "all on this host's \(model.coresPerHost) cores, \(rate) between them"
            case .hosts: "a host of \(model.coresPerHost) cores each, \(rate)"
            }
        let leaves = model.leaves.max() ?? 0
        var lines = [
            "measured   a leaf \(ms(costs.compute(leaves: 1))), \(leaves) leaves \(ms(costs.compute(leaves: leaves))); every core busy: "
                + "\(number(costs.crowding)) times that; update of \(model.parameters) parameters "
                + ms((costs.updatePerElement + costs.updatePerElementAndSum) * Double(model.parameters))
                + "; a message \(number(costs.perMessage * 1e6)) µs, a wake-up \(number(costs.wakeUp * 1e6)) µs",
            "cluster    \(model.workers) worker\(model.workers == 1 ? "" : "s"), "
                + "\(model.servers) server\(model.servers == 1 ? "" : "s"), wire \(wire), V = \(model.virtualShards), \(place)",
            "predicted  \(ms(prediction.secondsPerStep)) per step, \(Int(Double(batchSize) / prediction.secondsPerStep)) samples/s, "
                + "\(number(alone.secondsPerStep / prediction.secondsPerStep)) times one worker's speed",
            "busy       computing \(share(prediction.computing)), server's threads \(share(prediction.serverThreads)), "
                + "cards: server \(share(prediction.serverNetwork)), worker \(share(prediction.workerNetwork)), "
                + "cores \(share(prediction.cores))",
            "bottleneck \(prediction.bottleneck.rawValue)",
        ]
        lines +=
            advice.isEmpty ? ["advice     none: nothing that plan knows of would help by a tenth"] : advice.map { "advice     " + line($0) }
        return lines.joined(separator: "\n")
    }

    private func line(_ advice: Advice) -> String {
        let change =
            switch advice.change {
            case .moreServers(let count): "cluster.parameter_servers: \(count)"
            case .halfWire: "cluster.wire: bf16"
            case .largerBatch(let factor):
                "training.batch_size: \(batchSize * factor), virtual_shards: \(model.virtualShards * factor) (other weights)"
            case .fewerWorkers(let count): "--workers \(count): more are no faster"
            case .moreShards(let count): "training.virtual_shards: \(count): only \(model.virtualShards) workers can share a step"
            }
        guard advice.gain > 1.005 else { return change }
        return "\(change) – \(ms(advice.prediction.secondsPerStep)) per step, \(number(advice.gain)) times the samples/s"
    }

    private var wire: String { model.bytesPerElement == 2 ? "bf16" : "f32" }

    private var rate: String {
        guard let bandwidth else { return "" }
        return bandwidth >= 1e9 ? "\(number(bandwidth / 1e9)) Gbit/s" : "\(number(bandwidth / 1e6)) Mbit/s"
    }

    private func ms(_ seconds: Double) -> String { "\(number(seconds * 1_000)) ms" }
    private func number(_ value: Double) -> String { String(format: value < 10 ? "%.2f" : "%.1f", value) }
}
