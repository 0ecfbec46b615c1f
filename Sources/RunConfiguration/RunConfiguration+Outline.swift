extension RunConfiguration {
    /// The whole configuration as a run file, all defaults written out, paths complete: reads back as an equal configuration from any folder.
    public var effectiveYAML: String { outline.block() }

    /// The keys that the resulting bits depend on, in the order of the run file, without paths.
    public var bitRelevantKeys: [BitRelevantKey] { outline.bitRelevantKeys(at: SettingPath(), .free) }

    /// The same as a text, a key per line: what `run_sha256` is taken over. Comments, order, spelling of numbers, defaults and paths do not show.
    public var bitRelevantCanonical: String {
        bitRelevantKeys.map { "\($0)\n" }.joined()
    }

    private var outline: Outline {
        .map([
            .init("name", .text(name)),
            .init("seed", .whole(seed), .bits),
            .init("data", data.outline(ship: shipsData), .bits),
            .init("model", model.outline, .bits),
            .init("optimizer", optimizer.outline, .bits),
            .init("regularization", optimizer.regularizationOutline, .bits),
            .init("training", training.outline),
            .init("cluster", cluster.outline),
            .init("diagnose", .map([.init("fitted", .number(fittedFrom))])),
        ])
    }
}
