/// Turns a CSV file into a table.
struct CSVReader {
    private let scanner: CSVScanner
    private let columns: CSVColumns
    private let task: LearningTask
    /// Row-major, the number columns only.
    private var numbers: [Float] = []
    /// Row-major, the categorical columns only, by number of text.
    private var categories: [Int32] = []
    private var categoryTexts: [TextInterner]
    private var labels: [Int32] = []
    private var labelTexts = TextInterner()
    private var values: [Float] = []
    private var rowCount = 0

    /// - Parameters:
    ///   - bytes: the unpacked file.
    ///   - encoding: that of the training source, where this is not it.
    static func table(
        _ bytes: [UInt8], specification: CSVSpecification, task: LearningTask, encoding: TableEncoding? = nil
    ) throws(CSVFault) -> (table: Table, encoding: TableEncoding) {
        guard let delimiter = specification.delimiter.asciiValue, ![UInt8(ascii: "\""), 10, 13].contains(delimiter) else {
            throw .delimiter(specification.delimiter)
        }
        var scanner = CSVScanner(bytes, delimiter: delimiter)
        var fields: [CSVScanner.Field] = []
        guard try scanner.row(into: &fields, nil) else { throw .noRows }
        let names = specification.header ? fields.map { scanner.text($0) } : nil
        let columns = try CSVColumns(names: names, count: fields.count, specification: specification)
        if let training = encoding?.columns { try columns.check(against: training) }

        var reader = CSVReader(scanner: scanner, columns: columns, task: task)
        var hasRow = try specification.header ? scanner.row(into: &fields, names) : true
        while hasRow {
            try reader.take(fields)
            hasRow = try scanner.row(into: &fields, names)
        }
        guard reader.rowCount > 0 else { throw .noRows }
        return try reader.finish(encoding)
    }

    private init(scanner: CSVScanner, columns: CSVColumns, task: LearningTask) {
        self.scanner = scanner
        self.columns = columns
        self.task = task
        categoryTexts = Array(repeating: TextInterner(), count: columns.categoricalCount)
    }

    private mutating func take(_ fields: [CSVScanner.Field]) throws(CSVFault) {
        guard fields.count == columns.count else {
            throw .ragged(line: fields[0].line, fieldCount: fields.count, expected: columns.count)
        }
        guard rowCount < DatasetLimits.rowCount else { throw .tooManyRows(limit: DatasetLimits.rowCount) }
        for (column, use) in columns.uses.enumerated() {
            let field = fields[column]
            switch use {
            case .number:
                numbers.append(try number(field, column))
            case .categorical(let index):
                guard let text = categoryTexts[index].number(of: scanner.text(field), line: field.line) else {
                    throw .tooManyTexts(column: columns.label(column), limit: DatasetLimits.distinctTexts)
                }
                categories.append(text)
            case .target where task == .regression:
                values.append(try number(field, column))
            case .target:
                guard !field.range.isEmpty else { throw .emptyLabel(columns.cell(line: field.line, column: column)) }
                guard let label = labelTexts.number(of: scanner.text(field), line: field.line) else {
                    throw .tooManyTexts(column: columns.label(column), limit: DatasetLimits.distinctTexts)
                }
                labels.append(label)
            }
        }
        rowCount += 1
    }

    private func number(_ field: CSVScanner.Field, _ column: Int) throws(CSVFault) -> Float {
        switch scanner.number(field) {
        case .finite(let value): return value
        case .notFinite: throw .notFinite(columns.cell(line: field.line, column: column), text: scanner.text(field))
        case .notANumber: throw .notANumber(columns.cell(line: field.line, column: column), text: scanner.text(field))
        }
    }

    private consuming func finish(_ encoding: TableEncoding?) throws(CSVFault) -> (table: Table, encoding: TableEncoding) {
        let targets = try targets(classNames: encoding?.classNames)
        let described = describeFeatures(encoding?.columns)
        let width = described.reduce(0) { $0 + ($1.categories?.count ?? 1) }
        guard let size = checkedProduct([width, rowCount, MemoryLayout<Float>.size]), size <= DatasetLimits.byteCount else {
            throw .tooManyFeatures(count: width, rows: rowCount, limit: DatasetLimits.byteCount)
        }
        let features = categoryTexts.isEmpty ? numbers : try expanded(described, width: width)
        let table = Table(features: .f32(features), targets: targets, rowShape: [width])
        var classNames: [String]?
        if case .classes(_, let names) = targets { classNames = names }
        var encoding = TableEncoding(columns: described, classNames: classNames)
        encoding.csv = TableEncoding.CSVLayout(
            delimiter: String(UnicodeScalar(scanner.delimiter)), header: columns.names != nil,
            targetName: columns.names?[columns.target], targetIndex: columns.target)
        return (table, encoding)
    }

    private func targets(classNames: [String]?) throws(CSVFault) -> Table.Targets {
        guard task == .classification else { return .values(values) }
        let names = classNames ?? labelTexts.sortedTexts
        switch labelTexts.indices(in: names) {
        case .success(let indices):
            return .classes(labels.map { indices[Int($0)] }, names: names)
        case .failure(let unknown):
            throw .unknownLabel(columns.cell(line: unknown.line, column: columns.target), text: unknown.text, known: names)
        }
    }

    private func describeFeatures(_ training: [TableEncoding.Column]?) -> [TableEncoding.Column] {
        if let training { return training }
        return columns.uses.enumerated().compactMap { column, use in
            switch use {
            case .target: nil
            case .number: TableEncoding.Column(name: columns.names?[column])
            case .categorical(let index):
                TableEncoding.Column(name: columns.names?[column], categories: categoryTexts[index].sortedTexts)
            }
        }
    }

    /// The number columns with every categorical column in its place as one 1 among zeros.
    private func expanded(_ described: [TableEncoding.Column], width: Int) throws(CSVFault) -> [Float] {
        var places: [[Int32]] = []
        for (column, use) in columns.uses.enumerated() {
            guard case .categorical(let index) = use else { continue }
            let names = described[column < columns.target ? column : column - 1].categories ?? []
            switch categoryTexts[index].indices(in: names) {
            case .success(let indices): places.append(indices)
            case .failure(let unknown):
                throw .unknownCategory(columns.cell(line: unknown.line, column: column), text: unknown.text, known: names)
            }
        }
        var features = [Float](repeating: 0, count: rowCount * width)
        var (at, numberAt, categoryAt) = (0, 0, 0)
        for _ in 0..<rowCount {
            var categorical = 0
            for description in described {
                if let names = description.categories {
                    features[at + Int(places[categorical][Int(categories[categoryAt])])] = 1
                    (categorical, categoryAt, at) = (categorical + 1, categoryAt + 1, at + names.count)
                } else {
                    features[at] = numbers[numberAt]
                    (numberAt, at) = (numberAt + 1, at + 1)
                }
            }
        }
        return features
    }
}

extension CSVScanner {
    /// The next row, with a fault in its quotes told as a person sees it.
    mutating func row(into fields: inout [Field], _ names: [String]?) throws(CSVFault) -> Bool {
        func cell(_ line: Int, _ column: Int) -> CSVFault.Cell {
            CSVFault.Cell(line: line, column: CSVColumns.label(column, names))
        }
        do throws(Problem) {
            return try nextRow(&fields)
        } catch {
            switch error {
            case .unclosedQuote(let line, let column): throw .unclosedQuote(cell(line, column))
            case .textAfterQuote(let line, let column): throw .textAfterQuote(cell(line, column))
            }
        }
    }
}
