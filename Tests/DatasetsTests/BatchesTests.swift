import Testing

@testable import Datasets

@Suite struct BatchesTests {
    private static func data(
        validation: HeldOutSpecification = .none, task: LearningTask = .classification, in folder: TemporaryFolder
    ) throws -> PreparedData {
        let rows = (0..<10).map { "\($0),\($0 % 3)\n" }.joined()
        try folder.write(Array(("a,y\n" + rows).utf8), to: "f.csv")
        return try PreparedData(
            DataSpecification(
                train: .csv(CSVSpecification(path: "f.csv", target: .name("y"))), validation: validation, task: task,
                preprocessing: .scale(low: 0, high: 2)), seed: 4, folder: folder.path)
    }

    @Test func anEpochHasEveryRowOnceInAnOrderOfItsOwn() throws {
        let folder = try TemporaryFolder()
        let batches = try Self.data(in: folder).batches(.train, size: 4)
        let epochs = (0..<3).map { Array(batches.epoch($0)) }
        for epoch in epochs {
            #expect(epoch.map(\.count) == [4, 4, 2])
            #expect(epoch.flatMap(\.samples).sorted() == Array(0..<10))
            for batch in epoch {
                #expect(batch.features == batch.samples.map { Float($0) / 2 })
                #expect(batch.classes == batch.samples.map { Int($0 % 3) })
                #expect(batch.values.isEmpty)
            }
        }
        #expect(Set(epochs.map { $0.flatMap(\.samples) }).count == 3)
        #expect(Array(batches.epoch(1)) == epochs[1])
        #expect(Array(batches.inOrder) == Array(batches.inOrder))
        #expect(batches.rowCount == 10)
    }

    @Test func aRegressionHasValues() throws {
        let folder = try TemporaryFolder()
        for batch in try Self.data(task: .regression, in: folder).batches(.train, size: 3).epoch(0) {
            #expect(batch.values == batch.samples.map { Float($0 % 3) })
            #expect(batch.classes.isEmpty)
        }
    }

    @Test func heldOutRowsAreThereOrMissedByName() throws {
        let folder = try TemporaryFolder()
        let data = try Self.data(validation: .fraction(0.3), in: folder)
        #expect(try data.batches(.validation, size: 8).rowCount == 3)
        #expect(throws: BatchError.missing(.test)) { try data.batches(.test, size: 8) }
        #expect(throws: BatchError.size(0)) { try data.batches(.train, size: 0) }
        #expect(BatchError.missing(.test).description.hasPrefix("there are no test rows: give the data's description a test of its own"))
    }
}
