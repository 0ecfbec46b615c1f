/// Turns an IDX file of features and one of labels into a table.
enum IDXReader {
    /// Rows, then up to channels, height and width.
    static let featureDimensions = 1...4

    /// - Parameters:
    ///   - features, labels: the unpacked files.
    ///   - names: what error texts call the two files.
    ///   - classNames: those of the training source, where this is not it.
    static func table(
        labels: consuming [UInt8], features: consuming [UInt8], names: (features: String, labels: String), task: LearningTask,
        classNames: [String]? = nil
    ) throws(DataProblems) -> Table {
        var problems: [DatasetError] = []
        let rows = collect(into: &problems, of: names.features, features, featureDimensions)
        let targets = collect(into: &problems, of: names.labels, labels, 1...1)
        guard let rows, let targets else { throw DataProblems(problems: problems) }
        guard rows.rowCount == targets.rowCount else {
            throw DataProblems(problems: [
                .unequalCounts(features: names.features, rows: rows.rowCount, labels: names.labels, labelCount: targets.rowCount)
            ])
        }
        let shape = rowShape(rows.header.dimensions)
        let stored: Table.Features
        do throws(IDXFault) {
            stored = try Self.stored(rows)
        } catch {
            throw DataProblems(problems: [.idx(path: names.features, error)])
        }
        do throws(IDXFault) {
            let numbers = try Self.targets(targets, task: task, classNames: classNames)
            return Table(features: stored, targets: numbers, rowShape: shape)
        } catch {
            throw DataProblems(problems: [.idx(path: names.labels, error)])
        }
    }

    /// A features file by itself.
    static func rows(_ bytes: consuming [UInt8]) throws(IDXFault) -> FeatureRows {
        let array = try IDXArray(bytes, dimensions: featureDimensions)
        return FeatureRows(try stored(array), rowShape: rowShape(array.header.dimensions), rowCount: array.rowCount)
    }

    private static func stored(_ array: borrowing IDXArray) throws(IDXFault) -> Table.Features {
        array.header.element == .u8 ? .u8(array.body) : .f32(try array.floats())
    }

    /// `[n]` → `[1]`, `[n, d]` → `[d]`, `[n, h, w]` → `[1, h, w]`, `[n, c, h, w]` → `[c, h, w]`.
    static func rowShape(_ dimensions: [Int]) -> [Int] {
        switch dimensions.count {
        case 1: [1]
        case 3: [1] + dimensions.dropFirst()
        default: Array(dimensions.dropFirst())
        }
    }

    private static func collect(
        into problems: inout [DatasetError], of name: String, _ bytes: consuming [UInt8], _ dimensions: ClosedRange<Int>
    ) -> IDXArray? {
        do throws(IDXFault) {
            return try IDXArray(bytes, dimensions: dimensions)
        } catch {
            problems.append(.idx(path: name, error))
            return nil
        }
    }

    private static func targets(
        _ labels: borrowing IDXArray, task: LearningTask, classNames: [String]?
    ) throws(IDXFault) -> Table.Targets {
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
}
