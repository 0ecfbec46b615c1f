import Testing

@testable import Datasets

@Suite struct HeldOutPartTests {
    private static let encoding = TableEncoding(columns: nil, classNames: (0..<10).map { "\($0)" })

    @Test(
        arguments: [
            (.fraction(0.1), .fraction(0.2), .test), (.fraction(0.1), .none, .validation),
        ] as [(HeldOutSpecification, HeldOutSpecification, HeldOutPart.Name)])
    func fractionsAreTheRowsThatARunHoldsOut(
        validation: HeldOutSpecification, test: HeldOutSpecification, name: HeldOutPart.Name
    ) throws {
        let specification = DataSpecification(train: .builtin(.digits), validation: validation, test: test)
        let prepared = try PreparedData(specification, seed: 5, folder: "")
        let held = try HeldOutPart(specification, seed: 5, folder: "", encoding: prepared.encoding)
        #expect(held.name == name)
        let expected = try #require(name == .test ? prepared.test : prepared.validation)
        #expect(held.part.rows == expected.rows)
        #expect(held.part.table == expected.table)
    }

    @Test func onlyTheSourceOfTheTestIsRead() throws {
        let folder = try TemporaryFolder()
        try folder.write("label,x\n3,1\n1,2\n", to: "test.csv")
        let specification = DataSpecification(
            train: .csv(CSVSpecification(path: "nowhere.csv", target: .index(0))),
            test: .source(.csv(CSVSpecification(path: "test.csv", target: .index(0)))))
        let held = try HeldOutPart(specification, seed: 1, folder: folder.path, encoding: Self.encoding)
        #expect(held.part.table.targets == .classes([3, 1], names: Self.encoding.classNames ?? []))
    }

    @Test func withoutHeldOutRowsThereIsNothingToMeasure() {
        let specification = DataSpecification(train: .builtin(.digits), validation: .none)
        #expect(throws: DataProblems(problems: [.nothingHeldOut])) {
            try HeldOutPart(specification, seed: 1, folder: "", encoding: Self.encoding)
        }
    }
}
