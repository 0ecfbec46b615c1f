internal import OperatingSystem
internal import Scaling

/// Predictions of the model against measured steps of this host, with 1 worker and more.
public struct ModelBenchmark: Sendable {
    public var workload: Workload
    public var mostWorkers: Int
    public var steps: Int?

    public init(workload: Workload, mostWorkers: Int, steps: Int?) {
        self.workload = workload
        self.mostWorkers = mostWorkers
        self.steps = steps
    }

    private static let rounds = 3

    public struct Measurement: Encodable, Sendable {
        /// Medians of the rounds.
        public struct Point: Encodable, Sendable {
            public var workers: Int
            public var predictedMs: Double
            public var measuredMs: Double
            /// Of the measured time.
            public var error: Double
            /// In seconds, by name: what the last prediction was made of.
            var costs: Costs

            private enum CodingKeys: String, CodingKey {
                case workers, error, costs
                case predictedMs = "predicted_ms"
                case measuredMs = "measured_ms"
            }
        }

        public var workload: String
        public var points: [Point]
        public var worstError: Double

        private enum CodingKeys: String, CodingKey {
            case workload, points
            case worstError = "worst_error"
        }
    }

    /// nil if a run failed, which has then been said on standard error.
    public func run() throws -> Measurement? {
        let shards = max(4, mostWorkers.nextPowerOfTwo)
        func benchmark(_ workers: Int) -> StepBenchmark {
            StepBenchmark(workload: workload, workers: workers, steps: steps, virtualShards: shards)
        }
        let run = try benchmark(1).prepared()
        // Measurements lie between predictions, and numbers of workers take turns, so that all see the same machine.
        let counts = Array(1...mostWorkers)
        var predicted = counts.map { _ in [Double]() }, measured = predicted, costs: [Costs] = []
        for round in 0...Self.rounds {
            for (index, workers) in counts.enumerated() {
                let prediction = try predict(run, workers: workers)
                predicted[index].append(prediction.milliseconds)
                costs.append(prediction.costs)
                guard round < Self.rounds else { continue }
                guard let found = try benchmark(workers).run() else { return nil }
                measured[index].append(found.medianMsPerStep)
            }
        }
        let points = counts.indices.map { index in
            let (predicted, measured) = (Timing(predicted[index]).medianMs, Timing(measured[index]).medianMs)
            return Measurement.Point(
                workers: counts[index], predictedMs: predicted, measuredMs: measured, error: abs(predicted / measured - 1),
                costs: costs[costs.count - counts.count + index])
        }
        return Measurement(workload: workload.rawValue, points: points, worstError: points.map(\.error).max() ?? 0)
    }

    private func predict(_ run: PreparedRun, workers: Int) throws -> (milliseconds: Double, costs: Costs) {
        let model = ClusterModel(run, workers: workers, threads: 1, servers: 1, halvesWire: false, placement: .oneHost)
        let costs = try Calibration.costs(of: run, isNetwork: false)
        return (Prediction(model, costs: costs).secondsPerStep * 1_000, costs)
    }
}

extension Int {
    /// The least power of two that is not less.
    var nextPowerOfTwo: Int {
        var power = 1
        while power < self { power *= 2 }
        return power
    }
}
