internal import Optimization

extension ParameterGroup {
    /// Reads `optimizer.groups`; nil, with problems reported, if it is no list. Options that are not written are those of `rule`.
    static func readList(_ s: Section, rule: RuleSpecification?) -> [ParameterGroup]? {
        guard let entry = s.entry("groups") else { return [] }
        guard case .list(let items) = entry.value.content else {
            s.report("groups", "must be a list of groups, got \(entry.value.summary)")
            return nil
        }
        let path = s.path.key("groups")
        let groups = items.enumerated().map { index, item in
            // What a group may hold depends on the rule; without one, whatever it says is left unread.
            rule.flatMap { rule in
                Section.read(item, at: path.index(index), item.place, s.diagnostics) { read($0, rule: rule) } ?? nil
            }
        }
        let whole = groups.compactMap { $0 }
        return whole.count == groups.count ? whole : nil
    }

    private static func read(_ s: Section, rule: RuleSpecification) -> ParameterGroup? {
        let match = s.required("match", .pattern)
        let own = rule.reading(s)
        var setsWeightDecay = false
        if case .adamw = rule { setsWeightDecay = s.entry("weight_decay") != nil }
        let l1 = s.given("l1", .number(.nonNegative))
        let l2 = s.given("l2", .number(.nonNegative))
        if case .adamw = rule, let l2, l2 != 0 { s.report("l2", decayBesideAdamW) }
        let maxNorm = s.given("max_norm", ValueKind.number(.positive).or("none")).map { $0.map(RowLimit.length) ?? RowLimit.none }
        let isFrozen = s.value("frozen", .flag, default: false)
        return match.map {
            ParameterGroup(
                match: $0, rule: own == rule ? nil : own, setsWeightDecay: setsWeightDecay, l1: l1, l2: l2, maxNorm: maxNorm,
                isFrozen: isFrozen)
        }
    }

    static let decayBesideAdamW = "adamw decays weights itself: use its weight_decay, or rule adam with l2"

    /// Options that the group has from the rule are left out, as are those that are as for everybody.
    func outline(rule base: RuleSpecification) -> Outline {
        var entries: [Outline.Entry] = [.init("match", .text(match), .bits)]
        let inherited = Dictionary(base.options.map { ($0.key, $0.value.flow) }) { first, _ in first }
        for option in (rule ?? base).options
        where option.value.flow != inherited[option.key] || option.key == "weight_decay" && setsWeightDecay {
            entries.append(option)
        }
        if let l1 { entries.append(.init("l1", .number(l1), .bits)) }
        if let l2 { entries.append(.init("l2", .number(l2), .bits)) }
        switch maxNorm {
        case .length(let length)?: entries.append(.init("max_norm", .number(length), .bits))
        case .some(.none): entries.append(.init("max_norm", .none, .bits))
        case nil: break
        }
        entries.append(.init("frozen", .flag(isFrozen), .bits))
        return .map(entries)
    }
}

extension Section {
    /// nil if the key is missing, or its value cannot be read, which is then reported.
    fileprivate func given<Value>(_ key: String, _ kind: ValueKind<Value>) -> Value? {
        entry(key) == nil ? nil : required(key, kind)
    }
}

extension ValueKind where Value == String {
    fileprivate static var pattern: Self {
        let words = "a pattern over parameter names such as \"layers.1.*\""
        let text = ValueKind.text(words)
        return ValueKind(words) { tree throws(Mismatch) in
            let pattern = try text.read(tree)
            guard !pattern.isEmpty else { throw .unexpected }
            guard GlobPattern(pattern) != nil else { throw .unexpected(hint: "a [ needs its ], and a range goes upwards") }
            return pattern
        }
    }
}
