extension SourceFiles {
    /// Reads one source.
    /// - Parameter encoding: that of the training source, where this is not it: class names and categories are then those.
    mutating func table(
        _ source: SourceSpecification, task: LearningTask, encoding: TableEncoding? = nil
    ) throws(DataProblems) -> (table: Table, encoding: TableEncoding) {
        switch source {
        case .idx(let features, let labels):
            return try idx(features: features, labels: labels, task: task, encoding: encoding)
        case .csv(let specification):
            let bytes = try single { files throws(DatasetError) in try files.contents(of: specification.path) }
            return try csv(bytes, specification, task: task, encoding: encoding)
        case .builtin(.digits):
            let path = try single { _ throws(DatasetError) in try BuiltinFile.path(of: .digits) }
            let bytes = try single { files throws(DatasetError) in try files.contents(of: path) }
            let read = try csv(bytes, CSVSpecification(path: path, target: .name("target")), task: task, encoding: encoding)
            return (read.table.asImages(of: [1, 8, 8]), read.encoding)
        }
    }

    private mutating func idx(
        features: String, labels: String, task: LearningTask, encoding: TableEncoding?
    ) throws(DataProblems) -> (table: Table, encoding: TableEncoding) {
        var problems: [DatasetError] = []
        var contents: [[UInt8]] = []
        for path in [features, labels] {
            do throws(DatasetError) {
                contents.append(try self.contents(of: path, announcedSize: IDXHeader.announcedSize(name: path)))
            } catch {
                problems.append(error)
            }
        }
        guard problems.isEmpty else { throw DataProblems(problems: problems) }
        let table = try IDXReader.table(
            labels: contents.removeLast(), features: contents.removeLast(), names: (features, labels), task: task,
            classNames: encoding?.classNames)
        var classNames: [String]?
        if case .classes(_, let names) = table.targets { classNames = names }
        return (table, TableEncoding(columns: nil, classNames: classNames))
    }

    private func csv(
        _ bytes: [UInt8], _ specification: CSVSpecification, task: LearningTask, encoding: TableEncoding?
    ) throws(DataProblems) -> (table: Table, encoding: TableEncoding) {
        do throws(CSVFault) {
            return try CSVReader.table(bytes, specification: specification, task: task, encoding: encoding)
        } catch {
            throw DataProblems(problems: [.csv(path: specification.path, error)])
        }
    }

    private mutating func single<Value>(
        _ body: (inout SourceFiles) throws(DatasetError) -> Value
    ) throws(DataProblems) -> Value {
        do throws(DatasetError) {
            return try body(&self)
        } catch {
            throw DataProblems(problems: [error])
        }
    }
}

extension Table {
    /// The same rows with another shape and, where every value is a whole number in 0…255, in bytes.
    fileprivate func asImages(of shape: [Int]) -> Table {
        guard case .f32(let floats) = features, checkedProduct(shape) == featureCount else { return self }
        let bytes = floats.compactMap { UInt8(exactly: $0) }
        return Table(features: bytes.count == floats.count ? .u8(bytes) : features, targets: targets, rowShape: shape)
    }

    /// Reads one source by itself, as for prediction.
    /// - Parameters:
    ///   - folder: where relative paths start.
    ///   - encoding: that of the training source: class names and categories are then those.
    public static func read(
        _ source: SourceSpecification, task: LearningTask, folder: String, encoding: TableEncoding? = nil
    ) throws(DataProblems) -> (table: Table, encoding: TableEncoding) {
        var files = SourceFiles(folder: folder)
        return try files.table(source, task: task, encoding: encoding)
    }
}
