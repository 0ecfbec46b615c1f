public import Hashing

/// Everything under `data:`, read, checked, split and measured.
public struct PreparedData: Sendable {
    /// What split the rows, and orders them in batches.
    public let seed: UInt64
    public let train: DataPart
    /// Nil for `validation: none`.
    public let validation: DataPart?
    /// Nil without a test.
    public let test: DataPart?
    public let preprocessing: Preprocessing
    /// Regression with `target_standardize` only.
    public let targetScaling: TargetScaling?
    public let encoding: TableEncoding
    /// The shape of a row as the net sees it: `data.shape`, else what the format says.
    public let inputShape: [Int]
    /// Over the bytes of all files as they lie on disk, one behind the other: sources of train, validation, test (features before
    /// labels), then `alsoHashed`.
    public let dataSHA256: Digest
    /// The files of the sources, in the order in which they are read; empty unless they were asked for.
    public let files: [FileDigest]

    public var featureCount: Int { train.table.featureCount }
    /// Nil for regression.
    public var classNames: [String]? { encoding.classNames }

    /// Throws all problems that can be found independently of each other.
    /// - Parameters:
    ///   - folder: where relative paths start; empty for the current one.
    ///   - alsoHashed: further files that `dataSHA256` covers.
    ///   - listsFiles: whether every file is hashed by itself too.
    public init(
        _ specification: DataSpecification, seed: UInt64, folder: String, alsoHashed: [String] = [], listsFiles: Bool = false
    ) throws(DataProblems) {
        var reader = PartReader(specification, seed: seed, folder: folder, listsFiles: listsFiles)
        guard let parts = reader.read(alsoHashed: alsoHashed) else { throw DataProblems(problems: reader.problems) }
        let table = parts.train.table

        var problems: [DatasetError] = []
        let shape = specification.shape ?? table.rowShape
        if shape.contains(where: { $0 < 1 }) || checkedProduct(shape) != table.featureCount {
            problems.append(.shape(shape, featureCount: table.featureCount))
        }
        var (preprocessing, targetScaling): (Preprocessing?, TargetScaling?)
        do throws(DatasetError) {
            preprocessing = try Preprocessing(specification.preprocessing, table: table, rows: parts.train.rows)
        } catch {
            problems.append(error)
        }
        do throws(DatasetError) {
            targetScaling = try specification.targetStandardize ? Self.targetScaling(parts.train) : nil
        } catch {
            problems.append(error)
        }
        guard let preprocessing, problems.isEmpty else { throw DataProblems(problems: problems) }

        self.seed = seed
        train = parts.train
        validation = parts.validation
        test = parts.test
        self.preprocessing = preprocessing
        self.targetScaling = targetScaling
        encoding = parts.encoding
        inputShape = shape
        files = reader.digests
        dataSHA256 = reader.finalize()
    }

    private static func targetScaling(_ train: DataPart) throws(DatasetError) -> TargetScaling {
        guard case .values(let values) = train.table.targets else { throw .preprocessing(.targetOfClassification) }
        return try TargetScaling(values: values, rows: train.rows)
    }
}
