/// Turns a .npy file of features and one of labels into a table.
enum NPYReader {
    /// - Parameters:
    ///   - features, labels: the unpacked files.
    ///   - names: what error texts call the two files.
    ///   - classNames: those of the training source, where this is not it.
    static func table(
        labels: [UInt8], features: [UInt8], names: (features: String, labels: String), task: LearningTask,
        classNames: [String]? = nil
    ) throws(DataProblems) -> Table {
        var problems: [DatasetError] = []
        let rows = collect(into: &problems, names.features) { () throws(NPYFault) in try NPYReader.rows(features) }
        let targets = collect(into: &problems, names.labels) { () throws(NPYFault) in
            try NPYReader.targets(NPYArray(labels), task: task, classNames: classNames)
        }
        guard let rows, let targets else { throw DataProblems(problems: problems) }
        guard rows.rowCount == targets.count else {
            throw DataProblems(problems: [
                .unequalCounts(features: names.features, rows: rows.rowCount, labels: names.labels, labelCount: targets.count)
            ])
        }
        return Table(features: rows.features, targets: targets, rowShape: rows.rowShape)
    }

    /// A features file by itself.
    static func rows(_ bytes: [UInt8]) throws(NPYFault) -> FeatureRows {
        let array = try NPYArray(bytes)
        let dimensions = array.header.dimensions
        guard IDXReader.featureDimensions.contains(dimensions.count) else {
            throw .dimensions(dimensions, allowed: IDXReader.featureDimensions)
        }
        let stored: Table.Features = array.header.element == .u8 ? .u8(array.body) : .f32(try array.floats())
        return FeatureRows(stored, rowShape: IDXReader.rowShape(dimensions), rowCount: array.rowCount)
    }

    /// `[rows]`, or a column `[rows, 1]` as some data sets have it.
    private static func targets(
        _ labels: borrowing NPYArray, task: LearningTask, classNames: [String]?
    ) throws(NPYFault) -> Table.Targets {
        guard labels.header.dimensions.dropFirst() == [] || labels.header.dimensions.dropFirst() == [1] else {
            throw .labelDimensions(labels.header.dimensions)
        }
        guard task == .classification else { return .values(try labels.floats()) }
        guard labels.header.element.isWhole else { throw .fractionalLabels(labels.header.element) }
        do throws(NumberLabels.Fault) {
            return try NumberLabels.classes(labels.wholeNumbers(), names: classNames)
        } catch {
            switch error {
            case .unknown(let row, let label, let known): throw .unknownLabel(row: row, label: label, known: known)
            case .tooMany(let limit): throw .tooManyClasses(limit: limit)
            }
        }
    }

    private static func collect<Value>(
        into problems: inout [DatasetError], _ name: String, _ body: () throws(NPYFault) -> Value
    ) -> Value? {
        do throws(NPYFault) {
            return try body()
        } catch {
            problems.append(.npy(path: name, error))
            return nil
        }
    }
}

/// A checked .npy file: as many elements as its shape says, none of its dimensions empty.
struct NPYArray {
    let header: NPYHeader
    /// Little-endian, without the header.
    private(set) var body: [UInt8]

    var rowCount: Int { header.dimensions[0] }

    init(_ bytes: [UInt8]) throws(NPYFault) {
        let header = try NPYHeader(bytes)
        guard let expected = header.fileByteCount else { throw header.tooLarge }
        guard !header.dimensions.isEmpty else { throw .dimensions([], allowed: IDXReader.featureDimensions) }
        guard !header.dimensions.contains(0) else { throw .empty(dimensions: header.dimensions) }
        guard bytes.count >= expected else { throw .truncated(byteCount: bytes.count, expected: expected) }
        guard bytes.count == expected else { throw .trailingBytes(byteCount: bytes.count, expected: expected) }
        self.header = header
        body = Array(bytes[header.byteCount...])
    }

    /// The elements of a whole-number type.
    func wholeNumbers() -> [Int] {
        switch header.element {
        case .u8: body.map { Int($0) }
        case .i32: words().map { (bits: UInt32) in Int(Int32(bitPattern: bits)) }
        case .i64: words().map { (bits: UInt64) in Int(Int64(bitPattern: bits)) }
        case .f32, .f64: preconditionFailure("an array of floats has no whole numbers")
        }
    }

    /// The elements as floats, rounded to nearest where the type is wider.
    func floats() throws(NPYFault) -> [Float] {
        let floats: [Float] =
            switch header.element {
            case .f32: words().map { Float(bitPattern: $0) }
            case .f64: words().map { Float(Double(bitPattern: $0)) }
            default: wholeNumbers().map { Float($0) }
            }
        if let index = floats.firstIndex(where: { !$0.isFinite }) {
            let words: [UInt64] = header.element == .f64 ? self.words() : []
            let stored = words.isEmpty ? "\(floats[index])" : "\(Double(bitPattern: words[index]))"
            let perRow = floats.count / rowCount
            throw .notFinite(
                row: index / perRow, element: index % perRow, offset: header.byteCount + index * header.element.byteCount, value: stored)
        }
        return floats
    }

    private func words<Word: FixedWidthInteger & BitwiseCopyable>() -> [Word] {
        body.withUnsafeBytes { bytes in
            (0..<bytes.count / MemoryLayout<Word>.size).map {
                Word(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Word>.size, as: Word.self))
            }
        }
    }
}
