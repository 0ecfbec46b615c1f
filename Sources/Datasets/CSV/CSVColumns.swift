/// What each column of a CSV file is for.
struct CSVColumns {
    enum Use: Equatable {
        case target
        case number
        /// The n-th categorical column of the file.
        case categorical(Int)
    }

    let names: [String]?
    let uses: [Use]
    let target: Int

    var count: Int { uses.count }
    var numberCount: Int { uses.count { $0 == .number } }
    var categoricalCount: Int { count - numberCount - 1 }

    /// - Parameter names: the header; nil without one.
    init(names: [String]?, count: Int, specification: CSVSpecification) throws(CSVFault) {
        if let names, let (first, second) = Self.repeated(names) { throw .repeatedName(names[first], first: first, second: second) }
        guard count > 1 else { throw .noFeatures }
        func resolve(_ column: ColumnReference, _ role: CSVFault.Role) throws(CSVFault) -> Int {
            switch column {
            case .index(let index):
                guard (0..<count).contains(index) else { throw .columnNumber(role, index: index, count: count) }
                return index
            case .name(let name):
                guard let names else { throw .nameWithoutHeader(role, name: name) }
                guard let index = names.firstIndex(of: name) else {
                    throw .unknownColumn(role, name: name, nearest: nearestName(to: name, in: names))
                }
                return index
            }
        }
        self.names = names
        target = try resolve(specification.target, .target)
        var categorical: Set<Int> = []
        for column in specification.categorical { categorical.insert(try resolve(column, .categorical)) }
        if categorical.contains(target) { throw .targetIsCategorical(column: Self.label(target, names)) }
        var uses = [Use](repeating: .number, count: count)
        uses[target] = .target
        for (number, column) in categorical.sorted().enumerated() { uses[column] = .categorical(number) }
        self.uses = uses
    }

    /// What an error text calls a column.
    func label(_ column: Int) -> String { Self.label(column, names) }

    func cell(line: Int, column: Int) -> CSVFault.Cell {
        CSVFault.Cell(line: line, column: label(column))
    }

    static func label(_ column: Int, _ names: [String]?) -> String {
        names.flatMap { $0.indices.contains(column) ? "column “\($0[column])”" : nil } ?? "column \(column) (counted from 0)"
    }

    /// The feature columns must be the training source's, in its order.
    func check(against training: [TableEncoding.Column]) throws(CSVFault) {
        let features = uses.indices.filter { uses[$0] != .target }
        guard features.count == training.count else { throw .columnCount(count: features.count, training: training.count) }
        for (number, (column, expected)) in zip(features, training).enumerated() {
            if let name = names?[column], let wanted = expected.name, name != wanted {
                throw .otherColumn(number: number, found: name, training: wanted)
            }
            let isCategorical = uses[column] != .number
            guard isCategorical == (expected.categories != nil) else {
                throw .otherKind(column: label(column), categoricalInTraining: !isCategorical)
            }
        }
    }

    private static func repeated(_ names: [String]) -> (Int, Int)? {
        var seen: [String: Int] = [:]
        for (index, name) in names.enumerated() {
            if let first = seen.updateValue(index, forKey: name) { return (first, index) }
        }
        return nil
    }
}
