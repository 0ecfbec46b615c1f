internal import Exactness

/// Settings that do not go with the inexact modes. As written, so that a setting is refused whether or not anything else reads it.
struct InexactCompanions {
    let diagnostics: Diagnostics
    let tree: Tree

    func check(beside mode: TrainingMode?) {
        guard let mode, mode != .exact else { return }
        refuse("cluster.parameter_servers", beside: mode, unless: ["1"], "one server logs the order in which contributions are applied")
        refuse("cluster.wire", beside: mode, unless: ["f32"], "its replay computes with weights and gradients as they are")
        guard mode.isStale else { return }
        refuse(
            "cluster.transport", beside: mode, unless: ["auto", "messages"],
            "a worker may read weights long after they have been replaced, so they travel in messages")
    }

    private func refuse(_ path: SettingPath, beside mode: TrainingMode, unless allowed: [String], _ reason: String) {
        guard let entry = tree.entry(at: path), !allowed.contains(where: { entry.value.isPlainText($0) }) else { return }
        if diagnostics.hasProblem(atOrAbove: path) { return }
        diagnostics.report(
            at: path, "does not go with training.mode \(mode.keyword): \(reason); only \(allowed.joined(separator: ", ")) is allowed")
    }
}
