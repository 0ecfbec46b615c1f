import Exactness
import Testing

@testable import Datasets

@Suite struct SplitTests {
    /// ⌊f·N + ½⌋ by hand.
    @Test(
        arguments: [
            (10, 0.1, 0.2, nil, 7, 1, 2),
            (1797, 0.1, 0.2, nil, 1258, 180, 359),
            (60_000, 0.1, nil, nil, 54_000, 6000, 0),
            (5, 0.1, 0.3, nil, 2, 1, 2),
            (10, nil, nil, nil, 10, 0, 0),
            (10, 0.1, 0.2, 3, 3, 1, 2),
            (10, 0.1, 0.2, 100, 7, 1, 2),
        ] as [(Int, Double?, Double?, Int?, Int, Int, Int)])
    func sizesAreRoundedShares(rows: Int, validation: Double?, test: Double?, limit: Int?, a: Int, b: Int, c: Int) throws {
        let split = try Split(rowCount: rows, validation: validation, test: test, limit: limit, seed: 3)
        #expect([split.train.count, split.validation.count, split.test.count] == [a, b, c])
        let all = split.train + split.validation + split.test
        #expect(Set(all).count == all.count)
        #expect(all.allSatisfy { $0 < rows })
    }

    @Test func partsAreCutFromThePermutationInOrder() throws {
        let order = RandomStream(seed: 9, purpose: .split).permutation(count: 20)
        let split = try Split(rowCount: 20, validation: 0.25, test: 0.1, limit: 4, seed: 9)
        #expect(split.test == Array(order[0..<2]))
        #expect(split.validation == Array(order[2..<7]))
        #expect(split.train == Array(order[7..<11]))
    }

    @Test func seedDecides() throws {
        let splits = try [1, 1, 2].map { try Split(rowCount: 100, validation: 0.1, test: nil, limit: nil, seed: $0) }
        #expect(splits[0] == splits[1])
        #expect(splits[0] != splits[2])
    }

    @Test(
        arguments: [
            (10, 0.04, nil, nil, .noRow(part: "validation", fraction: 0.04, rowCount: 10)),
            (10, nil, 0.04, nil, .noRow(part: "test", fraction: 0.04, rowCount: 10)),
            (10, 0, nil, nil, .fraction(part: "validation", 0)),
            (10, nil, 1, nil, .fraction(part: "test", 1)),
            (10, -0.5, nil, nil, .fraction(part: "validation", -0.5)),
            (10, 0.5, 0.5, nil, .nothingLeft(rowCount: 10, validation: 5, test: 5)),
            (1, 0.5, nil, nil, .nothingLeft(rowCount: 1, validation: 1, test: 0)),
            (3, 0.5, 0.5, nil, .nothingLeft(rowCount: 3, validation: 2, test: 2)),
            (10, nil, nil, 0, .limit(0)),
        ] as [(Int, Double?, Double?, Int?, SplitFault)])
    func impossibleCutsAreRefused(rows: Int, validation: Double?, test: Double?, limit: Int?, fault: SplitFault) {
        #expect(throws: DatasetError.split(fault)) {
            try Split(rowCount: rows, validation: validation, test: test, limit: limit, seed: 1)
        }
    }

    @Test func aFractionThatIsNoNumberIsRefused() {
        #expect(throws: DatasetError.self) { try Split(rowCount: 10, validation: .nan, test: nil, limit: nil, seed: 1) }
    }
}
