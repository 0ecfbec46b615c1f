/// The table of all that can be wrong with a run. A rule looks at figures only; those that can be another's consequence say whose.
extension Rule {
    static let all: [Rule] = [
        Rule(
            id: .nonFinite,
            source: "Goodfellow, Bengio & Courville, Deep Learning (2016), §4.1 and §10.11.1",
            yieldsTo: [],
            find: { s in
                guard s.isNonFinite else { return nil }
                let steps = s.evidence.result.map { Double($0.steps) }
                let place = s.evidence.result?.error.map { ": \($0.prefix { $0 != ";" })" } ?? ""
                return Finding(
                    1, ["steps": steps, "first_loss_share": s.firstShare, "highest_loss": s.highestLoss],
                    "the numbers left the range of floats" + place)
            },
            advise: { s, _ in Remedy.tame(s) }),

        Rule(
            id: .explodingGradient,
            source: "Pascanu, Mikolov & Bengio, On the difficulty of training recurrent neural networks (2013); He et al. 2015, §2.2",
            yieldsTo: [.overRegularised],
            find: { s in
                guard s.struggles || s.isNonFinite else { return nil }
                let pull = s.largestPull
                let isLost = s.isNonFinite || (s.lossShare ?? 1) >= Bounds.stillLost
                if let first = s.firstShare, first >= Bounds.wildStart * s.maskedScale, isLost,
                    s.isNonFinite || (pull?.ratio ?? 0) >= Bounds.strongPull
                {
                    return Finding(
                        0.97, layer: pull?.layer, ["first_loss_share": first, "gradient_over_weight": pull?.ratio],
                        "before a step was taken the loss was \(Words.figure(first)) times a constant prediction's, "
                            + "and gradients are as large as the weights: every layer makes its input larger")
                }
                if (s.blowUp ?? 0) < Bounds.blowUp, let pull, pull.ratio >= Bounds.wildPull * s.maskedScale, isLost {
                    return Finding(
                        0.97, layer: pull.layer, ["first_loss_share": s.firstShare, "gradient_over_weight": pull.ratio],
                        "the gradient is \(Words.figure(pull.ratio)) times as long as the weights it belongs to")
                }
                if let slope = GradientSlope(s.evidence), slope.strongest >= Bounds.exploding {
                    return Finding(
                        0.9, layer: slope.strongestLayer, ["gradient_over_last_layer": slope.strongest],
                        "gradients grow towards the input, to \(Words.figure(slope.strongest)) times the last layer's")
                }
                return nil
            },
            advise: { s, _ in Remedy.smallerStart(s) }),

        Rule(
            id: .learningRateTooHigh,
            source: "Bengio, Practical recommendations for gradient-based training of deep architectures (2012), §3.1.1",
            yieldsTo: [.explodingGradient],
            find: { s in
                let isLost = s.isNonFinite || (s.struggles && (s.lossShare ?? 1) >= Bounds.stillLost)
                if let blowUp = s.blowUp, blowUp >= (isLost ? Bounds.blowUp : Bounds.leap) * s.maskedScale {
                    let height = blowUp.isFinite ? "\(Words.figure(blowUp)) times what it was at the beginning" : "larger than any number"
                    return Finding(
                        isLost ? 0.95 : s.isFitted ? 0.6 : 0.91,
                        ["highest_over_first_loss": blowUp, "first_loss_share": s.firstShare, "learning_rate": s.settings.learningRate],
                        "steps made the loss \(height): they jump over what they look for"
                            + (isLost ? "" : ", and what was learned came later"))
                }
                guard s.struggles || s.isNonFinite, let update = s.largestUpdate else { return nil }
                let isBouncing =
                    (s.bounce ?? 0) >= Bounds.bounce && update.ratio >= Bounds.bouncingUpdate && (s.lossShare ?? 1) >= Bounds.bouncingLoss
                // A last layer alone above others that get nothing moves much beside small weights, and the loss stays where it is.
                let isIdle = (s.blowUp ?? 1) < Bounds.idle && (GradientSlope(s.evidence)?.typical ?? 1) < Bounds.vanishing
                guard isBouncing || update.ratio >= Bounds.hugeUpdate && !isIdle else { return nil }
                return Finding(
                    0.93, layer: update.layer,
                    ["update_ratio": update.ratio, "loss_rises": s.bounce, "learning_rate": s.settings.learningRate],
                    "a step changes weights by \(Words.percent(update.ratio)) of their size (0.1 % is usual)"
                        + (isBouncing ? ", and the training loss goes up as often as down" : ""))
            },
            advise: { s, _ in Remedy.lowerRate(s) }),

        Rule(
            id: .deadUnits,
            source: "Maas, Hannun & Ng, Rectifier nonlinearities improve neural network acoustic models (2013)",
            yieldsTo: [],
            find: { s in
                guard s.struggles, !s.isSymmetric else { return nil }
                let worst = s.units.filter { unit in
                    let bound = (unit.count ?? Bounds.fewUnits) < Bounds.fewUnits ? Bounds.deadShareOfFew : Bounds.deadShare
                    return (unit.dead ?? 0) >= bound
                }.max { ($0.dead ?? 0) < ($1.dead ?? 0) }
                if let worst, let dead = worst.dead {
                    return Finding(
                        0.6 + 0.3 * dead, layer: worst.name, ["dead": dead],
                        "\(Words.percent(dead)) of its units are 0 on every row of the sample: no gradient comes through them")
                }
                guard let blocked = s.blockedLayer else { return nil }
                return Finding(
                    0.9, layer: blocked, ["gradient_norm": 0],
                    "its gradient is exactly 0 while layers above it have one: rectifiers in between pass nothing on")
            },
            advise: { s, finding in Remedy.wake(s, finding.layer) }),

        Rule(
            id: .saturatedUnits,
            source: "Glorot & Bengio, Understanding the difficulty of training deep feedforward neural networks (2010), §3",
            yieldsTo: [],
            find: { s in
                guard s.struggles, let worst = s.units.max(by: { ($0.saturated ?? 0) < ($1.saturated ?? 0) }),
                    let saturated = worst.saturated, saturated >= Bounds.saturatedShare
                else { return nil }
                return Finding(
                    0.45 + 0.4 * saturated, layer: worst.name, ["saturated": saturated],
                    "\(Words.percent(saturated)) of its activations lie where the curve is flat, so a change of a weight changes nothing")
            },
            advise: { s, _ in Remedy.unsaturate(s) }),

        Rule(
            id: .vanishingGradient,
            source: "Hochreiter 1991; Bengio, Simard & Frasconi 1994; Glorot & Bengio 2010, §4.2",
            yieldsTo: [.deadUnits, .learningRateTooHigh, .overRegularised],
            find: { s in
                guard s.struggles, !s.isSymmetric, !s.isNonFinite, let slope = GradientSlope(s.evidence) else { return nil }
                let wasStuck =
                    slope.least < Bounds.vanishingOnce && (s.lossShare ?? 1) >= 1 - 2 * Bounds.stillLost / 3
                    || slope.least < Bounds.vanishingOnce && s.settings.layers.contains(where: \.isSquashing)
                guard slope.typical < Bounds.vanishing || wasStuck else { return nil }
                // Exactly nothing comes through rectifiers that are off; what is squashed only grows small.
                guard slope.typical > 0 || s.settings.layers.contains(where: \.isSquashing) else { return nil }
                let depth = max(0, min(1, -(max(slope.least, 1e-10).logarithm10) / 10))
                return Finding(
                    0.8 + 0.08 * depth, layer: slope.weakestLayer, ["gradient_over_last_layer": slope.typical, "least": slope.least],
                    "its gradient is \(Words.figure(slope.typical)) of the last layer's"
                        + (s.settings.layers.contains(where: \.isSquashing)
                            ? ": every squashing activation passes on a fraction of a change, so the first layers hardly learn"
                            : ": the first layers hardly learn"))
            },
            advise: { s, _ in Remedy.openGradient(s) }),

        Rule(
            id: .overRegularised,
            source: "Srivastava et al., Dropout (2014), §7.3; Goodfellow, Bengio & Courville (2016), §7.1",
            yieldsTo: [.explodingGradient],
            find: { s in
                if let finding = Remedy.dropoutFinding(s) { return finding }
                guard s.struggles, !s.isNonFinite else { return nil }
                return Remedy.penaltyFinding(s)
            },
            advise: { s, _ in Remedy.loosen(s) }),

        Rule(
            id: .learningRateTooLow,
            source: "Bengio 2012, §3.1.1; Karpathy, CS231n (ratio of updates to weights)",
            yieldsTo: [
                .nonFinite, .explodingGradient, .learningRateTooHigh, .deadUnits, .saturatedUnits, .vanishingGradient, .overRegularised,
            ],
            find: { s in
                guard !s.isFitted, !s.isSymmetric, let update = s.largestUpdate, update.ratio < Bounds.tinyUpdate else { return nil }
                // A net that has learned and then settled moves little because it has arrived.
                guard (s.progress ?? 0) < Bounds.stillLost || (s.fall ?? 1) >= Bounds.settled else { return nil }
                let isHopeless = s.settings.isAdaptive && update.ratio < Bounds.hopelessUpdate
                return Finding(
                    isHopeless ? 0.92 : 0.7,
                    ["update_ratio": update.ratio, "learning_rate": s.settings.learningRate, "loss_share": s.lossShare],
                    "no layer's weights change by more than \(Words.figure(update.ratio)) of their size in a step (0.001 is usual)")
            },
            advise: { s, _ in Remedy.raiseRate(s) }),

        Rule(
            id: .plateau,
            source: "Dauphin et al., Identifying and attacking the saddle point problem (2014); Goodfellow et al. 2016, §8.2",
            yieldsTo: Set(Diagnosis.CauseID.allCases).subtracting([.plateau]),
            find: { s in
                guard !s.isFitted, !s.isNonFinite else { return nil }
                if s.isSymmetric {
                    return Finding(
                        0.8, ["loss_share": s.lossShare],
                        "the units of a layer began as copies of each other and get the same gradient for ever: a saddle point")
                }
                guard let fall = s.fall, fall < Bounds.settled, !s.isTooSmall else { return nil }
                return Finding(
                    0.4, ["loss_fall": fall, "loss_share": s.lossShare],
                    "the training loss has settled at \(Words.figure(s.lossShare)) of a constant prediction's "
                        + "(\(Words.percent(fall)) lower over the last third of the run)")
            },
            advise: { s, _ in Remedy.leavePlateau(s) }),

        Rule(
            id: .tooSmallModel,
            source: "Goodfellow, Bengio & Courville (2016), §5.2",
            yieldsTo: Set(Diagnosis.CauseID.allCases).subtracting([.tooSmallModel]),
            find: { s in
                guard !s.isFitted, !s.isNonFinite, s.isTooSmall else { return nil }
                let narrowest = s.settings.hiddenLayers.compactMap(\.units).min()
                return Finding(
                    0.5,
                    [
                        "loss_share": s.lossShare, "loss_fall": s.fall, "narrowest_layer": narrowest.map(Double.init),
                        "parameters": s.evidence.result?.parameters.map(Double.init),
                    ],
                    "training works and comes to rest at \(Words.figure(s.lossShare)) of a constant prediction's loss, and the net "
                        + (narrowest.map { "is \($0) units wide at its narrowest" } ?? "has no hidden layer"))
            },
            advise: { s, _ in [Diagnosis.Change(set: s.settings.widened(), because: "a wider net can represent more")] }),

        Rule(
            id: .overfitting,
            source: "Prechelt, Early stopping – but when? (1998); Srivastava et al. 2014",
            yieldsTo: [],
            find: { s in
                guard s.isFitted, isOverfitting(s), let gap = s.gap else { return nil }
                return Finding(
                    0.9,
                    [
                        "training": s.basis.training, "held_out": s.basis.heldOut, "gap": gap,
                        "held_out_rows": s.basis.heldOutRows.map(Double.init),
                        "validation_loss_rise": s.validationRise,
                    ],
                    "\(s.basis.metric.rawValue) is \(Words.figure(s.basis.training)) on training data and \(Words.figure(s.basis.heldOut)) on "
                        + "\(s.basis.heldOutRows ?? 0) rows that it was not trained on")
            },
            advise: { s, _ in Remedy.restrain(s) }),

        Rule(
            id: .tooLittleData,
            source: "Goodfellow, Bengio & Courville (2016), §5.2 and §7.4; Banko & Brill 2001",
            yieldsTo: [],
            find: { s in
                guard s.isFitted, isOverfitting(s), let rows = s.trainingRows, let perOutput = s.rowsPerOutput else { return nil }
                let parameters = s.evidence.result?.parameters ?? 0
                guard perOutput <= Bounds.fewRowsPerOutput || s.settings.limit != nil, parameters > rows else { return nil }
                return Finding(
                    0.6, ["training_rows": Double(rows), "parameters": Double(parameters)],
                    "\(rows) training rows for \(parameters) parameters: the net can learn each by heart")
            },
            advise: { s, _ in
                guard s.settings.limit != nil else { return [] }
                return [Diagnosis.Change(set: "data.limit=none", because: "more rows are there: data.limit leaves them out")]
            }),
    ]

    /// Held-out rows are clearly worse than those trained on: a gap beyond noise, or a smaller one with a validation loss that rises again.
    static func isOverfitting(_ s: Signals) -> Bool {
        guard let gap = s.sureGap else { return false }
        guard s.basis.metric == .accuracy else { return gap >= Bounds.gapOfR2 }
        let (errors, errorsInTraining) = (1 - (s.basis.heldOut ?? 1), 1 - (s.basis.training ?? 1))
        let knowsByHeart = (s.rowsPerOutput ?? .infinity) <= Bounds.fewRowsPerOutput && errors >= Bounds.errorsByHeart * errorsInTraining
        if gap >= (knowsByHeart ? Bounds.gapOfFewRows : Bounds.gap) { return true }
        return gap >= Bounds.risingGap && (s.validationRise ?? 1) >= Bounds.validationRise
    }
}
