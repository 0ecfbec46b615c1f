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

    public struct Measurement: Encodable, Sendable {
        public struct Point: Encodable, Sendable {
            public var workers: Int
            public var predictedMs: Double
            public var measuredMs: Double
            /// Of the measured time.
            public var error: Double
            /// In seconds, by name: what the second of the two predictions was made of.
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
        // What is predicted is measured between two measurements of its parts, so that all see the same machine.
        var points: [Measurement.Point] = []
        for workers in 1...mostWorkers {
            let before = try predict(run, workers: workers).milliseconds
            guard let measured = try benchmark(workers).run() else { return nil }
            let after = try predict(run, workers: workers)
            let predicted = (before + after.milliseconds) / 2
            points.append(
                .init(
                    workers: workers, predictedMs: predicted, measuredMs: measured.medianMsPerStep,
                    error: abs(predicted / measured.medianMsPerStep - 1), costs: after.costs))
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
