internal import Hashing

/// Reads the sources of a data description in order and keeps going after a problem, so that all are told at once.
struct PartReader: ~Copyable {
    struct Parts {
        var train: DataPart
        var validation: DataPart?
        var test: DataPart?
        var encoding: TableEncoding
    }

    private let specification: DataSpecification
    private let seed: UInt64
    private var files: SourceFiles
    private(set) var problems: [DatasetError] = []

    init(_ specification: DataSpecification, seed: UInt64, folder: String, listsFiles: Bool) {
        self.specification = specification
        self.seed = seed
        files = SourceFiles(folder: folder, listsFiles: listsFiles)
    }

    /// Of the files read so far, if they are wanted.
    var digests: [FileDigest] { files.digests }

    /// Nil if there are problems.
    mutating func read(alsoHashed: [String]) -> Parts? {
        let training = table(specification.train, encoding: nil)
        let validation = heldOut(specification.validation, part: "validation", training: training)
        let test = heldOut(specification.test, part: "test", training: training)
        for path in alsoHashed { attempt { files throws(DatasetError) in try files.passOver(path) } }
        guard let training else { return nil }

        if case .classes(_, let names) = training.table.targets, names.count < 2 { problems.append(.oneClass(name: names[0])) }
        let split = attempt { [specification, seed] _ throws(DatasetError) in
            try Split(
                rowCount: training.table.rowCount, validation: specification.validation.fraction, test: specification.test.fraction,
                limit: specification.limit, seed: seed)
        }
        guard let split, problems.isEmpty else { return nil }
        func part(_ rows: [UInt32]) -> DataPart? { rows.isEmpty ? nil : DataPart(table: training.table, rows: rows) }
        return Parts(
            train: DataPart(table: training.table, rows: split.train), validation: validation ?? part(split.validation),
            test: test ?? part(split.test), encoding: training.encoding)
    }

    /// The digest over all files read.
    consuming func finalize() -> Digest {
        files.finalize()
    }

    /// Nil if it has no source of its own, or a problem.
    private mutating func heldOut(
        _ specification: HeldOutSpecification, part: String, training: (table: Table, encoding: TableEncoding)?
    ) -> DataPart? {
        guard case .source(let source) = specification, let read = table(source, encoding: training?.encoding) else { return nil }
        if let training, read.table.featureCount != training.table.featureCount {
            problems.append(
                .featureCount(part: part, count: read.table.featureCount, training: training.table.featureCount))
        }
        return DataPart(whole: read.table)
    }

    private mutating func table(_ source: SourceSpecification, encoding: TableEncoding?) -> (table: Table, encoding: TableEncoding)? {
        do throws(DataProblems) {
            return try files.table(source, task: specification.task, encoding: encoding)
        } catch {
            problems += error.problems
            return nil
        }
    }

    @discardableResult
    private mutating func attempt<Value>(_ body: (inout SourceFiles) throws(DatasetError) -> Value) -> Value? {
        do throws(DatasetError) {
            return try body(&files)
        } catch {
            problems.append(error)
            return nil
        }
    }
}

extension HeldOutSpecification {
    var fraction: Double? {
        if case .fraction(let fraction) = self { fraction } else { nil }
    }
}
