public import Exactness
public import NeuralNet
public import Optimization
public import Training

/// Everything under `training`.
public struct TrainingSettings: Codable, Equatable, Sendable {
    /// Samples per step, over all workers.
    public var batchSize: Int
    public var epochs: Int
    /// V: a power of two that divides `batchSize`; `auto` is resolved.
    public var virtualShards: Int
    public var mode: TrainingMode
    public var precision: Precision
    /// nil: train to the last epoch.
    public var earlyStopping: EarlyStoppingPolicy?
    /// Epochs between validations.
    public var validateEvery: Int
    /// Seconds between checkpoints.
    public var checkpointEverySeconds: Double
    /// Checkpoints that are kept, besides the best and the last.
    public var keptCheckpoints: Int
    /// What becomes of a step whose gradient is NaN or infinite somewhere.
    public var nonFinite: NonFinitePolicy
}

extension TrainingSettings {
    static func read(_ s: Section) -> TrainingSettings {
        let batchSize = s.value("batch_size", .whole(in: 1...Ranges.batchSize), default: 128)
        let epochs = s.value("epochs", .whole(in: 1...Ranges.epochs), default: 20)
        let chosenShards = s.optional("virtual_shards", .virtualShards, nilName: "auto")
        let mode = s.variant("mode", TrainingMode.variants, default: .exact)
        let precision = s.value("precision", .choice(Names()), default: Precision.f32)
        let earlyStopping = s.sectionOrNone("early_stopping", EarlyStoppingPolicy.read)
        let validateEvery = s.value("validate_every", .whole(in: 1...Ranges.epochs), default: 1)
        let checkpoint = s.section("checkpoint") { s in
            (
                seconds: s.value("every_seconds", .number(.within(0...Ranges.seconds)), default: standardCheckpoint.seconds),
                keep: s.value("keep", .whole(in: 1...Ranges.keptCheckpoints), default: standardCheckpoint.keep)
            )
        }
        let nonFinite = s.value("non_finite", .choice(Names()), default: NonFinitePolicy.stop)
        return TrainingSettings(
            batchSize: batchSize, epochs: epochs, virtualShards: chosenShards ?? automaticShards(batchSize: batchSize),
            mode: mode ?? .exact, precision: precision, earlyStopping: earlyStopping, validateEvery: validateEvery,
            checkpointEverySeconds: (checkpoint ?? standardCheckpoint).seconds, keptCheckpoints: (checkpoint ?? standardCheckpoint).keep,
            nonFinite: nonFinite)
    }

    /// The largest power of two ≤ 8 that divides the batch size and leaves at least 32 rows per leaf, else 1.
    static func automaticShards(batchSize: Int) -> Int {
        let (mostShards, fewestRows) = (8, 32)
        var shards = mostShards
        while shards > 1, !batchSize.isMultiple(of: shards) || batchSize / shards < fewestRows { shards /= 2 }
        return shards
    }

    private static let standardCheckpoint = (seconds: 60.0, keep: 3)

    var outline: Outline {
        .map([
            .init("batch_size", .whole(batchSize), .bits),
            .init("epochs", .whole(epochs)),
            .init("virtual_shards", .whole(virtualShards), .bits),
            .init("mode", mode.outline, .bits),
            .init("precision", .word(precision.rawValue), .bits),
            .init("early_stopping", earlyStopping?.outline ?? .none, .bits),
            .init("validate_every", .whole(validateEvery), .bits),
            .init("checkpoint", .map([.init("every_seconds", .number(checkpointEverySeconds)), .init("keep", .whole(keptCheckpoints))])),
            .init("non_finite", .word(nonFinite.rawValue), .bits),
        ])
    }
}

extension EarlyStoppingPolicy {
    fileprivate static func read(_ s: Section) -> EarlyStoppingPolicy {
        let monitor = s.value("monitor", .choice(Names()), default: MonitoredFigure.validationLoss)
        return EarlyStoppingPolicy(
            monitor: monitor,
            patience: s.value("patience", .whole(in: 1...Ranges.epochs), default: 5),
            minimumDelta: s.value("min_delta", .number(.nonNegative), default: 0),
            restoreBest: s.value("restore_best", .flag, default: true),
            startEpoch: s.value("start_epoch", .whole(in: 1...Ranges.epochs), default: 1),
            stopAt: s.optional("stop_at", .number(monitor == .validationAccuracy ? .within(0...1) : .any)))
    }

    fileprivate var outline: Outline {
        .map([
            .init("monitor", .word(monitor.rawValue), .bits),
            .init("patience", .whole(patience), .bits),
            .init("min_delta", .number(minimumDelta), .bits),
            .init("restore_best", .flag(restoreBest), .bits),
            .init("start_epoch", .whole(startEpoch), .bits),
            .init("stop_at", stopAt.map(Outline.number) ?? .none, .bits),
        ])
    }
}

extension ValueKind where Value == Int {
    fileprivate static var virtualShards: Self {
        let words = "a power of two in 1…\(Ranges.virtualShards)"
        let whole = ValueKind.whole(in: 1...Ranges.virtualShards)
        return ValueKind(words) { tree throws(Mismatch) in
            let shards = try whole.read(tree)
            guard shards & (shards - 1) == 0 else { throw .unexpected }
            return shards
        }
    }
}
