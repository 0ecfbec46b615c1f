/// What a run left behind, as far as a verdict needs it: figures and settings, no files.
public struct RunEvidence: Equatable, Sendable {
    /// The lines of `history.jsonl`, in order.
    public var history: [HistoryEntry] = []
    /// nil while a run is under way, or where it was killed.
    public var result: RunOutcome?
    public var settings: RunSettings
}

/// A line of `history.jsonl` (definitions.md).
public struct HistoryEntry: Equatable, Sendable, Decodable {
    public var step: UInt64
    public var epoch: Int
    public var learningRate: Double?
    /// The fixed sample of training rows in inference mode; nil where a run ended early.
    public var train: MeasuredPart?
    public var validation: MeasuredPart?
    /// The losses of the steps since the line before, in training mode.
    public var trainingMode: TrainedLosses?
    public var layers: [LayerFigures] = []

    private enum CodingKeys: String, CodingKey {
        case step, epoch, train, validation, layers
        case learningRate = "learning_rate"
        case trainingMode = "training_mode"
    }
}

/// Figures of some rows; what is absent was not finite or does not exist for the task.
public struct MeasuredPart: Equatable, Sendable, Decodable {
    public var loss: Double?
    public var accuracy: Double?
    public var rmse: Double?
    public var r2: Double?
    public var samples: Int
    /// Of the best constant prediction on the same rows.
    public var trivialLoss: Double?
    public var trivialAccuracy: Double?

    private enum CodingKeys: String, CodingKey {
        case loss, accuracy, rmse, r2, samples
        case trivialLoss = "trivial_loss"
        case trivialAccuracy = "trivial_accuracy"
    }
}

/// The losses of the steps between two lines; what is absent was not finite.
public struct TrainedLosses: Equatable, Sendable, Decodable {
    public var first: Double?
    public var last: Double?
    public var mean: Double?
    public var highest: Double?
}

/// A layer's figures in one line; what is absent was not finite or does not exist for the layer.
public struct LayerFigures: Equatable, Sendable, Decodable {
    public var name: String
    public var gradientNorm: Double?
    public var weightNorm: Double?
    public var updateRatio: Double?
    /// Share of units that are 0 on every row of the sample.
    public var dead: Double?
    /// Share of activations with σ outside [0.05, 0.95] or |tanh| > 0.9.
    public var saturated: Double?
    /// Share of rows that each maxout piece wins.
    public var pieceWins: [Double]?

    private enum CodingKeys: String, CodingKey {
        case name, dead, saturated
        case gradientNorm = "gradient_norm"
        case weightNorm = "weight_norm"
        case updateRatio = "update_ratio"
        case pieceWins = "piece_wins"
    }
}

/// `result.json`, as far as a verdict needs it.
public struct RunOutcome: Equatable, Sendable, Decodable {
    public var outcome: String
    public var error: String?
    public var steps: UInt64
    public var parameters: Int?
    /// ½λ‖w‖² + λ₁‖w‖₁ at the final weights.
    public var penalty: Double?
    /// At the final weights, all rows of the part, in inference mode.
    public var train: MeasuredPart?
    public var validation: MeasuredPart?
    public var test: MeasuredPart?
}
