extension Diagnosis {
    /// For a person, a line each: the two answers, the causes, what to try.
    public var lines: [String] {
        var lines = [trainingLine, heldOutLine]
        for cause in causes {
            lines.append(Self.row("cause", cause.id.rawValue + (cause.layer.map { " (\($0))" } ?? "") + ": \(cause.because)"))
            if !cause.evidence.isEmpty {
                let figures = cause.evidence.sorted { $0.key < $1.key }.map { "\($0.key) \(Words.figure($0.value))" }
                lines.append(Self.row("", figures.joined(separator: ", ")))
            }
        }
        for change in next { lines.append(Self.row("try", "--set '\(change.set)'  (\(change.because))")) }
        return lines
    }

    private var trainingLine: String {
        let figure =
            basis.training.map { "\(basis.metric.rawValue) \(Words.figure($0)) on training data" }
            ?? "there are no figures on training data"
        let bound = "fitted from \(Words.figure(basis.bound))" + (basis.isOwnBound ? ", as diagnose.fitted says" : "")
        return Self.row("training", (training == .fitted ? "fitted" : "not fitted") + ": \(figure) (\(bound))")
    }

    private var heldOutLine: String {
        switch heldOut {
        case .unknown where training == .notFitted: return Self.row("held out", "unknown: first the training data must be fitted")
        case .unknown: return Self.row("held out", "unknown: there are no other rows to look at")
        case .good, .overfitting:
            let figure =
                "\(basis.metric.rawValue) \(Words.figure(basis.heldOut)) on \(basis.heldOutRows ?? 0) rows that it was not trained on"
            return Self.row("held out", (heldOut == .good ? "good: " : "overfitting: ") + figure)
        }
    }

    static func row(_ head: String, _ text: String) -> String {
        head + String(repeating: " ", count: max(1, 11 - head.count)) + text
    }
}
