import Foundation
import FuzzTargets
import Testing
import Wire

/// What the fuzzers start from, and whatever they have found, is decoded without harm by every decoder.
@Suite struct CorpusReplayTests {
    private static func inputs(_ target: FuzzTarget) throws -> [[UInt8]] {
        let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil)).appendingPathComponent(target.rawValue)
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.path < $1.path }.map { Array(try Data(contentsOf: $0)) }
    }

    @Test(arguments: FuzzTarget.allCases)
    func itsCorpusIsReplayed(target: FuzzTarget) throws {
        let inputs = try Self.inputs(target)
        #expect(!inputs.isEmpty)
        for input in inputs { input.withUnsafeBytes { target.run($0) } }
    }

    /// Else nothing behind the version would be decoded.
    @Test(arguments: [FuzzTarget.control, .header])
    func itsCorpusIsOfTheVersionThatIsSpoken(target: FuzzTarget) throws {
        for input in try Self.inputs(target) {
            #expect(Array(input[4..<6]) == [UInt8(truncatingIfNeeded: WireProtocol.version), UInt8(WireProtocol.version >> 8)])
        }
    }

    /// Each input cut short, and with one byte flipped, at every place of its beginning.
    @Test(arguments: FuzzTarget.allCases)
    func itsNeighboursAreReplayed(target: FuzzTarget) throws {
        let places = 48
        for input in try Self.inputs(target) {
            for place in 0..<min(input.count, places) {
                input.withUnsafeBytes { target.run(UnsafeRawBufferPointer(rebasing: $0[..<place])) }
                var flipped = input
                flipped[place] ^= 0xFF
                flipped.withUnsafeBytes { target.run($0) }
            }
        }
    }

    @Test func theReplayAlsoTakesWhatBelongsToOthers() throws {
        let all = try FuzzTarget.allCases.flatMap { try Self.inputs($0) }
        for target in FuzzTarget.allCases {
            for input in all { input.withUnsafeBytes { target.run($0) } }
        }
    }
}
