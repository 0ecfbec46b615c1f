internal import Datasets
internal import Training

/// A part's figures as they are reported: means, in original units where units exist.
struct PartReport: Codable, Equatable {
    var loss: Double?
    var accuracy: Double?
    var top5Accuracy: Double?
    var rmse: Double?
    var r2: Double?
    var samples: Int
    /// What the best constant prediction gives on the same rows.
    var trivialLoss: Double?
    var trivialAccuracy: Double?
    /// Of held-out parts, at the end of a run.
    var confusion: [[Int]]?
    var perClass: [String: ClassReport.Figures]?

    private enum CodingKeys: String, CodingKey {
        case loss, accuracy
        case top5Accuracy = "top5_accuracy"
        case rmse, r2, samples, confusion
        case perClass = "per_class"
        case trivialLoss = "trivial_loss"
        case trivialAccuracy = "trivial_accuracy"
    }

    /// - Parameter spread: of a regression's targets over the same rows, nil for classification.
    init(_ figures: PartFigures, spread: TargetSpread?, targetScaling: TargetScaling?, trivial: TrivialPredictor? = nil) {
        loss = figures.meanLoss.isFinite ? figures.meanLoss : nil
        samples = figures.rows
        trivialLoss = trivial?.loss
        trivialAccuracy = trivial?.accuracy
        guard let spread else {
            accuracy = figures.accuracy
            return
        }
        let error = (figures.squaredError / Double(figures.rows)).squareRoot()
        let original = targetScaling?.originalDifference(error) ?? error
        guard original.isFinite else { return }
        rmse = original
        if spread.squares > 0 { r2 = 1 - original * original * Double(figures.rows) / spread.squares }
    }

    /// What classification adds for held-out parts. The confusion of more than 1,000 classes is not kept.
    mutating func add(_ figures: PartFigures, _ classes: ClassReport?) {
        top5Accuracy = figures.topFiveAccuracy
        confusion = classes?.confusion
        perClass = classes?.classes
    }

    /// For one line of text.
    var summary: String {
        var words = ["loss " + (loss.map { $0.formatted(digits: 4) } ?? "not finite")]
        if let accuracy { words.append("accuracy " + accuracy.formatted(digits: 4)) }
        if let top5Accuracy, confusion.map({ $0.count > 5 }) ?? true { words.append("top-5 " + top5Accuracy.formatted(digits: 4)) }
        if let rmse { words.append("rmse " + rmse.formatted(digits: 4)) }
        if let r2 { words.append("R² " + r2.formatted(digits: 4)) }
        return words.joined(separator: "  ")
    }
}
