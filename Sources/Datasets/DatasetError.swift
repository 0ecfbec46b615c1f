/// Why data cannot be used; the text names the file and the place in it, what was found and what to do.
public enum DatasetError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A file cannot be opened or read.
    case unreadable(path: String, reason: String)
    /// A file is, or unpacks to, more than its header announces or a table may have.
    case tooLarge(path: String, limit: Int)
    case gzip(path: String, GzipFault)
    case idx(path: String, IDXFault)
    /// A features file and a labels file that do not belong together.
    case unequalCounts(features: String, rows: Int, labels: String, labelCount: Int)
    case csv(path: String, CSVFault)
    case npy(path: String, NPYFault)
    case cifar10(path: String, CIFAR10Fault)
    case libsvm(path: String, LibSVMFault)
    /// A held-out source has another number of features than the training source.
    case featureCount(part: String, count: Int, training: Int)
    /// Classification needs two classes to tell apart.
    case oneClass(name: String)
    /// `data.shape` does not fit the rows.
    case shape([Int], featureCount: Int)
    case split(SplitFault)
    case preprocessing(PreprocessingFault)
    /// A file of rows to predict could be in any format.
    case unknownFormat(path: String)
    /// Rows to predict have another width than the net.
    case inputWidth(path: String, width: Int, expected: Int)
    /// An evaluation needs rows that were not trained on.
    case nothingHeldOut
    /// The program was installed without the data that belongs to it.
    case builtinMissing(name: String, searched: [String])

    public var description: String {
        switch self {
        case .unreadable(let path, let reason):
            "\(path): cannot be read: \(reason)"
        case .tooLarge(let path, let limit):
            "\(path): is larger than \(limit) bytes, which is all that is expected or allowed of it"
        case .gzip(let path, let fault):
            "\(path): \(fault)"
        case .idx(let path, let fault):
            "\(path): \(fault)"
        case .unequalCounts(let features, let rows, let labels, let labelCount):
            "\(features) has \(rows) rows, but \(labels) has \(labelCount) labels: every row needs one label; "
                + "are both files of the same part?"
        case .csv(let path, let fault):
            "\(path)\(fault)"
        case .npy(let path, let fault):
            "\(path): \(fault)"
        case .cifar10(let path, let fault):
            "\(path): \(fault)"
        case .libsvm(let path, let fault):
            "\(path)\(fault)"
        case .unknownFormat(let path):
            "\(path): its format is not recognised by content or name; say which it is with --format "
                + PredictionFile.Format.allCases.map(\.rawValue).joined(separator: ", ")
        case .inputWidth(let path, let width, let expected):
            "\(path): has \(width) features per row, the net takes \(expected)"
        case .nothingHeldOut:
            "there are neither test nor validation rows: give data.test or data.validation, a source or {fraction: 0.2}"
        case .featureCount(let part, let count, let training):
            "the \(part) source has \(count) features per row, the training source \(training): they must be equal"
        case .oneClass(let name):
            "every training row has the label “\(name)”: classification needs at least two classes; is the target the right column?"
        case .shape(let shape, let featureCount):
            "data.shape \(shape) stands for \(Self.elementCount(shape)) values, but a row has \(featureCount) features"
        case .split(let fault):
            "\(fault)"
        case .preprocessing(let fault):
            "\(fault)"
        case .builtinMissing(let name, let searched):
            "the built-in data set “\(name)” is not installed; looked for it in \(searched.joined(separator: " and ")): "
                + "the folder of resources belongs beside the program"
        }
    }

    private static func elementCount(_ shape: [Int]) -> String {
        checkedProduct(shape).map { "\($0)" } ?? "too many"
    }
}

/// Everything found wrong with a data description at once.
public struct DataProblems: Error, Equatable, Sendable, CustomStringConvertible {
    /// Never empty.
    public let problems: [DatasetError]

    /// One line per problem.
    public var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}
