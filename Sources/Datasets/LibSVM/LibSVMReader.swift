/// Turns a file of LIBSVM's sparse text format (`label index:value …`, `#` starts a comment) into dense rows.
///
/// Features are numbered from 1, or from 0 if the index 0 occurs in the training source: scikit-learn writes both kinds.
/// - Source: LIBSVM's README; scikit-learn, `dump_svmlight_file`.
struct LibSVMReader {
    private typealias Place = LibSVMFault.Place

    private var scanner: LibSVMScanner
    private let labelled: LibSVMScanner.Labels
    private var labels: [LibSVMScanner.Token] = []
    /// Where each row's pairs start, and where the last one's end.
    private var starts: [Int] = [0]
    private var indices: [Int] = []
    private var values: [Float] = []
    private var firstZero: Place?
    private var largest: (index: Int, place: Place)?

    /// - Parameters:
    ///   - bytes: the unpacked file.
    ///   - featureCount: of every row.
    ///   - encoding: that of the training source, where this is not it.
    static func table(
        _ bytes: [UInt8], featureCount: Int, task: LearningTask, encoding: TableEncoding? = nil
    ) throws(LibSVMFault) -> (table: Table, encoding: TableEncoding) {
        var reader = LibSVMReader(scanner: LibSVMScanner(bytes), labelled: .required)
        try reader.read()
        let first = try reader.firstIndex(encoding, featureCount: featureCount)
        let features = try reader.dense(featureCount: featureCount, first: first)
        let targets = try reader.targets(task: task, classNames: encoding?.classNames)
        var described = TableEncoding(columns: nil, classNames: nil)
        if case .classes(_, let names) = targets { described.classNames = names }
        described.firstIndex = first
        return (Table(features: .f32(features), targets: targets, rowShape: [featureCount]), described)
    }

    /// The rows of a file with or without labels.
    static func rows(_ bytes: [UInt8], featureCount: Int, encoding: TableEncoding) throws(LibSVMFault) -> FeatureRows {
        var reader = LibSVMReader(scanner: LibSVMScanner(bytes), labelled: .optional)
        try reader.read()
        let first = try reader.firstIndex(encoding, featureCount: featureCount)
        let features = try reader.dense(featureCount: featureCount, first: first)
        return FeatureRows(.f32(features), rowShape: [featureCount], rowCount: reader.starts.count - 1)
    }

    private init(scanner: LibSVMScanner, labelled: LibSVMScanner.Labels) {
        self.scanner = scanner
        self.labelled = labelled
    }

    private mutating func read() throws(LibSVMFault) {
        while let token = scanner.nextRow() {
            guard starts.count <= DatasetLimits.rowCount else { throw .tooManyRows(limit: DatasetLimits.rowCount) }
            var pending = Optional(token)
            if scanner.isPair(token) {
                guard labelled == .optional else { throw .missingLabel(token.place, found: scanner.text(token)) }
            } else {
                labels.append(token)
                pending = scanner.nextToken()
            }
            var previous = -1
            while let token = pending {
                previous = try take(token, after: previous)
                pending = scanner.nextToken()
            }
            starts.append(indices.count)
        }
        guard starts.count > 1 else { throw .noRows }
    }

    private mutating func take(_ token: LibSVMScanner.Token, after previous: Int) throws(LibSVMFault) -> Int {
        let (index, value) = try scanner.pair(token)
        guard index > previous else { throw .descending(token.place, index: index, previous: previous) }
        if index == 0, firstZero == nil { firstZero = token.place }
        if index > largest?.index ?? -1 { largest = (index, token.place) }
        indices.append(index)
        values.append(value)
        return index
    }

    private func firstIndex(_ encoding: TableEncoding?, featureCount: Int) throws(LibSVMFault) -> Int {
        let first = encoding?.firstIndex ?? (firstZero == nil ? 1 : 0)
        if first == 1, let firstZero { throw .zeroIndex(firstZero) }
        if let largest, largest.index - first >= featureCount {
            throw .beyond(largest.place, index: largest.index, count: featureCount, first: first)
        }
        return first
    }

    private func dense(featureCount: Int, first: Int) throws(LibSVMFault) -> [Float] {
        let rows = starts.count - 1
        guard let size = checkedProduct([featureCount, rows, MemoryLayout<Float>.size]), size <= DatasetLimits.byteCount else {
            throw .tooManyFeatures(count: featureCount, rows: rows, limit: DatasetLimits.byteCount)
        }
        var features = [Float](repeating: 0, count: rows * featureCount)
        for row in 0..<rows {
            for at in starts[row]..<starts[row + 1] { features[row * featureCount + indices[at] - first] = values[at] }
        }
        return features
    }

    private func targets(task: LearningTask, classNames: [String]?) throws(LibSVMFault) -> Table.Targets {
        guard task == .classification else {
            var values: [Float] = []
            for token in labels {
                guard case .finite(let value) = scanner.number(token.range) else { throw .label(token.place, text: scanner.text(token)) }
                values.append(value)
            }
            return .values(values)
        }
        var texts = TextInterner()
        var classes: [Int32] = []
        for token in labels {
            guard let name = scanner.className(token) else { throw .label(token.place, text: scanner.text(token)) }
            guard let number = texts.number(of: name, line: token.place.line) else {
                throw .tooManyClasses(limit: DatasetLimits.distinctTexts)
            }
            classes.append(number)
        }
        let names = classNames ?? texts.sortedTexts
        switch texts.indices(in: names) {
        case .success(let indices): return .classes(classes.map { indices[Int($0)] }, names: names)
        case .failure(let unknown): throw .unknownLabel(line: unknown.line, label: unknown.text, known: names)
        }
    }
}
