internal import Foundation

/// Signals of more than one figure.
extension Signals {
    /// Units began as copies of each other, and it shows: nothing was learned, or hardly.
    var isSymmetric: Bool { settings.startsSymmetric && !isFitted }

    /// The first layer whose gradient is exactly 0 in every line, below rectifiers and below a layer that has one. For histories without
    /// unit statistics.
    var blockedLayer: String? {
        guard !units.contains(where: { $0.dead != nil }), settings.layers.contains(where: \.isRectifier) else { return nil }
        guard let blocked = weightLayers.first(where: { $0.gradient == 0 }), weightLayers.last?.gradient ?? 0 > 0 else { return nil }
        return blocked.name
    }

    /// The net learns, comes to rest, and has little to represent anything with: no hidden layer, one narrower than there are classes, or
    /// fewer parameters than rows.
    var isTooSmall: Bool {
        guard let progress, progress >= Bounds.learned / 2, let fall else { return false }
        let hidden = settings.hiddenLayers.compactMap(\.units)
        let classes = max(settings.outputs ?? 1, 2)
        if let narrowest = hidden.min(), narrowest < (basis.metric == .accuracy && classes > 2 ? classes : 3) {
            return fall < Bounds.creeping
        }
        guard fall < Bounds.settled else { return false }
        if settings.hiddenLayers.isEmpty { return true }
        guard let parameters = evidence.result?.parameters, let rows = trainingRows else { return false }
        return parameters < rows
    }
}

extension Remedy {
    /// Dropout so strong that it shows: far beyond usual rates, or loss with masks far above the loss without.
    static func dropoutFinding(_ s: Signals) -> Finding? {
        let rate = s.settings.strongestDropout
        guard rate >= Bounds.someDropout else { return nil }
        let masked = s.evidence.history.last { $0.trainingMode?.mean != nil && $0.train?.loss != nil }
        let ratio = masked.flatMap { line -> Double? in
            guard let mean = line.trainingMode?.mean, let loss = line.train?.loss, loss > 0 else { return nil }
            return mean / loss
        }
        let layer = s.settings.dropouts.max { ($0.dropoutRate ?? 0) < ($1.dropoutRate ?? 0) }?.name
        let evidence: KeyValuePairs<String, Double?> = [
            "dropout": rate, "loss_with_masks_over_without": ratio, "loss_share": s.lossShare, "training": s.basis.training,
        ]
        if rate >= Bounds.strongDropout {
            // A net that fits nevertheless pays for it where its loss without masks is still far from the loss with them.
            let pays = s.isFitted ? (ratio ?? 1) >= Bounds.maskedLoss && (s.basis.training ?? 1) < 0.99 : true
            guard pays else { return nil }
            // Survivors are scaled by 1/(1−p), layer after layer: wild losses and numbers out of range are its doing first.
            return Finding(
                s.isFitted ? 0.5 : s.isNonFinite ? 0.98 : 0.96, layer: layer, evidence,
                "\(Words.percent(rate)) of units are dropped in every step, 20 to 50 % are usual"
                    + (ratio.map { "; with masks the loss is \(Words.figure($0)) times the loss without" } ?? ""))
        }
        // What is trained is the thinned net: while its loss hardly falls, the whole one creeps on.
        let bound = rate >= Bounds.manyDropped ? Bounds.maskedLossOfMany : Bounds.maskedLoss
        guard !s.isFitted, !s.isNonFinite, let ratio, ratio >= bound, let fall = s.fall, fall < Bounds.creeping else { return nil }
        return Finding(
            0.6, layer: layer, evidence,
            "with dropout's masks the loss is \(Words.figure(ratio)) times the loss without, and it hardly falls any more")
    }

    /// A penalty that weighs as much as the data.
    static func penaltyFinding(_ s: Signals) -> Finding? {
        let (l1, l2, decay) = (s.settings.l1, s.settings.l2, s.settings.weightDecay)
        guard l1 > 0 || l2 > 0 || decay > 0 else { return nil }
        let penalty = s.evidence.result?.penalty.flatMap { penalty in
            s.basis.trainingLoss.flatMap { $0 > 0 ? penalty / $0 : nil }
        }
        func length(_ norms: [Double?]) -> Double { norms.reduce(0) { $0 + ($1 ?? 0) * ($1 ?? 0) }.squareRoot() }
        let (weights, gradients) = (length(s.weightLayers.map(\.weight)), length(s.weightLayers.map(\.gradient)))
        let pull = gradients > 0 ? l2 * weights / gradients : nil
        let smallest = s.weightLayers.compactMap { trace in trace.rowNorm.map { (trace.name, $0) } }.min { $0.1 < $1.1 }
        let isCollapsed = (smallest?.1 ?? 1) < Bounds.collapsedRow && (l1 >= 1e-4 || l2 >= 1e-3 || decay >= Bounds.strongWeightDecay)
        let isHeavy = (penalty ?? 0) >= Bounds.penalty || (pull ?? 0) >= Bounds.decayPull || decay >= Bounds.strongWeightDecay
        guard isCollapsed || isHeavy else { return nil }
        return Finding(
            0.9, layer: isCollapsed ? smallest?.0 : nil,
            [
                "l1": l1 > 0 ? l1 : nil, "l2": l2 > 0 ? l2 : nil, "weight_decay": decay > 0 ? decay : nil, "penalty_over_loss": penalty,
                "decay_over_gradient": pull, "smallest_row_norm": smallest?.1,
            ],
            isCollapsed
                ? "decay has pulled its weights together, to \(Words.figure(smallest?.1)) for a unit (they begin near 1)"
                : "the penalty pulls at the weights as strongly as the data does")
    }
}

extension Double {
    var logarithm10: Double { Foundation.log10(self) }
}
