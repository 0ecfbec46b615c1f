import Testing

@testable import Datasets

/// Every format through the door that a run uses.
@Suite struct SourceFormatsTests {
    private func prepared(
        _ train: SourceSpecification, test: HeldOutSpecification = .none, shape: [Int]? = nil, task: LearningTask = .classification
    ) throws -> PreparedData {
        try PreparedData(
            DataSpecification(train: train, validation: .none, test: test, task: task, shape: shape), seed: 1, folder: fixturesFolder())
    }

    @Test(
        arguments: [
            (.npy(features: "npy/features-u1.npy", labels: "npy/labels-i8.npy"), 5, [1, 2, 3], .u8),
            (.npy(features: "npy/features-f8.npy", labels: "npy/labels-column.npy"), 5, [1, 2, 3], .f32),
            (.cifar10(paths: ["cifar10/batch.bin", "cifar10/batch.bin"]), 8, [3, 32, 32], .u8),
            (.libsvm(path: "libsvm/from-zero.libsvm", features: 3), 4, [3], .f32),
        ] as [(SourceSpecification, Int, [Int], RowFormat.FeatureType)])
    func rowsShapeAndStoredTypeOfEachFormat(
        source: SourceSpecification, rows: Int, shape: [Int], type: RowFormat.FeatureType
    ) throws {
        let data = try prepared(source, test: .source(source))
        #expect(data.train.rowCount == rows)
        #expect(data.inputShape == shape)
        #expect(data.train.format.featureType == type)
        #expect(data.test?.rowCount == rows)
        #expect(data.test?.table == data.train.table)
    }

    @Test func aShapeOfItsOwnIsTakenWhereItFits() throws {
        #expect(try prepared(.npy(features: "npy/features-f4.npy", labels: "npy/labels-i4.npy"), shape: [6]).inputShape == [6])
        #expect(throws: DataProblems(problems: [.shape([2, 2, 2], featureCount: 6)])) {
            try prepared(.npy(features: "npy/features-f4.npy", labels: "npy/labels-i4.npy"), shape: [2, 2, 2])
        }
    }

    @Test func bytesOfEveryFileCount() throws {
        let one = try prepared(.cifar10(paths: ["cifar10/batch.bin"]))
        let two = try prepared(.cifar10(paths: ["cifar10/batch.bin", "cifar10/batch.bin"]))
        #expect(one.dataSHA256 != two.dataSHA256)
    }

    @Test func faultsAreToldWithTheFile() throws {
        func text(_ source: SourceSpecification) throws -> String {
            "\(try #require(throws: DataProblems.self) { try prepared(source) })"
        }
        let npy = try text(.npy(features: "npy/fortran.npy", labels: "nowhere.npy"))
        #expect(npy.hasPrefix("npy/fortran.npy: is stored in Fortran order, expected C order"))
        #expect(npy.hasSuffix("\nnowhere.npy: cannot be read: there is no such file"))
        #expect(try text(.cifar10(paths: ["npy/labels-u1.npy"])).hasPrefix("npy/labels-u1.npy: byte 0: expected the label of row 0"))
        let libsvm = try text(.libsvm(path: "libsvm/from-one.libsvm", features: 2))
        #expect(libsvm.hasPrefix("libsvm/from-one.libsvm:5:9: the index 3 is beyond"))
    }
}
