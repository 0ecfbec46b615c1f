internal import Foundation

/// Changes of the run file, as `--set` takes them.
extension RunSettings {
    func setting(rateTo rate: Double) -> String {
        "optimizer.rule.\(rule).learning_rate=\(Self.short(rate))"
    }

    /// A number that a person would try: one digit.
    static func short(_ value: Double) -> String {
        String(format: "%.1g", value)
    }

    /// The net with `replacement` where it squashes, before the output.
    func replacingSquashingActivations(by replacement: String) -> String {
        layerList { $0.kind == replacement || !$0.isSquashing ? [$0.tree] : [.scalar(replacement, isQuoted: false)] }
    }

    /// The net with dropout behind every hidden activation.
    func addingDropout(rate: Double) -> String? {
        guard !hiddenLayers.isEmpty else { return nil }
        let dropout = YAMLTree.variant("dropout", ["rate": .scalar(Self.short(rate), isQuoted: false)])
        var remaining = hiddenLayers.count
        var isHidden = false
        return layerList { item in
            if item.hasWeights {
                isHidden = remaining > 0
                remaining -= 1
                return item.kind == "maxout" && isHidden ? [item.tree, dropout] : [item.tree]
            }
            return item.isActivation && isHidden ? [item.tree, dropout] : [item.tree]
        }
    }

    /// The net with wider hidden layers; one more where there is none.
    func widened() -> String {
        let outputs = outputs ?? 1
        let enough = max(64, 4 * outputs)
        guard !hiddenLayers.isEmpty else {
            let hidden = YAMLTree.variant("dense", ["units": .scalar("\(max(128, enough))", isQuoted: false)])
            return layerList { $0.hasWeights ? [hidden, .scalar("relu", isQuoted: false), $0.tree] : [$0.tree] }
        }
        var remaining = hiddenLayers.count
        return layerList { item in
            guard item.hasWeights else { return [item.tree] }
            remaining -= 1
            guard remaining >= 0, let units = item.units else { return [item.tree] }
            return [item.tree.replacing(units: "\(max(4 * units, enough))", of: item.kind)]
        }
    }

    // MARK: The list

    /// One entry of the list that is rewritten.
    struct Item {
        var tree: YAMLTree
        var kind: String { tree.variant.kind }
        var hasWeights: Bool { ["dense", "conv2d", "maxout"].contains(kind) }
        var isSquashing: Bool { ["sigmoid", "tanh", "hard_sigmoid"].contains(kind) }
        var isActivation: Bool {
            isSquashing || ["relu", "leaky_relu", "prelu", "elu", "selu", "gelu", "silu", "softplus"].contains(kind)
        }
        var units: Int? { tree.variant.options["units"]?.number.map { Int($0) } }
    }

    private func layerList(_ change: (Item) -> [YAMLTree]) -> String {
        func changed(_ items: [YAMLTree]) -> [YAMLTree] {
            items.flatMap { item -> [YAMLTree] in
                let (kind, options) = item.variant
                guard let inner = options["layers"] else { return change(Item(tree: item)) }
                return [.variant(kind, ["layers": .list(changed(inner.items))])]
            }
        }
        return "model.layers=" + YAMLTree.list(changed(tree["model"]?["layers"]?.items ?? []).map(\.withoutDefaults)).flow
    }
}

extension YAMLTree {
    static func variant(_ kind: String, _ options: KeyValuePairs<String, YAMLTree>) -> YAMLTree {
        .map([Entry(key: kind, value: .map(options.map { Entry(key: $0.key, value: $0.value) }))])
    }

    fileprivate func replacing(units: String, of kind: String) -> YAMLTree {
        let (kind, options) = variant
        guard case .map(let entries) = options else { return self }
        let changed = entries.map { $0.key == "units" ? Entry(key: "units", value: .scalar(units, isQuoted: false)) : $0 }
        return .map([Entry(key: kind, value: .map(changed))])
    }

    /// What nobody would write, left out: the effective run file spells out every option.
    fileprivate var withoutDefaults: YAMLTree {
        let (kind, options) = variant
        guard case .map(let entries) = options, !entries.isEmpty else { return self }
        let said = entries.filter { entry in
            let standard = ["name": "none", "bias": "true", "initializer": "none", "bias_initializer": "{constant: 0}"][entry.key]
            return standard == nil || entry.value.flow != standard
        }.map { Entry(key: $0.key, value: $0.key == "layers" ? .list($0.value.items.map(\.withoutDefaults)) : $0.value) }
        return said.isEmpty ? .scalar(kind, isQuoted: false) : .map([Entry(key: kind, value: .map(said))])
    }
}
