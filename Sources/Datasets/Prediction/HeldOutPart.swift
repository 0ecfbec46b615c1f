/// The rows of a data description that a net is judged by.
public struct HeldOutPart: Sendable {
    public enum Name: String, Sendable {
        case test
        case validation
    }

    public let name: Name
    public let part: DataPart

    /// Reads the test rows, or where there are none the validation rows, and no file without them.
    /// - Parameters:
    ///   - folder: where relative paths start; empty for the current one.
    ///   - encoding: that of the net's training data: class names and categories are then those.
    public init(
        _ specification: DataSpecification, seed: UInt64, folder: String, encoding: TableEncoding
    ) throws(DataProblems) {
        let held = [(Name.test, specification.test), (.validation, specification.validation)]
        guard let (name, description) = held.first(where: { $0.1 != .none }) else { throw DataProblems(problems: [.nothingHeldOut]) }
        self.name = name
        switch description {
        case .source(let source):
            part = DataPart(whole: try Table.read(source, task: specification.task, folder: folder, encoding: encoding).table)
        case .fraction, .none:
            let table = try Table.read(specification.train, task: specification.task, folder: folder, encoding: encoding).table
            let split: Split
            do throws(DatasetError) {
                split = try Split(
                    rowCount: table.rowCount, validation: specification.validation.fraction, test: specification.test.fraction,
                    limit: specification.limit, seed: seed)
            } catch {
                throw DataProblems(problems: [error])
            }
            part = DataPart(table: table, rows: name == .test ? split.test : split.validation)
        }
    }
}
