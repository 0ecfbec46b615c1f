/// One line of the table: what is looked for, who says so, what it looks like, what to do.
struct Rule: Sendable {
    let id: Diagnosis.CauseID
    /// The paper or text that the rule is from.
    let source: String
    /// Heavier causes that bring this one about, so that it is not said twice.
    let yieldsTo: Set<Diagnosis.CauseID>
    /// nil where the run does not show it.
    let find: @Sendable (Signals) -> Finding?
    let advise: @Sendable (Signals, Finding) -> [Diagnosis.Change]
}

/// What a rule has seen.
struct Finding: Sendable {
    /// 0…1: how near to the root, how sure.
    var weight: Double
    var layer: String?
    var evidence: [String: Double]
    var because: String

    /// - Parameter evidence: figures that do not exist are left out.
    init(_ weight: Double, layer: String? = nil, _ evidence: KeyValuePairs<String, Double?>, _ because: String) {
        self.weight = weight
        self.layer = layer
        self.evidence = [:]
        for (name, value) in evidence {
            if let value, value.isFinite { self.evidence[name] = value }
        }
        self.because = because
    }
}
