/// Whole-number labels as classes, in numeric order.
enum NumberLabels {
    enum Fault: Error, Equatable {
        case unknown(row: Int, label: String, known: [String])
        case tooMany(limit: Int)
    }

    /// - Parameter names: the classes of the training source, where this is not it.
    static func classes(_ numbers: [Int], names: [String]? = nil) throws(Fault) -> Table.Targets {
        let distinct = Set(numbers)
        guard distinct.count <= DatasetLimits.distinctTexts else { throw .tooMany(limit: DatasetLimits.distinctTexts) }
        let names = names ?? distinct.sorted().map { "\($0)" }
        let indices = classIndices(names)
        var classOf: [Int: Int32] = [:]
        for number in distinct { classOf[number] = indices["\(number)"] }
        var classes: [Int32] = []
        classes.reserveCapacity(numbers.count)
        for (row, number) in numbers.enumerated() {
            guard let index = classOf[number] else { throw .unknown(row: row, label: "\(number)", known: names) }
            classes.append(index)
        }
        return .classes(classes, names: names)
    }
}
