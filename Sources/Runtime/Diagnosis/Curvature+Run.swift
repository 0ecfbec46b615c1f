internal import Checkpoints
internal import Diagnosis
internal import Exactness
internal import Foundation
internal import NeuralNet
internal import RunConfiguration

extension Curvature {
    /// Products of the Hessian: the extremes of a net's spectrum stand out after a few.
    private static let standardSteps = 24

    /// Looks at the loss around a run's final weights; reads the run's data again.
    /// - Parameter threads: that compute.
    init(folder: String, threads: Int) throws {
        let run = try PreparedRun(
            RunConfiguration.load(path: folder + "/run.yaml", environment: ProcessInfo.processInfo.environment))
        let path = folder + "/model.safetensors"
        guard FileManager.default.fileExists(atPath: path) else {
            throw UnreadableRun(description: "\(path): is not there: the curvature is that at a run's final weights")
        }
        let file = try SafetensorsFile(path: path)
        var weights: [Float] = []
        for entry in run.network.layout.entries { weights += try file.read(entry.name) }
        guard weights.count == run.network.layout.count, weights.allSatisfy(\.isFinite) else {
            throw UnreadableRun(
                description: "\(path): holds weights that are not finite or of another net: there is no curvature to look at")
        }
        let gradient = try FullGradient(run, threads: threads)
        let stream = RandomStream(seed: run.configuration.seed, purpose: .probe)
        let start = weights.indices.map { Double(stream.words($0).x) * 0x1p-31 - 1 }
        let share = Diagnosis(try RunEvidence(folder: folder)).basis.lossShare
        try self.init(weights: weights, lossShare: share, steps: Self.standardSteps, start: start) { try gradient($0) }
    }
}
