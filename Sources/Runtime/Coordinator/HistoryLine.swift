internal import Foundation

/// One line of `history.jsonl` (definitions.md).
struct HistoryLine: Encodable {
    var step: UInt64
    var epoch: Int
    var learningRate: Double
    var train: PartReport?
    var validation: PartReport?
    /// The losses that the steps since the line before were trained on.
    var steps: StepLosses.Report?
    var layers: [LayerFigures]
    var weightsSHA256: String
    var seconds: Double

    struct LayerFigures: Encodable {
        var name: String
        /// Of the last step's mean gradient before clip and decay.
        var gradientNorm: Double?
        var weightNorm: Double?
        /// ‖Δw‖ / ‖w‖ of the last step.
        var updateRatio: Double?
        var dead: Double?
        var saturated: Double?
        var pieceWins: [Double]?

        private enum CodingKeys: String, CodingKey {
            case name, dead, saturated
            case pieceWins = "piece_wins"
            case gradientNorm = "gradient_norm"
            case weightNorm = "weight_norm"
            case updateRatio = "update_ratio"
        }
    }

    private enum CodingKeys: String, CodingKey {
        case step, epoch
        case learningRate = "learning_rate"
        case train, validation
        case steps = "training_mode"
        case layers
        case weightsSHA256 = "weights_sha256"
        case seconds
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(step, forKey: .step)
        try values.encode(epoch, forKey: .epoch)
        try values.encode(learningRate, forKey: .learningRate)
        try values.encode(train, forKey: .train)  // null where there is none: the key is always there
        try values.encode(validation, forKey: .validation)
        try values.encodeIfPresent(steps, forKey: .steps)
        try values.encode(layers, forKey: .layers)
        try values.encode(weightsSHA256, forKey: .weightsSHA256)
        try values.encode(seconds, forKey: .seconds)
    }

    var json: Data {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return try encoder.encode(self)
        }
    }
}
