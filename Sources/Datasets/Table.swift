/// The rows of one source in memory, features in the type they were stored in.
public struct Table: Sendable, Equatable {
    /// Row-major, `rowCount` × `featureCount`.
    public enum Features: Sendable, Equatable {
        case u8([UInt8])
        case f32([Float])
    }

    /// One target per row.
    public enum Targets: Sendable, Equatable {
        /// Indices into `names`; numeric order if all names are numbers, else sorted text.
        case classes([Int32], names: [String])
        /// Regression, in original units.
        case values([Float])

        var count: Int {
            switch self {
            case .classes(let indices, _): indices.count
            case .values(let values): values.count
            }
        }
    }

    public let features: Features
    public let targets: Targets
    /// The shape of one row: `[1, 28, 28]` for grey images, `[n]` for CSV.
    public let rowShape: [Int]
    public let rowCount: Int
    public let featureCount: Int

    /// The counts must agree: readers check the file before they get here.
    init(features: Features, targets: Targets, rowShape: [Int]) {
        let featureCount = rowShape.reduce(1, *)
        let rowCount = targets.count
        let elementCount =
            switch features {
            case .u8(let bytes): bytes.count
            case .f32(let floats): floats.count
            }
        precondition(elementCount == rowCount * featureCount, "a table's features and targets must have the same number of rows")
        self.features = features
        self.targets = targets
        self.rowShape = rowShape
        self.rowCount = rowCount
        self.featureCount = featureCount
    }
}

/// What a source of its own for validation, test or prediction must share with the training source.
public struct TableEncoding: Codable, Equatable, Sendable {
    /// A feature column of a CSV file.
    public struct Column: Codable, Equatable, Sendable {
        /// Nil without a header line.
        public var name: String?
        /// The texts that became one-hot features, in their order; nil for a column of numbers.
        public var categories: [String]?

        public init(name: String?, categories: [String]? = nil) {
            self.name = name
            self.categories = categories
        }
    }

    /// How a CSV file is laid out, beside its feature columns.
    public struct CSVLayout: Codable, Equatable, Sendable {
        /// One ASCII character.
        public var delimiter: String
        public var header: Bool
        /// Nil without a header line.
        public var targetName: String?
        /// Counted from 0.
        public var targetIndex: Int
    }

    /// In file order, without the target; nil for formats without columns.
    public var columns: [Column]?
    /// Nil for other formats.
    public var csv: CSVLayout?
    /// The number of the first feature in LIBSVM's format, 0 or 1; nil for other formats.
    public var firstIndex: Int?
    /// Nil for regression.
    public var classNames: [String]?

    public init(columns: [Column]?, classNames: [String]?) {
        self.columns = columns
        self.classNames = classNames
    }

    /// A name per feature, `age` or `workclass=4`; nil where the format has none.
    public var featureNames: [String]? {
        columns?.enumerated().flatMap { number, column in
            let name = column.name ?? "column \(number)"
            return column.categories?.map { "\(name)=\($0)" } ?? [name]
        }
    }
}
