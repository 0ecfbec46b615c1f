/// What is wrong with a CSV file, or with what the run file says about it.
public enum CSVFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// A place in the file: the line counted from 1, and what a person calls the column.
    public struct Cell: Equatable, Sendable {
        public let line: Int
        /// `column “age”`, or `column 3 (counted from 0)` without a header.
        public let column: String
    }

    /// What the run file names a column for.
    public enum Role: String, Sendable {
        case target
        case categorical
    }

    // The description of the file.
    case delimiter(Character)
    case unknownColumn(Role, name: String, nearest: String?)
    case nameWithoutHeader(Role, name: String)
    case columnNumber(Role, index: Int, count: Int)
    case targetIsCategorical(column: String)

    // The file as text.
    case noRows
    case noFeatures
    case repeatedName(String, first: Int, second: Int)
    case ragged(line: Int, fieldCount: Int, expected: Int)
    case unclosedQuote(Cell)
    case textAfterQuote(Cell)
    case tooManyRows(limit: Int)

    // Its values.
    case notANumber(Cell, text: String)
    case notFinite(Cell, text: String)
    case emptyLabel(Cell)
    case tooManyTexts(column: String, limit: Int)
    case tooManyFeatures(count: Int, rows: Int, limit: Int)

    // Against the training source.
    case unknownLabel(Cell, text: String, known: [String])
    case unknownCategory(Cell, text: String, known: [String])
    case columnCount(count: Int, training: Int)
    case otherColumn(number: Int, found: String, training: String)
    case otherKind(column: String, categoricalInTraining: Bool)

    // Rows to predict, against the model.
    case foreignColumn(String, nearest: String?, known: [String])
    case missingColumns([String])
    case predictionColumns(count: Int, expected: Int, target: Int?)

    /// Starts with `:line:` where there is one, so that it can follow the file's path.
    public var description: String {
        line.map { ":\($0): \(text)" } ?? ": \(text)"
    }

    private var line: Int? {
        switch self {
        case .ragged(let line, _, _): line
        case .unclosedQuote(let cell), .textAfterQuote(let cell), .notANumber(let cell, _), .notFinite(let cell, _), .emptyLabel(let cell),
            .unknownLabel(let cell, _, _), .unknownCategory(let cell, _, _):
            cell.line
        case .repeatedName, .foreignColumn, .missingColumns, .predictionColumns: 1
        default: nil
        }
    }

    private var text: String {
        switch self {
        case .delimiter(let character):
            "the delimiter \(quoted(String(character))) must be one ASCII character, neither a quote nor a line end"
        case .unknownColumn(let role, let name, let nearest):
            "there is no column \(quoted(name)), named as \(role.rawValue)" + (nearest.map { "; did you mean \(quoted($0))?" } ?? "")
        case .nameWithoutHeader(let role, let name):
            "`\(role.rawValue)` is the name \(quoted(name)), but `header: false` says that columns have no names: "
                + "give its number, counted from 0"
        case .columnNumber(let role, let index, let count):
            "`\(role.rawValue)` is column \(index), but columns are numbered 0 to \(count - 1)"
        case .targetIsCategorical(let column):
            "\(column) is both target and categorical; a target needs no `categorical`"
        case .noRows:
            "has no rows of data"
        case .noFeatures:
            "has no column beside the target: is the delimiter right?"
        case .repeatedName(let name, let first, let second):
            "columns \(first) and \(second) (counted from 0) are both named \(quoted(name)): every column needs a name of its own"
        case .ragged(_, let fieldCount, let expected):
            "has \(fieldCount) \(fieldCount == 1 ? "field" : "fields") where the first line has \(expected)"
        case .unclosedQuote(let cell):
            "\(cell.column): the quote that opens here is never closed"
        case .textAfterQuote(let cell):
            "\(cell.column): text follows a closing quote; a quote inside a quoted field is written twice"
        case .tooManyRows(let limit):
            "has more than \(limit) rows"
        case .notANumber(let cell, let text):
            "\(cell.column): "
                + (text.isEmpty ? "is empty where a number is needed" : "\(quoted(text)) is not a number")
                + "; a column of texts belongs into `categorical`"
        case .notFinite(let cell, let text):
            "\(cell.column): \(quoted(text)) is not a finite 32-bit number: data must be finite"
        case .emptyLabel(let cell):
            "\(cell.column): the label is empty"
        case .tooManyTexts(let column, let limit):
            "\(column) has more than \(limit) different texts: it holds no classes or categories"
        case .tooManyFeatures(let count, let rows, let limit):
            "\(rows) rows of \(count) features (categories are one each) are more than the \(limit) bytes that a table may have"
        case .unknownLabel(let cell, let text, let known):
            "\(cell.column): the label \(quoted(text)) does not occur in the training source; known are \(listed(known))"
        case .unknownCategory(let cell, let text, let known):
            "\(cell.column): the category \(quoted(text)) does not occur in the training source; known are \(listed(known))"
        case .columnCount(let count, let training):
            "has \(count) columns beside the target, the training source has \(training)"
        case .otherColumn(let number, let found, let training):
            "feature column \(number) (counted from 0, without the target) is \(quoted(found)), in the training source \(quoted(training)): "
                + "columns must be the same and in the same order"
        case .foreignColumn(let name, let nearest, let known):
            "the model knows no column \(quoted(name))" + (nearest.map { "; did you mean \(quoted($0))?" } ?? "")
                + "; the first line must name its columns, \(listed(known))"
        case .missingColumns(let names):
            "the model's column\(names.count == 1 ? "" : "s") \(listed(names)) \(names.count == 1 ? "is" : "are") missing"
        case .predictionColumns(let count, let expected, let target):
            "has \(count) \(count == 1 ? "column" : "columns"), the model takes \(expected)"
                + (target.map { ", or \(expected + 1) with its target as column \($0) (counted from 0)" } ?? "")
        case .otherKind(let column, let categoricalInTraining):
            "\(column) is \(categoricalInTraining ? "categorical" : "a number") in the training source, but not here"
        }
    }
}

/// A text from a file as an error shows it: short and on one line.
private func quoted(_ text: String) -> String {
    let shown = text.count > 60 ? text.prefix(60) + "…" : text[...]
    return "“" + shown.map { $0.isNewline || $0 == "\t" ? $0.debugDescription.dropFirst().dropLast() : "\($0)" }.joined() + "”"
}
