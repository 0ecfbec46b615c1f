import Foundation
import Hashing
import Testing

@testable import Datasets

@Suite struct PreparedDataTests {
    private static let fraction = HeldOutSpecification.fraction(0.25)

    private func csv(_ path: String) -> SourceSpecification {
        .csv(CSVSpecification(path: path, target: .name("y")))
    }

    /// Rows `i, 2i, label` for i in 0..<count.
    private func rows(_ count: Int, labels: [String] = ["u", "v"]) -> String {
        "a,b,y\n" + (0..<count).map { "\($0),\(2 * $0),\(labels[$0 % labels.count])\n" }.joined()
    }

    @Test func digitsAreBytesOfOneImageChannel() throws {
        let data = try PreparedData(
            DataSpecification(train: .builtin(.digits), test: .fraction(0.2), preprocessing: .scale(low: 0, high: 16)), seed: 1,
            folder: "")
        #expect(data.inputShape == [1, 8, 8])
        #expect([data.train.rowCount, data.validation?.rowCount, data.test?.rowCount] == [1258, 180, 359])
        #expect(data.classNames == (0..<10).map { "\($0)" })
        guard case .u8(let bytes) = data.train.table.features, case .classes(let classes, _) = data.train.table.targets else {
            Issue.record("digits are bytes and classes")
            return
        }
        #expect(bytes.prefix(8) == [0, 0, 5, 13, 9, 1, 0, 0])
        #expect(bytes.max() == 16)
        #expect(classes.prefix(10) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(data.preprocessing == .scalar(offset: 0, factor: 1.0 / 16))
    }

    @Test func aMissingBuiltinIsToldWithWhereItShouldBe() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: DatasetError.self) { try BuiltinFile.path(of: .digits, in: [folder.path, "/nowhere"]) }
        #expect(
            error?.description
                == "the built-in data set “digits” is not installed; looked for it in \(folder.path) and /nowhere: "
                + "the folder of resources belongs beside the program")
    }

    @Test func idxFilesAreReadPackedOrPlain() throws {
        let packed = try Table.read(
            .idx(features: "images.idx.gz", labels: "labels.idx.gz"), task: .classification, folder: fixturesFolder())
        let folder = try TemporaryFolder()
        try folder.write(idx([3, 2, 2], Array(1...12)), to: "images")
        try folder.write(idx([3], [7, 0, 7]), to: "labels")
        let plain = try Table.read(.idx(features: "images", labels: "labels"), task: .classification, folder: folder.path)
        #expect(packed.table == plain.table)
        #expect(plain.table.features == .u8(Array(1...12)))
        #expect(plain.table.targets == .classes([1, 0, 1], names: ["0", "7"]))
        #expect(plain.table.rowShape == [1, 2, 2])
    }

    @Test(arguments: [
        ("bomb.idx.gz", DatasetError.tooLarge(path: "bomb.idx.gz", limit: 64 << 10 + 64 << 10)),
        (
            "huge.idx.gz",
            .idx(path: "huge.idx.gz", .tooLarge(dimensions: Array(repeating: 4_294_967_295, count: 3), limit: 16 << 30))
        ),
        ("two-members.gz", .idx(path: "two-members.gz", .magic(Array("hell".utf8)))),
    ])
    func aFileMayNotUnpackToMoreThanItsHeaderAnnounces(name: String, problem: DatasetError) throws {
        let folder = try fixturesFolder()
        let error = #expect(throws: DataProblems.self) {
            try Table.read(.idx(features: name, labels: "labels.idx.gz"), task: .classification, folder: folder)
        }
        guard case .tooLarge = problem, case .tooLarge(let path, _)? = error?.problems.first else {
            #expect(error?.problems == [problem])
            return
        }
        #expect(path == name)
    }

    @Test func digestCoversTheFilesAsTheyLieOnDisk() throws {
        let folder = try TemporaryFolder()
        let (train, test) = (rows(8), rows(4))
        try folder.write(train, to: "train.csv")
        try folder.write(test, to: "test.csv")
        try folder.write("weights", to: "w")
        let specification = DataSpecification(train: csv("train.csv"), validation: Self.fraction, test: .source(csv("test.csv")))
        let data = try PreparedData(specification, seed: 1, folder: folder.path)
        #expect(data.dataSHA256 == SHA256.hash(of: Array((train + test).utf8)))
        let more = try PreparedData(specification, seed: 1, folder: folder.path, alsoHashed: ["w"])
        #expect(more.dataSHA256 == SHA256.hash(of: Array((train + test + "weights").utf8)))

        let packed = try PreparedData(
            DataSpecification(train: .idx(features: "images.idx.gz", labels: "labels.idx.gz"), validation: .none), seed: 1,
            folder: fixturesFolder())
        #expect(packed.dataSHA256 == SHA256.hash(of: try fixture("images.idx.gz") + fixture("labels.idx.gz")))
    }

    @Test func sourcesOfTheirOwnAreTakenWhole() throws {
        let folder = try TemporaryFolder()
        try folder.write(rows(8), to: "train.csv")
        try folder.write(rows(3, labels: ["v"]), to: "test.csv")
        let data = try PreparedData(
            DataSpecification(train: csv("train.csv"), validation: .none, test: .source(csv("test.csv"))), seed: 1, folder: folder.path)
        #expect(data.train.rowCount == 8)
        #expect(data.validation == nil)
        #expect(data.test?.rows == [0, 1, 2])
        #expect(data.test?.table.targets == .classes([1, 1, 1], names: ["u", "v"]))
    }

    @Test func preprocessingMeasuresTrainingRowsOnly() throws {
        let folder = try TemporaryFolder()
        try folder.write(rows(20).replacingOccurrences(of: "u", with: "1").replacingOccurrences(of: "v", with: "2"), to: "f.csv")
        let data = try PreparedData(
            DataSpecification(
                train: csv("f.csv"), validation: Self.fraction, limit: 5, task: .regression, preprocessing: .standardize,
                targetStandardize: true), seed: 4, folder: folder.path)
        let mean = data.train.rows.map { Double($0) }.reduce(0, +) / 5
        guard case .perFeature(let offset, let factor) = data.preprocessing else {
            Issue.record("standardize gives one pair per feature")
            return
        }
        #expect(offset == [Float(mean), Float(2 * mean)])
        #expect(factor[0] == 2 * factor[1])
        let targets = data.train.rows.map { Double($0 % 2 + 1) }
        #expect(data.targetScaling?.offset == Float(targets.reduce(0, +) / 5))
        #expect(data.classNames == nil)
    }

    @Test func shapeMayBeGivenWhereItHasTheSameSize() throws {
        let folder = try TemporaryFolder()
        try folder.write("a,b,c,d,y\n1,2,3,4,u\n5,6,7,8,v\n", to: "f.csv")
        var specification = DataSpecification(train: csv("f.csv"), validation: .none, shape: [1, 2, 2])
        #expect(try PreparedData(specification, seed: 1, folder: folder.path).inputShape == [1, 2, 2])
        for shape in [[1, 2, 3], [], [-2, -2], [0], [1 << 40, 1 << 40]] {
            specification.shape = shape
            #expect(throws: DataProblems(problems: [.shape(shape, featureCount: 4)])) {
                try PreparedData(specification, seed: 1, folder: folder.path)
            }
        }
    }

    @Test func allMissingFilesAreNamedAtOnce() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: DataProblems.self) {
            try PreparedData(
                DataSpecification(
                    train: .idx(features: "a", labels: "b"), validation: .source(csv(".")), test: .source(csv("c"))), seed: 1,
                folder: folder.path, alsoHashed: ["d"])
        }
        #expect(
            error?.description == """
                a: cannot be read: there is no such file
                b: cannot be read: there is no such file
                .: cannot be read: it is a folder
                c: cannot be read: there is no such file
                d: cannot be read: there is no such file
                """)
    }

    @Test func problemsOfSeveralSourcesAreToldAtOnce() throws {
        let folder = try TemporaryFolder()
        try folder.write(rows(8), to: "train.csv")
        try folder.write("a,b,y\n1,2,w\n", to: "test.csv")
        try folder.write(idx([2, 3], [1, 2, 3, 4, 5, 6]), to: "x")
        try folder.write(idx([2], [0, 1]), to: "y")
        let error = #expect(throws: DataProblems.self) {
            try PreparedData(
                DataSpecification(
                    train: csv("train.csv"), validation: .source(csv("test.csv")),
                    test: .source(.idx(features: "x", labels: "y"))), seed: 1, folder: folder.path)
        }
        #expect(
            error?.description == """
                test.csv:2: column “y”: the label “w” does not occur in the training source; known are “u”, “v”
                y: row 0 (counted from 0) has the label 0, which does not occur in the training source; known are “u”, “v”
                """)
    }

    @Test func anotherFeatureCountIsRefused() throws {
        let folder = try TemporaryFolder()
        try folder.write(rows(8, labels: ["0", "1"]), to: "train.csv")
        try folder.write(idx([2, 3], [1, 2, 3, 4, 5, 6]), to: "x")
        try folder.write(idx([2], [0, 1]), to: "y")
        #expect(throws: DataProblems(problems: [.featureCount(part: "test", count: 3, training: 2)])) {
            try PreparedData(
                DataSpecification(train: csv("train.csv"), test: .source(.idx(features: "x", labels: "y"))), seed: 1, folder: folder.path)
        }
    }

    @Test func oneClassIsNotClassification() throws {
        let folder = try TemporaryFolder()
        try folder.write(rows(8, labels: ["u"]), to: "f.csv")
        #expect(throws: DataProblems(problems: [.oneClass(name: "u")])) {
            try PreparedData(DataSpecification(train: csv("f.csv"), validation: .none), seed: 1, folder: folder.path)
        }
    }

    @Test func classLabelsAreNotStandardised() throws {
        let folder = try TemporaryFolder()
        try folder.write(rows(8), to: "f.csv")
        #expect(throws: DataProblems(problems: [.preprocessing(.targetOfClassification)])) {
            try PreparedData(
                DataSpecification(train: csv("f.csv"), validation: .none, targetStandardize: true), seed: 1, folder: folder.path)
        }
    }
}
