internal import Datasets

extension DataSpecification {
    func outline(ship: Bool) -> Outline {
        .map([
            .init("train", train.outline, .bits),
            .init("validation", validation.outline, .bits),
            .init("test", test.outline, .bits),
            .init("limit", limit.map(Outline.whole) ?? .none, .bits),
            .init("task", .word(task.rawValue), .bits),
            .init("shape", shape.map { .list($0.map(Outline.whole)) } ?? .none, .bits),
            .init("preprocessing", preprocessing.outline, .bits),
            .init("target_standardize", .flag(targetStandardize), .bits),
            .init("ship", .flag(ship)),
            .init("redeal_every", redealEvery.map(Outline.whole) ?? .none, .bits),
        ])
    }
}

extension SourceSpecification {
    /// Paths are free: the bytes behind them have a hash of their own.
    fileprivate var outline: Outline {
        switch self {
        case .builtin(let dataset): .single("builtin", .word(dataset.rawValue))
        case .idx(let features, let labels):
            .single("idx", .map([.init("features", .text(features)), .init("labels", .text(labels))]))
        case .npy(let features, let labels):
            .single("npy", .map([.init("features", .text(features)), .init("labels", .text(labels))]))
        case .cifar10(let paths): .single("cifar10", .map([.init("paths", .list(paths.map(Outline.text)))]))
        case .libsvm(let path, let features):
            .single("libsvm", .map([.init("path", .text(path)), .init("features", .whole(features), .bits)]))
        case .csv(let csv):
            .single(
                "csv",
                .map([
                    .init("path", .text(csv.path)),
                    .init("target", csv.target.outline, .bits),
                    .init("delimiter", .text(String(csv.delimiter)), .bits),
                    .init("header", .flag(csv.header), .bits),
                    .init("categorical", .list(csv.categorical.map(\.outline)), .bits),
                ]))
        }
    }
}

extension HeldOutSpecification {
    fileprivate var outline: Outline {
        switch self {
        case .none: .word("none")
        case .fraction(let fraction): .single("fraction", .number(fraction))
        case .source(let source): source.outline
        }
    }
}

extension PreprocessingSpecification {
    fileprivate var outline: Outline {
        switch self {
        case .none: .word("none")
        case .scale(let low, let high): .single("scale", .list([.number(low), .number(high)]))
        case .standardize: .single("standardize", .flag(true))
        }
    }
}

extension ColumnReference {
    fileprivate var outline: Outline {
        switch self {
        case .name(let name): .text(name)
        case .index(let index): .whole(index)
        }
    }
}
