internal import Datasets

extension RunConfiguration {
    /// Validates a tree. nil if anything is wrong, all of which is reported.
    static func read(_ tree: Tree, file: String, paths: PathContext, _ diagnostics: Diagnostics) -> RunConfiguration? {
        let sections = Section.read(tree, at: SettingPath(), tree.place, diagnostics) { s in
            let name = s.value("name", .folderName, default: standardName(of: file))
            let seed = s.value("seed", .unsigned64, default: 1)
            let data = s.section("data") { DataReading($0, paths) }
            let model = s.section("model") { ModelReading($0, paths) }
            let optimizer = s.section("optimizer", OptimizerSettings.read) ?? nil
            let penalties = s.section("regularization", OptimizerSettings.Penalties.init)
            let training = s.section("training", TrainingSettings.read)
            let cluster = s.section("cluster", ClusterSettings.read)
            let fittedFrom = s.section("diagnose") { s in
                s.value("fitted", .number(.positiveUpToOne), default: data?.task == .regression ? 0.8 : 0.9)
            }
            return (name, seed, data, model, optimizer, penalties, training, cluster, fittedFrom)
        }
        diagnostics.reportUnknownKeys()
        guard let (name, seed, data, model, optimizer, penalties, training, cluster, fittedFrom) = sections else { return nil }
        CrossChecks(
            diagnostics: diagnostics, data: data, model: model, optimizer: optimizer, penalties: penalties, training: training,
            cluster: cluster
        ).run()
        ClosureCompanions(diagnostics: diagnostics, tree: tree).check(beside: optimizer?.rule)
        InexactCompanions(diagnostics: diagnostics, tree: tree).check(beside: training?.mode)
        guard diagnostics.problems.isEmpty else { return nil }
        guard let data, let specification = data.specification, let model = model?.settings, var optimizer, let penalties, let training,
            let cluster, let fittedFrom
        else { preconditionFailure("a part of the configuration is missing without a problem") }
        optimizer.add(penalties)
        return RunConfiguration(
            name: name, seed: seed, data: specification, shipsData: data.ship, model: model, optimizer: optimizer, training: training,
            cluster: cluster, fittedFrom: fittedFrom, sourceMap: diagnostics.sourceMap)
    }

    /// The file's name without folder and suffix, where it can name a folder.
    private static func standardName(of file: String) -> String {
        let base = file.split(separator: "/").last ?? ""
        let stem = base.lastIndex(of: ".").map { base[..<$0] } ?? base
        return isFolderName(String(stem)) ? String(stem) : "run"
    }

    fileprivate static func isFolderName(_ name: String) -> Bool {
        let isPrintable = name.unicodeScalars.allSatisfy { $0 != "/" && $0.properties.generalCategory != .control }
        let isEdgeFree = name.first?.isWhitespace == false && name.last?.isWhitespace == false && name.first != "-"
        return isPrintable && isEdgeFree && name != "." && name != ".." && name.utf8.count <= Ranges.nameByteCount
    }
}

extension ValueKind where Value == String {
    fileprivate static var folderName: Self {
        let words = "a name that a folder can have"
        let text = ValueKind.text(words)
        return ValueKind(words) { tree throws(Mismatch) in
            let name = try text.read(tree)
            guard RunConfiguration.isFolderName(name) else {
                throw .unexpected(hint: "at most \(Ranges.nameByteCount) bytes, no /, no leading - and no space at its ends")
            }
            return name
        }
    }
}
