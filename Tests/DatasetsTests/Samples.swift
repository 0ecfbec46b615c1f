import Foundation
import Testing

@testable import Datasets

/// The bytes of a file in `Fixtures`.
func fixture(_ name: String) throws -> [UInt8] {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: nil))
    return Array(try Data(contentsOf: url))
}

func fixturesFolder() throws -> String {
    try #require(Bundle.module.resourceURL).appendingPathComponent("Fixtures").path
}

/// An IDX file; `body` is written as it is.
func idx(type: UInt8 = 0x08, _ dimensions: [UInt32], _ body: [UInt8]) -> [UInt8] {
    [0, 0, type, UInt8(dimensions.count)] + dimensions.flatMap { bigEndian($0) } + body
}

func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
}

/// A table of `count` rows: feature f of row r is 10·r + f, the target r % 3 or 0.5·r.
func countingTable(rows count: Int, width: Int = 2, bytes: Bool = false, task: LearningTask = .classification) -> Table {
    let numbers = (0..<count).flatMap { row in (0..<width).map { 10 * row + $0 } }
    let targets: Table.Targets =
        task == .classification
        ? .classes((0..<count).map { Int32($0 % 3) }, names: ["a", "b", "c"]) : .values((0..<count).map { 0.5 * Float($0) })
    return Table(
        features: bytes ? .u8(numbers.map { UInt8(truncatingIfNeeded: $0) }) : .f32(numbers.map { Float($0) }), targets: targets,
        rowShape: [width])
}

/// Bits that are the same in every run of a test (SplitMix64).
struct FixedGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
