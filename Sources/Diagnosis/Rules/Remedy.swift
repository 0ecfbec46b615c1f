internal import Foundation

/// What helps against what: changes of the run file, the nearest first.
enum Remedy {
    typealias Change = Diagnosis.Change

    static func tame(_ s: Signals) -> [Change] {
        let isAtOnce = (s.evidence.result?.steps ?? 1) == 0
        return (isAtOnce ? smallerStart(s) : lowerRate(s)) + clipping(s)
    }

    static func smallerStart(_ s: Signals) -> [Change] {
        let changes = scaling(s) + startingWeights(s)
        return changes + (changes.isEmpty ? lowerRate(s) : []) + clipping(s)
    }

    static func lowerRate(_ s: Signals) -> [Change] {
        guard let rate = s.settings.learningRate else { return [] }
        let usual = ["sgd": 0.1, "momentum": 0.01][s.settings.rule] ?? 1e-3
        return [Change(set: s.settings.setting(rateTo: min(rate / 10, usual)), because: "smaller steps stay in the valley")] + scaling(s)
    }

    static func raiseRate(_ s: Signals) -> [Change] {
        guard let rate = s.settings.learningRate, let update = s.largestUpdate else { return [] }
        let factor = update.ratio > 0 ? max(3, 1e-3 / update.ratio) : 10
        let highest = s.settings.isAdaptive ? 1e-2 : 1.0
        return [
            Change(
                set: s.settings.setting(rateTo: max(min(rate * factor, highest), rate * 2)),
                because: "brings the change of weights in a step near the usual 0.001 of their size")
        ]
    }

    static func wake(_ s: Signals, _ layer: String?) -> [Change] {
        var changes: [Change] = []
        if let layer, let source = s.settings.source(of: layer), let bias = source.biasStart, bias < 0 {
            changes.append(
                Change(
                    set: "\(source.path).\(source.kind).bias_initializer={constant: 0}",
                    because: "a bias of \(Words.figure(bias)) keeps its units at 0 from the start"))
        }
        let rectifiers = s.settings.layers.filter { $0.kind == "relu" }
        if let found = rectifiers.first(where: { $0.name == layer }) ?? rectifiers.first {
            changes.append(Change(set: "\(found.path)=leaky_relu", because: "its gradient is never 0, so units can come back"))
        }
        let isBiased = changes.contains { $0.set.contains("bias_initializer") }
        return isBiased ? changes : changes + lowerRate(s)
    }

    static func unsaturate(_ s: Signals) -> [Change] {
        scaling(s) + startingWeights(s) + replaceActivations(s, because: "rectifiers have no flat upper end")
    }

    static func openGradient(_ s: Signals) -> [Change] {
        let changes = replaceActivations(s, because: "a rectifier passes gradients of active units on whole") + startingWeights(s)
        return changes.isEmpty || !s.settings.isAdaptive ? changes + adapt(s) : changes
    }

    static func leavePlateau(_ s: Signals) -> [Change] {
        if s.isSymmetric { return startingWeights(s) }
        if !s.settings.isAdaptive { return adapt(s) }
        guard let rate = s.settings.learningRate else { return [] }
        return [Change(set: s.settings.setting(rateTo: rate * 3), because: "larger steps leave flat places sooner")]
            + replaceActivations(s, because: "another activation has other flat places")
    }

    static func loosen(_ s: Signals) -> [Change] {
        var changes: [Change] = []
        for dropout in s.settings.dropouts {
            guard let rate = dropout.dropoutRate, rate >= Bounds.someDropout else { continue }
            changes.append(
                Change(
                    set: "\(dropout.path).dropout.rate=\(rate >= Bounds.strongDropout ? "0.3" : "0")",
                    because: "fit the training data first; usual rates are 0.2 to 0.5"))
        }
        let penalties = [("l2", s.settings.l2), ("l1", s.settings.l1)].filter { $0.1 > 0 }
        for (key, value) in penalties where changes.isEmpty || value >= 1e-2 {
            changes.append(
                Change(set: "regularization.\(key)=\(RunSettings.short(value / 100))", because: "a weaker penalty lets the net fit first"))
        }
        if s.settings.weightDecay >= Bounds.strongWeightDecay {
            changes.append(
                Change(set: "optimizer.rule.\(s.settings.rule).weight_decay=0.01", because: "a weaker decay lets the net fit first"))
        }
        return changes
    }

    static func restrain(_ s: Signals) -> [Change] {
        var changes: [Change] = []
        if !s.settings.stopsEarly, s.settings.hasValidation {
            changes.append(
                Change(
                    set: "training.early_stopping={patience: 5}", because: "keeps the weights of the lowest validation loss"))
        }
        if s.settings.dropouts.isEmpty, let layers = s.settings.addingDropout(rate: 0.3) {
            changes.append(Change(set: layers, because: "with dropout units can't rely on single others"))
        }
        if s.settings.rule == "adamw" {
            changes.append(
                Change(
                    set: "optimizer.rule.adamw.weight_decay=\(RunSettings.short(max(s.settings.weightDecay, 0.01) * 5))",
                    because: "stronger decay gives smaller weights"))
        } else {
            let l2 = s.settings.l2 > 0 ? s.settings.l2 * 5 : 1e-4
            changes.append(Change(set: "regularization.l2=\(RunSettings.short(l2))", because: "smaller weights give a smoother function"))
        }
        return changes
    }

    // MARK: Parts

    static func scaling(_ s: Signals) -> [Change] {
        var changes: [Change] = []
        if !s.settings.hasPreprocessing {
            changes.append(
                Change(set: "data.preprocessing={standardize: true}", because: "features of order 1 keep activations and gradients there"))
        }
        if s.settings.isRegression, !s.settings.standardizesTargets {
            changes.append(Change(set: "data.target_standardize=true", because: "targets of order 1 give losses and gradients of order 1"))
        }
        return changes
    }

    private static func startingWeights(_ s: Signals) -> [Change] {
        var changes: [Change] = []
        if !["auto", "he_normal", "he_uniform", "xavier_normal", "xavier_uniform"].contains(s.settings.initializer) {
            changes.append(
                Change(set: "model.initializer=auto", because: "weights that fit the width of their layer keep signals as they are"))
        }
        for layer in s.settings.weightLayers {
            guard let own = layer.options["initializer"]?.flow, own != "none", own.hasPrefix("{") else { continue }
            changes.append(Change(set: "\(layer.path).\(layer.kind).initializer=none", because: "takes the model's initializer"))
        }
        return changes
    }

    private static func clipping(_ s: Signals) -> [Change] {
        s.settings.clips ? [] : [Change(set: "optimizer.clip={value: 1}", because: "bounds what a single step can do")]
    }

    private static func replaceActivations(_ s: Signals, because: String) -> [Change] {
        guard s.settings.layers.contains(where: \.isSquashing) else { return [] }
        var changes = [Change(set: s.settings.replacingSquashingActivations(by: "relu"), because: because)]
        if s.settings.initializer != "auto" {
            changes.append(Change(set: "model.initializer=auto", because: "chooses by the activation that follows"))
        }
        return changes
    }

    private static func adapt(_ s: Signals) -> [Change] {
        guard !s.settings.isAdaptive else { return [] }
        return [Change(set: "optimizer.rule={adam: {learning_rate: 0.001}}", because: "gives every weight a step of its own size")]
    }
}
