import Foundation
import Testing

@testable import Datasets

/// The folder of real data sets, where there is one.
private let dataFolder = ProcessInfo.processInfo.environment["DNN_DATA"] ?? ""

@Suite(.enabled(if: !dataFolder.isEmpty, "DNN_DATA names no folder of data sets"))
struct RealDataTests {
    private func counts(_ table: Table) throws -> [Int] {
        guard case .classes(let classes, let names) = table.targets else {
            Issue.record("no classes")
            return []
        }
        return names.indices.map { name in classes.count { $0 == name } }
    }

    @Test func fashionMNIST() throws {
        func source(_ part: String) -> SourceSpecification {
            .idx(features: "fashion-mnist/\(part)-images-idx3-ubyte.gz", labels: "fashion-mnist/\(part)-labels-idx1-ubyte.gz")
        }
        let data = try PreparedData(
            DataSpecification(train: source("train"), test: .source(source("t10k")), preprocessing: .scale(low: 0, high: 255)), seed: 1,
            folder: dataFolder)
        #expect([data.train.rowCount, data.validation?.rowCount, data.test?.rowCount] == [54_000, 6000, 10_000])
        #expect(data.inputShape == [1, 28, 28])
        #expect(try counts(data.train.table) == Array(repeating: 6000, count: 10))
        #expect(try counts(#require(data.test).table) == Array(repeating: 1000, count: 10))
    }

    @Test func adult() throws {
        let texts = ["workclass", "education", "marital-status", "occupation", "relationship", "race", "sex", "native-country"]
        let specification = CSVSpecification(
            path: "adult.tsv.gz", target: .name("target"), delimiter: "\t", categorical: texts.map { .name($0) })
        let (table, encoding) = try Table.read(.csv(specification), task: .classification, folder: dataFolder)
        #expect(table.rowCount == 48_842)
        #expect(encoding.columns?.count == 14)
        #expect(encoding.classNames == ["0", "1"])
        #expect(try counts(table) == [11_687, 37_155])
        guard case .f32(let features) = table.features else {
            Issue.record("CSV gives floats")
            return
        }
        // Every categorical column has exactly one 1.
        let names = try #require(encoding.featureNames)
        let oneHot = names.indices.filter { names[$0].contains("=") }
        let ones = (0..<table.rowCount).allSatisfy { row in
            oneHot.reduce(Float(0)) { $0 + features[row * table.featureCount + $1] } == Float(texts.count)
        }
        #expect(ones)
    }

    @Test func houses() throws {
        let data = try PreparedData(
            DataSpecification(
                train: .csv(CSVSpecification(path: "537_houses.tsv.gz", target: .name("target"), delimiter: "\t")), task: .regression,
                preprocessing: .standardize, targetStandardize: true), seed: 1, folder: dataFolder)
        #expect(data.train.table.rowCount == 20_640)
        #expect(data.featureCount == 8)
        guard case .values(let values) = data.train.table.targets, case .f32(let features) = data.train.table.features else {
            Issue.record("regression has values")
            return
        }
        #expect(values[0] == 452_600)
        #expect(features[0] == 8.325200080871582)
    }
}
