internal import NeuralNet

/// `model` as far as it could be read.
struct ModelReading {
    let layers: [LayerSpecification]?
    let loss: LossSpecification?
    let initializer: InitializerSpecification??
    let initializeFrom: String?

    init(_ s: Section, _ paths: PathContext) {
        initializer = s.variant("initializer", InitializerSpecification.variants(standard: "auto"), default: nil)
        initializeFrom = s.optional("initialize_from", paths.path)
        layers = Self.readLayers(s)
        loss = s.requiredVariant("loss", LossSpecification.variants)
    }

    /// nil if a part could not be read.
    var settings: ModelSettings? {
        guard let layers, let loss, let initializer else { return nil }
        return ModelSettings(layers: layers, loss: loss, initializer: initializer, initializeFrom: initializeFrom)
    }

    /// The list under `layers`, of the model or of a residual block.
    static func readLayers(_ s: Section) -> [LayerSpecification]? {
        let expectation = "a list of layers, each a name or {name: {options}}"
        guard let entry = s.entry("layers") else { return s.missing("layers", expectation) }
        guard case .list(let items) = entry.value.content, (1...Ranges.layers).contains(items.count) else {
            s.report("layers", "must be \(expectation), got \(entry.value.summary)")
            return nil
        }
        let path = s.path.key("layers")
        let layers = items.enumerated().map { index, item in
            LayerSpecification.variants.read(item, at: path.index(index), item.place, s.diagnostics)
        }
        var indexOfName: [String: Int] = [:]
        for (index, layer) in layers.enumerated() {
            guard let name = layer?.name else { continue }
            if let first = indexOfName[name] {
                s.diagnostics.report(at: path.index(index), "the name \(name) belongs to layer \(first) already; names are unique")
            }
            indexOfName[name] = indexOfName[name] ?? index
        }
        let read = layers.compactMap { $0 }
        return read.count == layers.count ? read : nil
    }
}
