internal import Datasets

/// `data` as far as it could be read.
struct DataReading {
    let train: SourceSpecification?
    let validation: HeldOutSpecification?
    let test: HeldOutSpecification?
    let limit: Int?
    let task: LearningTask
    let shape: [Int]?
    let preprocessing: PreprocessingSpecification?
    let targetStandardize: Bool
    let ship: Bool
    let redealEvery: Int?

    init(_ s: Section, _ paths: PathContext) {
        train = s.requiredVariant("train", SourceSpecification.variants(paths))
        validation = s.variant("validation", HeldOutSpecification.variants(paths), default: .fraction(0.1))
        test = s.variant("test", HeldOutSpecification.variants(paths), default: .none)
        limit = s.optional("limit", .whole(in: 1...Ranges.rows))
        task = s.value("task", .choice(Names()), default: LearningTask.classification)
        shape = s.optional("shape", .shape)
        preprocessing = s.variant("preprocessing", PreprocessingSpecification.variants, default: .none)
        targetStandardize = s.value("target_standardize", .flag, default: false)
        ship = s.value("ship", .flag, default: true)
        redealEvery = s.optional("redeal_every", .whole(in: 1...Ranges.epochs))
    }

    /// nil if a part could not be read.
    var specification: DataSpecification? {
        guard let train, let validation, let test, let preprocessing else { return nil }
        return DataSpecification(
            train: train, validation: validation, test: test, limit: limit, task: task, shape: shape, preprocessing: preprocessing,
            targetStandardize: targetStandardize, redealEvery: redealEvery)
    }
}

extension SourceSpecification {
    static func variants(_ paths: PathContext) -> Variants<SourceSpecification> {
        Names([
            "builtin": { $0.value(.choice(Names())).map(SourceSpecification.builtin) },
            "idx": { $0.options { readPair($0, paths) }.map { .idx(features: $0.features, labels: $0.labels) } },
            "csv": { $0.options { CSVSpecification.read($0, paths) }.map(SourceSpecification.csv) },
            "npy": { $0.options { readPair($0, paths) }.map { .npy(features: $0.features, labels: $0.labels) } },
            "cifar10": { $0.options { readCIFAR10($0, paths) } },
            "libsvm": { $0.options { readLibSVM($0, paths) } },
        ])
    }

    private static func readPair(_ s: Section, _ paths: PathContext) -> (features: String, labels: String)? {
        let features = s.required("features", paths.path)
        let labels = s.required("labels", paths.path)
        guard let features, let labels else { return nil }
        return (features, labels)
    }

    private static func readCIFAR10(_ s: Section, _ paths: PathContext) -> SourceSpecification? {
        s.required("paths", .list(of: paths.path, counts: 1...Ranges.files, "a list of paths")).map(SourceSpecification.cifar10)
    }

    private static func readLibSVM(_ s: Section, _ paths: PathContext) -> SourceSpecification? {
        let path = s.required("path", paths.path)
        let features = s.required("features", .whole(in: 1...Ranges.rowElements))
        guard let path, let features else { return nil }
        return .libsvm(path: path, features: features)
    }
}

extension CSVSpecification {
    fileprivate static func read(_ s: Section, _ paths: PathContext) -> CSVSpecification? {
        let path = s.required("path", paths.path)
        let target = s.required("target", .column)
        let isTabbed = [".tsv", ".tsv.gz"].contains { path?.lowercased().hasSuffix($0) ?? false }
        let delimiter = s.value("delimiter", .delimiter, default: isTabbed ? "\t" : ",")
        let header = s.value("header", .flag, default: true)
        let columns = ValueKind.list(of: .column, counts: 0...Ranges.columns, "a list of columns, each a name or a number from 0")
        let categorical = s.value("categorical", columns, default: [])
        if !header {
            let named = [("target", target.map { [$0] } ?? []), ("categorical", categorical)]
            for (key, columns) in named where columns.contains(where: \.isName) {
                s.report(key, "must be by number, counted from 0, since header is false")
            }
        }
        if let target, categorical.contains(target) { s.report("categorical", "contains the target; categorical columns are features") }
        if Set(categorical).count < categorical.count { s.report("categorical", "names a column twice") }
        guard let path, let target else { return nil }
        return CSVSpecification(path: path, target: target, delimiter: delimiter, header: header, categorical: categorical)
    }
}

extension HeldOutSpecification {
    static func variants(_ paths: PathContext) -> Variants<HeldOutSpecification> {
        let own: Variants<HeldOutSpecification> = Names([
            "fraction": { $0.value(.number(.properFraction)).map(HeldOutSpecification.fraction) },
            "none": { $0.plain(HeldOutSpecification.none) },
        ])
        let sources = SourceSpecification.variants(paths)
        let wrapped = sources.supported.map { source in
            (name: source.name, value: { @Sendable payload in source.value(payload).map(HeldOutSpecification.source) })
        }
        return Names(own.supported + wrapped)
    }
}

extension PreprocessingSpecification {
    static var variants: Variants<PreprocessingSpecification> {
        Names([
            "scale": { payload in
                let words = "two numbers [low, high], low < high"
                guard let range = payload.value(.list(of: .number(.any), counts: 2...2, words)) else { return nil }
                if range[0] < range[1] { return .scale(low: range[0], high: range[1]) }
                let written = range.map(Scalar.decimal).joined(separator: ", ")
                return payload.fail("must be \(words), got [\(written)]")
            },
            "standardize": { payload in
                guard let flag = payload.value(.flag) else { return nil }
                if flag { return .standardize }
                return payload.fail("must be true; to leave it out, write preprocessing: none")
            },
            "none": { $0.plain(PreprocessingSpecification.none) },
        ])
    }
}
