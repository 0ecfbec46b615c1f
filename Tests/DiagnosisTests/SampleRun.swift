@testable import Diagnosis

/// A run as figures: a good one, of which a test changes what it is about.
struct SampleRun {
    /// Between layers of so many units; the last gives the classes.
    var widths = [64, 64, 10]
    var activation = "relu"
    /// Behind every hidden activation.
    var dropout = 0.0
    var rule = "{adam: {learning_rate: 0.001, betas: [0.9, 0.999], epsilon: 1e-8, amsgrad: false}}"
    var initializer = "auto"
    var bias = "{constant: 0}"
    var limit = "none"
    var l1 = 0.0
    var l2 = 0.0
    var earlyStopping = "none"
    var preprocessing = "{scale: [0, 16]}"
    var fitted = "0.9"

    /// The training loss of every line; 2.3 is what a constant prediction gives.
    var losses = [1.6, 0.9, 0.5, 0.3, 0.2, 0.15, 0.12, 0.1, 0.09]
    var firstLoss: Double? = 2.4
    /// Of any step; nil: the first one's.
    var highestLoss: Double?
    /// With masks, of the last line; nil: as without.
    var maskedLoss: Double?
    var accuracy: Double? = 0.99
    var heldOut: Double? = 0.97
    var heldOutRows = 540
    var trainingRows = 5_000
    /// Highest to lowest figures of layers, the same in every line.
    var gradients: [Double?] = [0.4, 0.4, 0.4]
    var weights: [Double?] = [11, 11, 5]
    var updates: [Double?] = [1e-3, 1e-3, 1e-3]
    var dead: Double?
    var saturated: Double?
    var validationLosses: [Double] = []
    var error: String?
    var penalty = 0.0

    /// The hidden layers' activations are at 2, 4 … behind `flatten`, their dense layers at 1, 3 …, with dropout at 1, 4 … and 2, 5 …
    private var stride: Int { dropout > 0 ? 3 : 2 }

    var yaml: String {
        var layers = ["flatten"]
        for (index, width) in widths.enumerated() {
            layers.append("{dense: {units: \(width), bias: true, initializer: none, bias_initializer: \(bias), name: none}}")
            if index < widths.count - 1 {
                layers.append(activation)
                if dropout > 0 { layers.append("{dropout: {rate: \(dropout), scaling: inverted, name: none}}") }
            }
        }
        return """
            name: "sample"
            data:
              train: {builtin: digits}
              validation: {fraction: 0.1}
              test: {fraction: 0.2}
              limit: \(limit)
              task: classification
              preprocessing: \(preprocessing)
            model:
              initializer: \(initializer)
              layers:
            \(layers.map { "    - \($0)\n" }.joined())
              loss: {softmax_cross_entropy: {label_smoothing: 0}}
            optimizer:
              rule: \(rule)
              clip: none
            regularization:
              l1: \(l1)
              l2: \(l2)
            training:
              batch_size: 64
              epochs: 20
              early_stopping: \(earlyStopping)
            diagnose:
              fitted: \(fitted)
            """
    }

    var history: [HistoryEntry] {
        var lines = losses.enumerated().map { index, loss in
            HistoryEntry(
                step: UInt64(20 * (index + 1)), epoch: index + 1,
                train: MeasuredPart(loss: loss, accuracy: accuracy, samples: 1_024, trivialLoss: 2.3),
                validation: validationLosses.indices.contains(index)
                    ? MeasuredPart(loss: validationLosses[index], accuracy: heldOut, samples: 180) : nil,
                trainingMode: TrainedLosses(
                    first: index == 0 ? firstLoss : loss, last: loss, mean: index == losses.count - 1 ? maskedLoss ?? loss : loss,
                    highest: index == 0 ? highestLoss ?? firstLoss : loss),
                layers: layers)
        }
        if error != nil {
            lines.append(
                HistoryEntry(
                    step: 3, epoch: 0, trainingMode: TrainedLosses(first: firstLoss, mean: firstLoss, highest: highestLoss ?? firstLoss),
                    layers: layers))
        }
        return lines
    }

    private var layers: [LayerFigures] {
        widths.indices.flatMap { index -> [LayerFigures] in
            let place = 1 + stride * index
            let dense = LayerFigures(
                name: "layers.\(place)", gradientNorm: gradients[index], weightNorm: weights[index], updateRatio: updates[index])
            guard index < widths.count - 1, dead != nil || saturated != nil else { return [dense] }
            return [dense, LayerFigures(name: "layers.\(place + 1)", dead: dead, saturated: saturated)]
        }
    }

    var evidence: RunEvidence {
        get throws {
            let final = error == nil ? losses.last : nil
            let result = RunOutcome(
                outcome: error == nil ? "completed" : "failed", error: error, steps: UInt64(20 * losses.count), parameters: 20_000,
                penalty: penalty,
                train: final.map { MeasuredPart(loss: $0, accuracy: accuracy, samples: trainingRows, trivialLoss: 2.3) },
                validation: error == nil
                    ? heldOut.map { MeasuredPart(loss: validationLosses.last, accuracy: $0, samples: heldOutRows / 3) } : nil,
                test: error == nil ? heldOut.map { MeasuredPart(accuracy: $0, samples: heldOutRows * 2 / 3) } : nil)
            return RunEvidence(history: history, result: result, settings: try RunSettings(yaml: yaml))
        }
    }

    var diagnosis: Diagnosis {
        get throws { Diagnosis(try evidence) }
    }

    /// The good run with a change.
    static func with(_ change: (inout SampleRun) -> Void) -> SampleRun {
        var run = SampleRun()
        change(&run)
        return run
    }

    /// A net that does not fit, for no reason of its own: the loss is still falling.
    static func unfitted(_ change: (inout SampleRun) -> Void) -> SampleRun {
        with {
            $0.losses = [2.2, 2.1, 2.0, 1.9, 1.8, 1.7, 1.6, 1.5, 1.4]
            $0.accuracy = 0.5
            $0.heldOut = 0.48
            change(&$0)
        }
    }

    /// One that has learned nothing.
    static func stuck(_ change: (inout SampleRun) -> Void) -> SampleRun {
        unfitted {
            $0.losses = Array(repeating: 2.3, count: 9)
            $0.accuracy = 0.11
            $0.heldOut = 0.1
            change(&$0)
        }
    }
}
