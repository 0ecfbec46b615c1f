internal import Datasets
internal import Foundation

/// `result.json`: the run in figures. Keys are part of the user's interface (results.md).
struct RunResult: Encodable {
    var weightsSHA256: String
    var stateSHA256: String
    var outcome: String
    var error: String?
    var steps: UInt64
    var evaluations: UInt64
    var epochs: Int
    var bestEpoch: Int?
    var penalty: Double
    var virtualShards: Int
    var workersSeen: Int
    var parameters: Int
    var precision: String
    var mode = "exact"
    var leafClass: String?
    var numericsVersion: Int
    var runSHA256: String
    var dataSHA256: String
    var train: PartReport?
    var validation: PartReport?
    var test: PartReport?
    var wallSeconds: Double
    var trainingSeconds: Double
    var samplesPerSecond: Double
    var peakMemoryBytes: Int?
    var events: EventReport

    struct EventReport: Encodable {
        var leasesReissued: Int
        var workersLost: Int
        var framesDropped: Int
        /// Connections that this side has ended: of strangers, and of peers that broke the protocol.
        var connectionsCut: Int
        /// Connections that were not let in: no key, a key that is not on the list, another protocol, too slow.
        var handshakesFailed: Int
        var stepsSkipped: Int
        /// Leaves that two workers have computed, with the same bits.
        var leavesAudited: Int
    }

    private enum CodingKeys: String, CodingKey {
        case weightsSHA256 = "weights_sha256"
        case stateSHA256 = "state_sha256"
        case outcome, error, steps, evaluations, epochs
        case bestEpoch = "best_epoch"
        case penalty
        case virtualShards = "virtual_shards"
        case workersSeen = "workers_seen"
        case parameters, precision, mode
        case leafClass = "leaf_class"
        case numericsVersion = "numerics_version"
        case runSHA256 = "run_sha256"
        case dataSHA256 = "data_sha256"
        case train, validation, test
        case wallSeconds = "wall_seconds"
        case trainingSeconds = "training_seconds"
        case samplesPerSecond = "samples_per_second"
        case peakMemoryBytes = "peak_memory_bytes"
        case events
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(weightsSHA256, forKey: .weightsSHA256)
        try values.encode(stateSHA256, forKey: .stateSHA256)
        try values.encode(outcome, forKey: .outcome)
        try values.encode(error, forKey: .error)  // null where there is none: the key is always there
        try values.encode(steps, forKey: .steps)
        try values.encode(evaluations, forKey: .evaluations)
        try values.encode(epochs, forKey: .epochs)
        try values.encode(bestEpoch, forKey: .bestEpoch)
        try values.encode(penalty, forKey: .penalty)
        try values.encode(virtualShards, forKey: .virtualShards)
        try values.encode(workersSeen, forKey: .workersSeen)
        try values.encode(parameters, forKey: .parameters)
        try values.encode(precision, forKey: .precision)
        try values.encode(mode, forKey: .mode)
        try values.encode(leafClass, forKey: .leafClass)
        try values.encode(numericsVersion, forKey: .numericsVersion)
        try values.encode(runSHA256, forKey: .runSHA256)
        try values.encode(dataSHA256, forKey: .dataSHA256)
        try values.encode(train, forKey: .train)
        try values.encode(validation, forKey: .validation)
        try values.encode(test, forKey: .test)
        try values.encode(wallSeconds, forKey: .wallSeconds)
        try values.encode(trainingSeconds, forKey: .trainingSeconds)
        try values.encode(samplesPerSecond, forKey: .samplesPerSecond)
        try values.encode(peakMemoryBytes, forKey: .peakMemoryBytes)
        try values.encode(events, forKey: .events)
    }
}

extension RunResult.EventReport {
    private enum CodingKeys: String, CodingKey {
        case leasesReissued = "leases_reissued"
        case workersLost = "workers_lost"
        case framesDropped = "frames_dropped"
        case connectionsCut = "connections_cut"
        case handshakesFailed = "handshakes_failed"
        case stepsSkipped = "steps_skipped"
        case leavesAudited = "leaves_audited"
    }
}

/// How far a regression's targets lie from their mean, in original units: what R² is measured against.
struct TargetSpread {
    /// Σ(y − ȳ)².
    var squares = 0.0

    /// nil where targets are classes.
    init?(_ table: Table, rows: [UInt32]) {
        guard case .values(let targets) = table.targets else { return nil }
        var sum = 0.0
        for row in rows { sum += Double(targets[Int(row)]) }
        let mean = sum / Double(rows.count)
        for row in rows {
            let difference = Double(targets[Int(row)]) - mean
            squares += difference * difference
        }
    }
}

extension Double {
    /// With so many digits behind the point, or in scientific notation where they would not show.
    func formatted(digits: Int) -> String {
        abs(self) != 0 && (abs(self) < 1e-3 || abs(self) >= 1e6)
            ? String(format: "%.\(digits - 1)e", self) : String(format: "%.\(digits)f", self)
    }
}
