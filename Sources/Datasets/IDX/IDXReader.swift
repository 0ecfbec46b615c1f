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
            stored = rows.header.element == .u8 ? .u8(rows.body) : .f32(try rows.floats())
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
        let numbers = labels.wholeNumbers()
        let distinct = Set(numbers)
        guard distinct.count <= DatasetLimits.distinctTexts else { throw .tooManyClasses(limit: DatasetLimits.distinctTexts) }
        let names = classNames ?? distinct.sorted().map { "\($0)" }
        let indices = classIndices(names)
        var classOf: [Int: Int32] = [:]
        for number in distinct { classOf[number] = indices["\(number)"] }
        var classes: [Int32] = []
        classes.reserveCapacity(numbers.count)
        for (row, number) in numbers.enumerated() {
            guard let index = classOf[number] else { throw .unknownLabel(row: row, label: "\(number)", known: names) }
            classes.append(index)
        }
        return .classes(classes, names: names)
    }
}
