internal import Datasets
internal import Foundation
internal import Hashing
internal import Kernels
internal import NeuralNet
internal import RunConfiguration
internal import Training

/// What a run that has ended says of itself, for a replay to be held against.
struct RecordedRun {
    private struct Result: Decodable {
        var weightsSha256: String
        var dataSha256: String
        var outcome: String
        var steps: UInt64
        var evaluations: UInt64
        var bestEpoch: Int?
        var leafClass: String?
        var numericsVersion: Int
    }

    private struct Line: Decodable {
        struct Figures: Decodable {}

        var step: UInt64
        /// Nothing in the line of a run that was cut short: its weights may be between two steps.
        var train: Figures?
        var weightsSha256: String
    }

    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    private let result: Result
    /// By step, of the validations.
    let hashes: [UInt64: String]

    var weightsSHA256: String { result.weightsSha256 }
    var steps: UInt64 { result.steps }
    /// Of modes ssp and async.
    var updates: UInt64 { result.evaluations }

    init(folder: String) throws(UnreadableRun) {
        guard FileManager.default.fileExists(atPath: folder + "/run.yaml") else {
            throw UnreadableRun(description: "\(folder): holds no run: there is no run.yaml")
        }
        guard let bytes = FileManager.default.contents(atPath: folder + "/result.json") else {
            throw UnreadableRun(
                description: "\(folder): has no result.json to compare with: the run has not ended; go on with it by "
                    + "`dnn-coord resume \(folder)`")
        }
        guard let result = try? Self.decoder.decode(Result.self, from: bytes) else {
            throw UnreadableRun(description: "\(folder)/result.json: is no result of this release")
        }
        self.result = result
        var hashes: [UInt64: String] = [:]
        let decoder = Self.decoder
        for text in (FileManager.default.contents(atPath: folder + "/history.jsonl") ?? Data()).split(separator: 10) {
            guard let line = try? decoder.decode(Line.self, from: text), line.train != nil else { continue }
            hashes[line.step] = line.weightsSha256
        }
        self.hashes = hashes
    }

    /// Refuses what can't give the run's bits, before it is computed.
    func check(_ run: PreparedRun, folder: String, threads: Int) throws {
        func refuse(_ text: String) -> UnreadableRun { UnreadableRun(description: "\(folder): can't be replayed here: \(text)") }
        guard result.numericsVersion == Runtime.numericsVersion else {
            throw refuse("its numerics version is \(result.numericsVersion), this release has \(Runtime.numericsVersion)")
        }
        guard result.dataSha256 == run.data.dataSHA256.description else {
            throw refuse("its data had the SHA-256 \(result.dataSha256), the data is now \(run.data.dataSHA256)")
        }
        if let name = run.description.instructionSet, let set = InstructionSet(rawValue: name) { InstructionSet.cap(at: set) }
        try run.description.precision.checkAvailable()
        guard let expected = result.leafClass else { return }
        let leafClass = try LeafProbe.leafClass(of: run.network, run: run.description, threads: threads)
        guard leafClass == expected else {
            throw refuse("its workers had kernels of the class \(expected), this machine has \(leafClass), which give other bits")
        }
    }

    /// The step whose weights are the final ones: the last, or the best where a run that ended as planned goes back to it.
    func finalStep(_ run: PreparedRun) -> UInt64 {
        guard ["completed", "stopped_early"].contains(result.outcome), run.plan.earlyStopping?.restoreBest == true,
            let best = result.bestEpoch
        else { return steps }
        return UInt64(best) * UInt64(run.plan.stepsPerEpoch)
    }
}
