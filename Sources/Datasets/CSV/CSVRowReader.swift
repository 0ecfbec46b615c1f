/// Reads the rows of a CSV file for a net that is trained already: its columns and categories are known.
///
/// With a header, columns are found by name, in any order; without, by place. The training target may be there and is passed over.
struct CSVRowReader {
    private enum Use {
        case skipped
        case number(at: Int)
        case categorical(at: Int, [String: Int32], names: [String])
    }

    private let scanner: CSVScanner
    private let names: [String]?
    private let uses: [Use]

    /// - Parameters:
    ///   - bytes: the unpacked file.
    ///   - encoding: of the training source; without columns, every column is a number.
    ///   - featureCount: values per row, a category counting one for each of its texts.
    static func rows(_ bytes: [UInt8], encoding: TableEncoding, featureCount: Int) throws(CSVFault) -> FeatureRows {
        var scanner = CSVScanner(bytes, delimiter: delimiter(bytes, trained: encoding.csv?.delimiter))
        var fields: [CSVScanner.Field] = []
        guard try scanner.row(into: &fields, nil) else { throw .noRows }
        let isHeader: Bool
        if let layout = encoding.csv {
            isHeader = layout.header
        } else {
            isHeader = fields.contains { if case .notANumber = scanner.number($0) { !$0.range.isEmpty } else { false } }
        }
        let names = isHeader ? fields.map { scanner.text($0) } : nil
        let uses = try Self.uses(names: names, count: fields.count, encoding: encoding, featureCount: featureCount)
        let reader = CSVRowReader(scanner: scanner, names: names, uses: uses)
        var features: [Float] = []
        var rowCount = 0
        var hasRow = try isHeader ? scanner.row(into: &fields, names) : true
        while hasRow {
            guard rowCount < DatasetLimits.rowCount else { throw .tooManyRows(limit: DatasetLimits.rowCount) }
            guard (rowCount + 1) * featureCount <= DatasetLimits.byteCount / MemoryLayout<Float>.size else {
                throw .tooManyFeatures(count: featureCount, rows: rowCount + 1, limit: DatasetLimits.byteCount)
            }
            features.append(contentsOf: repeatElement(0, count: featureCount))
            try reader.write(fields, into: &features, at: rowCount * featureCount)
            rowCount += 1
            hasRow = try scanner.row(into: &fields, names)
        }
        guard rowCount > 0 else { throw .noRows }
        return FeatureRows(.f32(features), rowShape: [featureCount], rowCount: rowCount)
    }

    private func write(_ fields: [CSVScanner.Field], into features: inout [Float], at start: Int) throws(CSVFault) {
        guard fields.count == uses.count else {
            throw .ragged(line: fields[0].line, fieldCount: fields.count, expected: uses.count)
        }
        for (column, use) in uses.enumerated() {
            let field = fields[column]
            func cell() -> CSVFault.Cell { CSVFault.Cell(line: field.line, column: CSVColumns.label(column, names)) }
            switch use {
            case .skipped: continue
            case .number(let place):
                switch scanner.number(field) {
                case .finite(let value): features[start + place] = value
                case .notFinite: throw .notFinite(cell(), text: scanner.text(field))
                case .notANumber: throw .notANumber(cell(), text: scanner.text(field))
                }
            case .categorical(let place, let indices, let names):
                let text = scanner.text(field)
                guard let index = indices[text] else { throw .unknownCategory(cell(), text: text, known: names) }
                features[start + place + Int(index)] = 1
            }
        }
    }

    /// What every column of the file is for.
    private static func uses(names: [String]?, count: Int, encoding: TableEncoding, featureCount: Int) throws(CSVFault) -> [Use] {
        let columns = encoding.columns ?? (0..<featureCount).map { _ in TableEncoding.Column(name: nil) }
        var place = 0
        var features: [Use] = []
        for column in columns {
            if let categories = column.categories {
                features.append(.categorical(at: place, classIndices(categories), names: categories))
            } else {
                features.append(.number(at: place))
            }
            place += column.categories?.count ?? 1
        }
        let known = columns.compactMap(\.name)
        if let names, known.count == columns.count, !known.isEmpty {
            let places = Dictionary(zip(known, features)) { first, _ in first }
            var seen: [String: Int] = [:]
            var uses: [Use] = []
            for (index, name) in names.enumerated() {
                if let first = seen.updateValue(index, forKey: name) { throw .repeatedName(name, first: first, second: index) }
                if let use = places[name] {
                    uses.append(use)
                } else if name == encoding.csv?.targetName {
                    uses.append(.skipped)
                } else {
                    throw .foreignColumn(name, nearest: nearestName(to: name, in: known), known: known)
                }
            }
            let missing = known.filter { seen[$0] == nil }
            guard missing.isEmpty else { throw .missingColumns(missing) }
            return uses
        }
        if count == features.count + 1, let target = encoding.csv?.targetIndex, target <= features.count {
            features.insert(.skipped, at: target)
        }
        guard count == features.count else {
            throw .predictionColumns(count: count, expected: columns.count, target: encoding.csv?.targetIndex)
        }
        return features
    }

    /// That of the training file, unless the first line has no such character but another usual one.
    private static func delimiter(_ bytes: [UInt8], trained: String?) -> UInt8 {
        let trained = trained?.utf8.first ?? UInt8(ascii: ",")
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        return [trained, UInt8(ascii: ","), UInt8(ascii: "\t"), UInt8(ascii: ";")].first { line.contains($0) } ?? trained
    }
}
