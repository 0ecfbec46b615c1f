/// What is wrong with a file of LIBSVM's format.
public enum LibSVMFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// Both counted from 1, the column in bytes.
    public struct Place: Equatable, Sendable {
        public let line: Int
        public let column: Int
    }

    case noRows
    case missingLabel(Place, found: String)
    case label(Place, text: String)
    case pair(Place, text: String)
    case queryID(Place)
    case index(Place, text: String)
    case descending(Place, index: Int, previous: Int)
    case value(Place, text: String)
    case notFinite(Place, text: String)
    /// Beyond what `features` announces; `first` is the number of the first feature in this file.
    case beyond(Place, index: Int, count: Int, first: Int)
    /// Features are numbered from 0 here and from 1 in the training source.
    case zeroIndex(Place)
    case unknownLabel(line: Int, label: String, known: [String])
    case tooManyClasses(limit: Int)
    case tooManyRows(limit: Int)
    case tooManyFeatures(count: Int, rows: Int, limit: Int)

    /// Starts with `:line:column:` where there is one, so that it can follow the file's path.
    public var description: String {
        switch self {
        case .unknownLabel(let line, _, _): ":\(line): \(text)"
        default: place.map { ":\($0.line):\($0.column): \(text)" } ?? ": \(text)"
        }
    }

    private var place: Place? {
        switch self {
        case .missingLabel(let place, _), .label(let place, _), .pair(let place, _), .queryID(let place), .index(let place, _),
            .descending(let place, _, _), .value(let place, _), .notFinite(let place, _), .beyond(let place, _, _, _),
            .zeroIndex(let place):
            place
        default: nil
        }
    }

    private var text: String {
        switch self {
        case .noRows:
            "has no rows of data"
        case .missingLabel(_, let found):
            "expected a label, found “\(found)”; a line is: label index:value index:value …"
        case .label(_, let text):
            "the label “\(text)” is not a finite number; a line is: label index:value index:value …"
        case .pair(_, let text):
            "expected index:value, found “\(text)”"
        case .queryID:
            "ranking data (qid:) cannot be used; remove the qid entries"
        case .index(_, let text):
            "the index “\(text)” is not a whole number from 0"
        case .descending(_, let index, let previous):
            "the index \(index) follows \(previous): indices must ascend within a line"
        case .value(_, let text):
            "the value “\(text)” is not a number"
        case .notFinite(_, let text):
            "the value “\(text)” is not a finite 32-bit number: data must be finite"
        case .beyond(_, let index, let count, let first):
            "the index \(index) is beyond the last of \(count) features, which this file numbers \(first) to \(first + count - 1)"
                + (first == 0 ? " (the index 0 occurs in it)" : "")
        case .zeroIndex:
            "the index 0 occurs here, but the training source numbers its features from 1: write both with the same numbering"
        case .unknownLabel(_, let label, let known):
            "the label \(label) does not occur in the training source; known are \(listed(known))"
        case .tooManyClasses(let limit):
            "has more than \(limit) different labels; is `task: regression` meant?"
        case .tooManyRows(let limit):
            "has more than \(limit) rows"
        case .tooManyFeatures(let count, let rows, let limit):
            "\(rows) rows of \(count) features are more than the \(limit) bytes that a table may have"
        }
    }
}
