/// The figure that early stopping watches.
public enum MonitoredFigure: String, Codable, Equatable, Sendable, CaseIterable {
    case validationLoss = "validation_loss"
    case validationAccuracy = "validation_accuracy"
}

/// `training.early_stopping`; counts are in validations.
public struct EarlyStoppingPolicy: Codable, Equatable, Sendable {
    public var monitor: MonitoredFigure
    /// Validations without improvement after which the run stops.
    public var patience: Int
    /// What a figure must gain to count as an improvement.
    public var minimumDelta: Double
    /// Whether the final weights are the best ones.
    public var restoreBest: Bool
    /// Validations of earlier epochs are not looked at.
    public var startEpoch: Int
    /// The run stops as soon as the figure is at least as good as this.
    public var stopAt: Double?

    public init(
        monitor: MonitoredFigure = .validationLoss, patience: Int = 5, minimumDelta: Double = 0, restoreBest: Bool = true,
        startEpoch: Int = 1, stopAt: Double? = nil
    ) {
        self.monitor = monitor
        self.patience = patience
        self.minimumDelta = minimumDelta
        self.restoreBest = restoreBest
        self.startEpoch = startEpoch
        self.stopAt = stopAt
    }
}
