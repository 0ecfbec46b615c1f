internal import Foundation

/// What the rules look at: figures made comparable between runs, from the few that a run writes down.
///
/// A loss is told as a share of the best constant prediction's loss, so 1 means "has learned nothing" on any data. Figures of layers are
/// medians over the lines of the history, since each line knows one step only.
struct Signals {
    let evidence: RunEvidence
    var settings: RunSettings { evidence.settings }
    let basis: Diagnosis.Basis
    let isFitted: Bool
    let isNonFinite: Bool
    /// Of the best constant prediction; nil where it is not known.
    let trivialLoss: Double?
    /// The final training loss in inference mode.
    let lossShare: Double?
    /// Of the first step: before anything was learned.
    let firstShare: Double?
    /// The highest that the run has seen, of a step or in inference mode; infinite where steps began well and left the range of numbers.
    /// Squared errors of single batches hang on the outliers in them: for regression it is the highest mean of the steps between two lines.
    let highestLoss: Double?
    /// The training loss of every line.
    let losses: [Double]
    let weightLayers: [LayerTrace]
    let units: [UnitTrace]

    init(_ evidence: RunEvidence) {
        self.evidence = evidence
        let settings = evidence.settings
        let last = evidence.history.last { $0.train != nil }?.train
        let final = evidence.result?.train ?? last
        let isRegression = settings.isRegression || (final?.accuracy == nil && final?.r2 != nil)
        let held = HeldOutFigures(evidence, isRegression: isRegression)
        let bound = settings.ownFitted ?? settings.standardFitted
        let metric = isRegression ? final?.r2 : final?.accuracy

        let failed = evidence.result?.outcome == "failed" && evidence.result?.error?.contains("not finite") == true
        let isNonFinite =
            failed || evidence.history.contains { $0.train.map { $0.loss == nil } ?? false } || final.map { $0.loss == nil } ?? false
        self.isNonFinite = isNonFinite
        isFitted = !isNonFinite && (metric ?? -.infinity) >= bound
        let trivial = Self.trivialLoss(final ?? last, settings: settings)
        trivialLoss = trivial
        func share(_ loss: Double?) -> Double? {
            guard let loss, let trivial, trivial > 0 else { return nil }
            return loss / trivial
        }
        lossShare = share(final?.loss) ?? (isRegression ? final?.r2.map { 1 - $0 } : nil)
        basis = Diagnosis.Basis(
            metric: isRegression ? .r2 : .accuracy, training: metric, trainingLoss: final?.loss, lossShare: lossShare, bound: bound,
            isOwnBound: settings.ownFitted != nil, heldOut: held?.metric, heldOutRows: held?.rows)
        losses = evidence.history.compactMap { $0.train?.loss }
        firstShare = share(evidence.history.first?.trainingMode?.first)
        let steps = evidence.history.compactMap(\.trainingMode).compactMap { mode -> Double? in
            let highest = isRegression ? mode.mean : mode.highest
            return highest ?? (mode.first == nil ? nil : .infinity)
        }
        highestLoss = (steps + losses).max()
        weightLayers = LayerTrace.all(of: evidence)
        units = UnitTrace.all(of: evidence)
    }

    /// The entropy of the classes, where the run does not say it: of equally frequent ones.
    private static func trivialLoss(_ part: MeasuredPart?, settings: RunSettings) -> Double? {
        if let loss = part?.trivialLoss { return loss }
        switch settings.loss {
        case "softmax_cross_entropy": return settings.outputs.flatMap { $0 > 1 ? log(Double($0)) : nil }
        case "binary_cross_entropy": return log(2)
        // R² is one minus the loss over the trivial loss.
        case "mean_squared_error":
            guard let loss = part?.loss, let r2 = part?.r2, r2 < 1 else { return nil }
            return loss / (1 - r2)
        default: return nil
        }
    }

    // MARK: Training

    /// Whether training itself is in question: not fitted, or right by accuracy while the loss says that it knows nothing.
    var struggles: Bool { !isFitted || (lossShare ?? 0) >= 1 }

    /// How often the loss of a step was above where it began – or above the constant prediction, where it began lower.
    var blowUp: Double? {
        let beginnings = [evidence.history.first?.trainingMode?.first, trivialLoss].compactMap { $0 }
        guard let highest = highestLoss, let beginning = beginnings.max(), beginning > 0 else { return nil }
        return highest / beginning
    }

    /// How much wilder masks make a loss before anything is learned: inverted dropout gives every layer's outputs 1/(1−p) of the variance.
    var maskedScale: Double {
        settings.dropouts.compactMap(\.dropoutRate).reduce(1) { $0 / max(1 - $1, 0.05) }
    }

    /// The relative fall of the training loss from the second third of the lines to the last; nil for fewer than three.
    var fall: Double? {
        guard losses.count >= 3 else { return nil }
        let third = losses.count / 3
        func mean(_ part: ArraySlice<Double>) -> Double { part.reduce(0, +) / Double(part.count) }
        let (before, end) = (mean(losses.dropLast(third).suffix(third)), mean(losses.suffix(third)))
        return before > 0 ? (before - end) / before : 0
    }

    /// The rises of the training loss from line to line, together, as a share of the trivial loss.
    var bounce: Double? {
        guard losses.count >= 4, let trivialLoss, trivialLoss > 0 else { return nil }
        return zip(losses, losses.dropFirst()).reduce(0) { $0 + max(0, $1.1 - $1.0) } / trivialLoss
    }

    /// The largest ‖Δw‖/‖w‖ of any layer, each its median over the lines.
    var largestUpdate: (layer: String, ratio: Double)? {
        weightLayers.compactMap { trace in trace.update.map { (trace.name, $0) } }.max { $0.1 < $1.1 }
    }

    /// The largest ‖∂C/∂w‖/‖w‖ of any layer in any line.
    var largestPull: (layer: String, ratio: Double)? {
        weightLayers.compactMap { trace in trace.largestPull.map { (trace.name, $0) } }.max { $0.1 < $1.1 }
    }

    /// The share of the trivial loss that training has taken away.
    var progress: Double? { lossShare.map { 1 - $0 } }

    // MARK: Held-out data

    /// The rest of a metric on rows that were not trained on, pooled over validation and test.
    struct HeldOutFigures {
        var metric: Double
        var rows: Int

        init?(_ evidence: RunEvidence, isRegression: Bool) {
            let result = evidence.result
            var parts = [result?.validation, result?.test].compactMap { $0 }
            if parts.isEmpty { parts = [evidence.history.last { $0.validation != nil }?.validation].compactMap { $0 } }
            let figures = parts.compactMap { part in (isRegression ? part.r2 : part.accuracy).map { ($0, part.samples) } }
            rows = figures.reduce(0) { $0 + $1.1 }
            guard rows > 0 else { return nil }
            metric = figures.reduce(0) { $0 + $1.0 * Double($1.1) } / Double(rows)
        }
    }

    /// How much worse held-out rows are predicted than those trained on.
    var gap: Double? {
        guard let training = basis.training, let heldOut = basis.heldOut else { return nil }
        return training - heldOut
    }

    /// The gap less one standard error of an accuracy on so few rows.
    var sureGap: Double? {
        guard let gap, let heldOut = basis.heldOut, let rows = basis.heldOutRows else { return nil }
        guard basis.metric == .accuracy else { return gap }
        return gap - (max(0, heldOut * (1 - heldOut)) / Double(max(rows, 1))).squareRoot()
    }

    /// The final validation loss over the lowest of the run.
    var validationRise: Double? {
        let values = evidence.history.compactMap { $0.validation?.loss }
        guard let lowest = values.min(), lowest > 0, let final = evidence.result?.validation?.loss ?? values.last else { return nil }
        return final / lowest
    }

    var trainingRows: Int? { evidence.result?.train?.samples }
    /// Training rows for each class; for regression, all of them by ten: a line of ten bins.
    var rowsPerOutput: Double? {
        trainingRows.map { Double($0) / Double(basis.metric == .accuracy ? max(settings.outputs ?? 2, 2) : 10) }
    }

    var heldOut: Diagnosis.HeldOut {
        guard isFitted, gap != nil else { return .unknown }
        return Rule.isOverfitting(self) ? .overfitting : .good
    }

    // MARK: Where nothing is wrong but the end came too early

    func goOn() -> [Diagnosis.Change] {
        // More epochs don't help a run that took no step.
        guard let epochs = settings.epochs, (evidence.result?.steps).map({ $0 > 0 }) ?? !evidence.history.isEmpty else { return [] }
        let pace = fall.map { "the training loss fell by \(Words.percent($0)) over the last third of the run" }
        return [
            Diagnosis.Change(
                set: "training.epochs=\(epochs * 2)",
                because: "nothing is wrong with the training so far: \(pace ?? "the run is too short to judge"), so let it go on")
        ] + Remedy.scaling(self)
    }
}
