/// Two runs side by side: which is better, and on which side of the recipe the difference lies.
public struct Comparison: Equatable, Sendable, Encodable {
    public var a: Diagnosis
    public var b: Diagnosis
    public var conclusion: String
    public var because: String

    public init(a: RunEvidence, b: RunEvidence) {
        self.a = Diagnosis(a)
        self.b = Diagnosis(b)
        let view = Contrast(first: (self.a, a), second: (self.b, b))
        (conclusion, because) = view.verdict
    }

    public var lines: [String] {
        func block(_ name: String, _ diagnosis: Diagnosis) -> [String] {
            diagnosis.lines.filter { !$0.hasPrefix("try ") }.map { "\(name)  \($0)" }
        }
        return block("a", a) + block("b", b) + [Diagnosis.row("conclusion", conclusion), Diagnosis.row("because", because)]
    }
}

private struct Contrast {
    typealias Run = (diagnosis: Diagnosis, evidence: RunEvidence)
    let first: Run
    let second: Run

    /// Differences below are noise or a matter of a few steps more.
    private static let difference = 0.01
    private static let lossRatio = 1.25

    var verdict: (conclusion: String, because: String) {
        let (a, b) = (first.diagnosis.basis, second.diagnosis.basis)
        guard a.metric == b.metric else {
            return ("no comparison: one run is a regression, the other a classification", "their figures mean different things")
        }
        let figures = "\(a.metric.rawValue) on training data is \(Words.figure(a.training)) for a and \(Words.figure(b.training)) for b"
        if let worse = worseInTraining {
            let name = worse == 0 ? "a" : "b"
            return ("\(name) is worse on training data: not trained well, not overfitting", figures + reasons(worse: worse))
        }
        let isEitherFitted = first.diagnosis.training == .fitted || second.diagnosis.training == .fitted
        guard isEitherFitted else { return ("neither fits its training data", figures + "; held-out figures say nothing before that") }
        guard let heldA = a.heldOut, let heldB = b.heldOut else {
            return ("both are equally good on training data", "\(figures); there are no held-out figures to compare")
        }
        let held = "; on held-out data it is \(Words.figure(heldA)) and \(Words.figure(heldB))"
        if abs(heldA - heldB) < Self.difference { return ("no difference that counts", figures + held) }
        let worse = heldA < heldB ? first.diagnosis : second.diagnosis
        let name = heldA < heldB ? "a" : "b"
        let kind = worse.heldOut == .overfitting ? ": overfitting" : ""
        return ("\(name) is worse on held-out data and as good on training data\(kind)", figures + held)
    }

    /// 0 or 1: which run is clearly worse on the data it was trained on.
    private var worseInTraining: Int? {
        let (a, b) = (first.diagnosis.basis, second.diagnosis.basis)
        guard let metricA = a.training, let metricB = b.training else {
            // Without figures a run has failed before it was looked at.
            if a.training == nil, b.training == nil { return nil }
            return a.training == nil ? 0 : 1
        }
        if abs(metricA - metricB) >= Self.difference { return metricA < metricB ? 0 : 1 }
        guard let lossA = a.trainingLoss, let lossB = b.trainingLoss, first.evidence.settings.loss == second.evidence.settings.loss,
            first.diagnosis.training == .notFitted || second.diagnosis.training == .notFitted
        else { return nil }
        if lossA > Self.lossRatio * lossB { return 0 }
        return lossB > Self.lossRatio * lossA ? 1 : nil
    }

    private func reasons(worse: Int) -> String {
        let (bad, good) = worse == 0 ? (first, second) : (second, first)
        let (badDepth, goodDepth) = (bad.evidence.settings.weightLayers.count, good.evidence.settings.weightLayers.count)
        var text = "; a net that overfits would be better there, not worse"
        if badDepth > goodDepth {
            text +=
                ", and \(badDepth) layers can do all that \(goodDepth) can: the other \(badDepth - goodDepth) could be the identity"
                + " (He et al. 2016)"
        }
        if let cause = bad.diagnosis.causes.first { text += "; its own figures say \(cause.id.rawValue): \(cause.because)" }
        return text
    }
}
