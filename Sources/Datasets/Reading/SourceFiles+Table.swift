extension SourceFiles {
    /// Reads one source.
    /// - Parameter encoding: that of the training source, where this is not it: class names and categories are then those.
    mutating func table(
        _ source: SourceSpecification, task: LearningTask, encoding: TableEncoding? = nil
    ) throws(DataProblems) -> (table: Table, encoding: TableEncoding) {
        switch source {
        case .idx(let features, let labels):
            let (features, labels, names) = try pair(features, labels, announcedSize: IDXHeader.announcedSize)
            let table = try IDXReader.table(
                labels: labels, features: features, names: names, task: task, classNames: encoding?.classNames)
            return (table, TableEncoding(columns: nil, classNames: table.classNames))
        case .npy(let features, let labels):
            let (features, labels, names) = try pair(features, labels, announcedSize: NPYHeader.announcedSize)
            let table = try NPYReader.table(
                labels: labels, features: features, names: names, task: task, classNames: encoding?.classNames)
            return (table, TableEncoding(columns: nil, classNames: table.classNames))
        case .cifar10(let paths):
            let table = try CIFAR10Reader.table(try all(paths), task: task, classNames: encoding?.classNames)
            return (table, TableEncoding(columns: nil, classNames: table.classNames))
        case .libsvm(let path, let featureCount):
            let bytes = try single { files throws(DatasetError) in try files.contents(of: path) }
            do throws(LibSVMFault) {
                return try LibSVMReader.table(bytes, featureCount: featureCount, task: task, encoding: encoding)
            } catch {
                throw DataProblems(problems: [.libsvm(path: path, error)])
            }
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

    /// A file of features and one of labels.
    private mutating func pair(
        _ features: String, _ labels: String, announcedSize: @escaping (String) -> AnnouncedSize
    ) throws(DataProblems) -> (features: [UInt8], labels: [UInt8], names: (features: String, labels: String)) {
        var contents = try all([features, labels], announcedSize: announcedSize).map(\.bytes)
        let last = contents.removeLast()
        return (contents.removeLast(), last, (features, labels))
    }

    /// Reads on after a problem, so that all are told.
    private mutating func all(
        _ paths: [String], announcedSize: ((String) -> AnnouncedSize)? = nil
    ) throws(DataProblems) -> [(name: String, bytes: [UInt8])] {
        var problems: [DatasetError] = []
        var contents: [(name: String, bytes: [UInt8])] = []
        var byteCount = 0
        for path in paths {
            do throws(DatasetError) {
                contents.append((path, try self.contents(of: path, announcedSize: announcedSize?(path))))
                byteCount += contents[contents.count - 1].bytes.count
                if byteCount > 2 * DatasetLimits.byteCount { throw .tooLarge(path: path, limit: 2 * DatasetLimits.byteCount) }
            } catch {
                problems.append(error)
            }
        }
        guard problems.isEmpty else { throw DataProblems(problems: problems) }
        return contents
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
    fileprivate var classNames: [String]? {
        if case .classes(_, let names) = targets { names } else { nil }
    }

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
