import Exactness
import Wire

@testable import Training

extension RunPlan {
    /// 4 steps an epoch over `shards` shards of 16 rows; 10 validation, 6 test rows and a sample of 12.
    static func sample(
        shards: Int = 4, epochs: Int = 2, validateEvery: Int = 1, hasValidation: Bool = true, earlyStopping: EarlyStoppingPolicy? = nil
    ) -> RunPlan {
        func part(rows: Int) -> StepPlan { StepPlan(rowCount: rows, batchSize: shards * 4, shardCount: shards) }
        var parts: [PartID: StepPlan] = [.train: part(rows: shards * 16), .sample: part(rows: 12), .test: part(rows: 6)]
        if hasValidation { parts[.validation] = part(rows: 10) }
        return RunPlan(
            tree: ShardTree(shardCount: shards), parts: parts, epochs: epochs, validateEvery: validateEvery, earlyStopping: earlyStopping)
    }
}

extension CoordinatorLimits {
    static func sample(
        minimumWorkers: Int = 1, localWorkers: Int = 0, acceptsRemoteWorkers: Bool = true, joinTimeout: Duration = .seconds(60),
        idleTimeout: Duration = .seconds(600), checkpointEvery: Duration = .seconds(1_000)
    ) -> CoordinatorLimits {
        CoordinatorLimits(
            minimumWorkers: minimumWorkers, localWorkers: localWorkers, acceptsRemoteWorkers: acceptsRemoteWorkers,
            joinTimeout: joinTimeout, idleTimeout: idleTimeout, heartbeat: .seconds(1), checkpointEvery: checkpointEvery,
            invitation: "dnn-worker --connect tcp://here:5555")
    }
}

extension AdmissionRules {
    static let sample = AdmissionRules(numericsVersion: 7, leafClass: nil)
}

extension Hello {
    static func sample(
        _ name: String = "a", instance: UInt64 = .random(in: .min ... .max), protocolVersion: UInt16 = WireProtocol.version,
        numericsVersion: Int = 7
    ) -> Hello {
        Hello(
            protocolVersion: protocolVersion, numericsVersion: numericsVersion, name: name, processID: 1, host: "host", instance: instance)
    }
}

extension Welcome {
    static func sample(
        session: UInt64, runID: String = "id", incarnation: UInt32 = 1, run: String = "run", data: String = "data"
    ) -> Welcome {
        Welcome(
            session: session, runID: runID, incarnation: incarnation, runSHA256: run, dataSHA256: data, heartbeatMilliseconds: 1_000,
            dataPort: nil, run: [])
    }
}

/// SplitMix64: the same numbers for the same seed, so that a play that fails can be played again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
