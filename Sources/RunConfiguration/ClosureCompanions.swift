internal import Optimization

/// Settings that do not go with a rule that searches along a line, whatever their values.
///
/// They are looked up as they were written, so a setting is refused here whether or not anything else reads it.
struct ClosureCompanions {
    let diagnostics: Diagnostics
    let tree: Tree

    private struct Companion {
        let path: SettingPath
        /// The value that changes nothing.
        let neutral: String
        let reason: String
    }

    private static let scaledBack = "weights that are scaled back leave the line it searches"

    private static let companions = [
        Companion(path: "optimizer.schedule", neutral: "constant", reason: "its search finds the length of every step"),
        Companion(path: "optimizer.warmup_steps", neutral: "0", reason: "its search finds the length of every step"),
        Companion(path: "optimizer.clip", neutral: "none", reason: "its search needs the gradient of the loss as it is"),
        Companion(path: "regularization.max_norm", neutral: "none", reason: scaledBack),
        Companion(path: "training.non_finite", neutral: "stop", reason: "a step that is left out would come again as it was"),
        Companion(path: "training.mode", neutral: "exact", reason: "its search compares losses, which must be of one function"),
    ]

    func check(beside rule: RuleSpecification?) {
        guard let rule, rule.isClosureRule else { return }
        for companion in Self.companions {
            guard let entry = tree.entry(at: companion.path), !entry.value.isPlainText(companion.neutral) else { continue }
            refuse(companion.path, rule, "\(companion.reason); only \(companion.neutral) is allowed")
        }
        guard case .list(let groups) = tree.entry(at: "optimizer.groups")?.value.content else { return }
        let path: SettingPath = "optimizer.groups"
        for (index, group) in groups.enumerated() {
            guard let entry = group.entry(at: "max_norm"), !entry.value.isPlainText("none") else { continue }
            refuse(path.index(index).key("max_norm"), rule, "\(Self.scaledBack); only none is allowed")
        }
    }

    private func refuse(_ path: SettingPath, _ rule: RuleSpecification, _ reason: String) {
        if diagnostics.hasProblem(atOrAbove: path) { return }
        diagnostics.report(at: path, "does not go with rule \(rule.keyword): \(reason)")
    }
}

extension Tree {
    /// What was written at a path of keys.
    func entry(at path: SettingPath) -> Entry? {
        var below = self
        var found: Entry?
        for step in path.steps {
            guard case .key(let name) = step, case .map(let entries) = below.content, let entry = entries.first(where: { $0.key == name })
            else { return nil }
            (found, below) = (entry, entry.value)
        }
        return found
    }
}
