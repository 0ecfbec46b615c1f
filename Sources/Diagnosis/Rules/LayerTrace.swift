/// A layer with weights over the lines of a run.
struct LayerTrace {
    let name: String
    /// Outputs, where the run file says them.
    let outputs: Int?
    /// Medians over the lines; nil where no line has a finite figure.
    let gradient: Double?
    let update: Double?
    /// ‖w‖ at the last line.
    let weight: Double?
    /// The largest ‖∂C/∂w‖/‖w‖ of any line.
    let largestPull: Double?

    /// ‖w‖ of a typical unit's incoming weights: about 1 when a net begins.
    var rowNorm: Double? {
        guard let weight, let outputs, outputs > 0 else { return nil }
        return weight / Double(outputs).squareRoot()
    }

    /// In the order of the net. Norms and slopes are left out: their gradients are of another size.
    static func all(of evidence: RunEvidence) -> [LayerTrace] {
        let lines = evidence.history.filter { !$0.layers.isEmpty }
        let names = lines.last?.layers.filter { $0.weightNorm != nil || $0.gradientNorm != nil }.map(\.name) ?? []
        return names.compactMap { name in
            let layer = evidence.settings.layers.first { $0.name == name }
            if let layer, !layer.hasWeights { return nil }
            let figures = lines.compactMap { line in line.layers.first { $0.name == name } }
            let pulls = figures.compactMap { figure -> Double? in
                guard let gradient = figure.gradientNorm, let weight = figure.weightNorm, weight > 0 else { return nil }
                return gradient / weight
            }
            return LayerTrace(
                name: name, outputs: layer?.units, gradient: figures.compactMap(\.gradientNorm).median,
                update: figures.compactMap(\.updateRatio).median, weight: figures.last?.weightNorm, largestPull: pulls.max())
        }
    }
}

/// An activation over the lines of a run.
struct UnitTrace {
    let name: String
    let kind: String?
    /// Of the layer that its units come from.
    let count: Int?
    /// At the last line that has them.
    let dead: Double?
    let saturated: Double?
    let pieceWins: [Double]?

    static func all(of evidence: RunEvidence) -> [UnitTrace] {
        let line = evidence.history.last { $0.layers.contains { $0.dead != nil || $0.saturated != nil || $0.pieceWins != nil } }
        return (line?.layers ?? []).filter { $0.dead != nil || $0.saturated != nil || $0.pieceWins != nil }.map { figures in
            UnitTrace(
                name: figures.name, kind: evidence.settings.layers.first { $0.name == figures.name }?.kind,
                count: evidence.settings.source(of: figures.name)?.units, dead: figures.dead, saturated: figures.saturated,
                pieceWins: figures.pieceWins)
        }
    }
}

/// How gradients of layers compare within each line.
struct GradientSlope {
    /// ‖∂C/∂w‖ of the weakest layer below the last over the last layer's, median over the lines.
    var typical: Double
    /// The same in the line where it was least.
    var least: Double
    /// The same of the strongest layer, median.
    var strongest: Double
    var weakestLayer: String
    var strongestLayer: String

    init?(_ evidence: RunEvidence) {
        let names = LayerTrace.all(of: evidence).map(\.name)
        guard names.count >= 3, let top = names.last else { return nil }
        var weak: [(ratio: Double, layer: String)] = []
        var strong: [(ratio: Double, layer: String)] = []
        for line in evidence.history {
            func norm(_ name: String) -> Double? { line.layers.first { $0.name == name }?.gradientNorm }
            guard let last = norm(top), last > 0 else { continue }
            let ratios = names.dropLast().compactMap { name in norm(name).map { (ratio: $0 / last, layer: name) } }
            if let weakest = ratios.min(by: { $0.ratio < $1.ratio }) { weak.append(weakest) }
            if let strongest = ratios.max(by: { $0.ratio < $1.ratio }) { strong.append(strongest) }
        }
        weak.sort { $0.ratio < $1.ratio }
        strong.sort { $0.ratio < $1.ratio }
        guard let least = weak.first else { return nil }
        let (typicalWeak, typicalStrong) = (weak[weak.count / 2], strong[strong.count / 2])
        typical = typicalWeak.ratio
        self.least = least.ratio
        weakestLayer = typicalWeak.layer
        strongest = typicalStrong.ratio
        strongestLayer = typicalStrong.layer
    }
}

extension [Double] {
    /// The upper one of two middle values; nil of none.
    var median: Double? { isEmpty ? nil : sorted()[count / 2] }
}
