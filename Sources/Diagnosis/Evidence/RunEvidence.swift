/// What a run left behind, as far as a verdict needs it: figures and settings, no files.
public struct RunEvidence: Equatable, Sendable {
    /// The lines of `history.jsonl`, in order.
    public var history: [HistoryEntry]
    /// nil while a run is under way, or where it was killed.
    public var result: RunOutcome?
    public var settings: RunSettings

    public init(history: [HistoryEntry] = [], result: RunOutcome? = nil, settings: RunSettings) {
        self.history = history
        self.result = result
        self.settings = settings
    }
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
    public var layers: [LayerFigures]

    public init(
        step: UInt64, epoch: Int, learningRate: Double? = nil, train: MeasuredPart? = nil, validation: MeasuredPart? = nil,
        trainingMode: TrainedLosses? = nil, layers: [LayerFigures] = []
    ) {
        self.step = step
        self.epoch = epoch
        self.learningRate = learningRate
        self.train = train
        self.validation = validation
        self.trainingMode = trainingMode
        self.layers = layers
    }

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

    public init(
        loss: Double? = nil, accuracy: Double? = nil, rmse: Double? = nil, r2: Double? = nil, samples: Int, trivialLoss: Double? = nil,
        trivialAccuracy: Double? = nil
    ) {
        self.loss = loss
        self.accuracy = accuracy
        self.rmse = rmse
        self.r2 = r2
        self.samples = samples
        self.trivialLoss = trivialLoss
        self.trivialAccuracy = trivialAccuracy
    }

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

    public init(first: Double? = nil, last: Double? = nil, mean: Double? = nil, highest: Double? = nil) {
        self.first = first
        self.last = last
        self.mean = mean
        self.highest = highest
    }
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

    public init(
        name: String, gradientNorm: Double? = nil, weightNorm: Double? = nil, updateRatio: Double? = nil, dead: Double? = nil,
        saturated: Double? = nil, pieceWins: [Double]? = nil
    ) {
        self.name = name
        self.gradientNorm = gradientNorm
        self.weightNorm = weightNorm
        self.updateRatio = updateRatio
        self.dead = dead
        self.saturated = saturated
        self.pieceWins = pieceWins
    }

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

    public init(
        outcome: String, error: String? = nil, steps: UInt64, parameters: Int? = nil, penalty: Double? = nil, train: MeasuredPart? = nil,
        validation: MeasuredPart? = nil, test: MeasuredPart? = nil
    ) {
        self.outcome = outcome
        self.error = error
        self.steps = steps
        self.parameters = parameters
        self.penalty = penalty
        self.train = train
        self.validation = validation
        self.test = test
    }
}
