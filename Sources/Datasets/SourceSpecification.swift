/// Where rows come from: one entry under `data.train`, `data.validation` or `data.test`.
public enum SourceSpecification: Codable, Equatable, Sendable {
    /// A data set shipped in the package.
    case builtin(BuiltinDataset)
    /// MNIST's format, plain or gzip.
    case idx(features: String, labels: String)
    case csv(CSVSpecification)
    /// NumPy's format, C order.
    case npy(features: String, labels: String)
    /// The binary version of CIFAR-10; rows of all files, one behind the other. At least one.
    case cifar10(paths: [String])
    /// LIBSVM's sparse text, with so many features per row.
    case libsvm(path: String, features: Int)
}

public enum BuiltinDataset: String, Codable, Equatable, Sendable, CaseIterable {
    /// 1,797 images of 8×8 pixels, 0…16, ten classes.
    case digits
}

public struct CSVSpecification: Codable, Equatable, Sendable {
    public var path: String
    public var target: ColumnReference
    /// One ASCII character.
    public var delimiter: Character
    /// Whether the first line holds column names.
    public var header: Bool
    /// Columns that become one-hot, one feature per distinct text.
    public var categorical: [ColumnReference]

    public init(
        path: String, target: ColumnReference, delimiter: Character = ",", header: Bool = true, categorical: [ColumnReference] = []
    ) {
        self.path = path
        self.target = target
        self.delimiter = delimiter
        self.header = header
        self.categorical = categorical
    }

    private enum CodingKeys: String, CodingKey {
        case path, target, delimiter, header, categorical
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        path = try values.decode(String.self, forKey: .path)
        target = try values.decode(ColumnReference.self, forKey: .target)
        let delimiter = try values.decode(String.self, forKey: .delimiter)
        guard let character = delimiter.first, delimiter.count == 1 else {
            throw DecodingError.dataCorruptedError(
                forKey: .delimiter, in: values, debugDescription: "the delimiter “\(delimiter)” must be one character")
        }
        self.delimiter = character
        header = try values.decode(Bool.self, forKey: .header)
        categorical = try values.decode([ColumnReference].self, forKey: .categorical)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(path, forKey: .path)
        try values.encode(target, forKey: .target)
        try values.encode(String(delimiter), forKey: .delimiter)
        try values.encode(header, forKey: .header)
        try values.encode(categorical, forKey: .categorical)
    }
}

/// A column by its name in the header or by its number, counted from 0.
public enum ColumnReference: Codable, Equatable, Hashable, Sendable {
    case name(String)
    case index(Int)
}

public enum LearningTask: String, Codable, Equatable, Sendable, CaseIterable {
    case classification
    case regression
}

/// A part of the data that is held out: a share of the training source, a source of its own, or nothing.
public enum HeldOutSpecification: Codable, Equatable, Sendable {
    case none
    /// ⌊fraction·N + ½⌋ rows of the training source.
    case fraction(Double)
    case source(SourceSpecification)
}

public enum PreprocessingSpecification: Codable, Equatable, Sendable {
    case none
    /// Maps `low…high` to 0…1.
    case scale(low: Double, high: Double)
    /// Per feature: minus the mean, divided by the population standard deviation of the training rows; a constant feature divides by 1.
    case standardize
}

/// Everything under `data:`.
public struct DataSpecification: Codable, Equatable, Sendable {
    public var train: SourceSpecification
    public var validation: HeldOutSpecification
    public var test: HeldOutSpecification
    /// Only the first so many training rows after the seeded permutation.
    public var limit: Int?
    public var task: LearningTask
    /// The shape of a row, where the format does not say it.
    public var shape: [Int]?
    public var preprocessing: PreprocessingSpecification
    /// Regression only: targets are standardised for training; reports are in original units.
    public var targetStandardize: Bool
    /// Epochs after which training rows are dealt to the virtual shards anew.
    public var redealEvery: Int?

    public init(
        train: SourceSpecification, validation: HeldOutSpecification = .fraction(0.1), test: HeldOutSpecification = .none,
        limit: Int? = nil, task: LearningTask = .classification, shape: [Int]? = nil, preprocessing: PreprocessingSpecification = .none,
        targetStandardize: Bool = false, redealEvery: Int? = nil
    ) {
        self.train = train
        self.validation = validation
        self.test = test
        self.limit = limit
        self.task = task
        self.shape = shape
        self.preprocessing = preprocessing
        self.targetStandardize = targetStandardize
        self.redealEvery = redealEvery
    }
}
