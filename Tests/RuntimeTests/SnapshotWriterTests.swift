import Checkpoints
import Exactness
import Foundation
import Hashing
import Kernels
import NeuralNet
import OperatingSystem
import Optimization
import Synchronization
import Testing
import Training

@testable import Runtime

@Suite struct SnapshotWriterTests {
    private let folder: TemporaryFolder
    private let network: Network

    init() throws {
        folder = try TemporaryFolder(prefix: "dnn-test-")
        network = try Network(
            ModelSpecification(inputShape: [3], layers: [LayerSpecification(.dense(units: 2))], loss: .softmaxCrossEntropy))
    }

    private var tensors: StateTensors { StateTensors(layout: network.layout, slotNames: ["m", "v"]) }

    private func store() throws -> CheckpointStore<ProgressState> {
        try CheckpointStore(folder: folder.appending("checkpoints"), keep: 2)
    }

    private func writer(isFolderLost: @escaping @Sendable () -> Bool = { false }) throws -> SnapshotWriter {
        try SnapshotWriter(
            store: store(), tensors: tensors,
            heading: SnapshotWriter.Heading(
                identity: {
                    RunIdentity(runSHA256: SHA256.hash(of: [1]), dataSHA256: SHA256.hash(of: [2]), leafClass: $0, numericsVersion: 1)
                }, incarnation: 4, configuration: "name: a\n", metadata: [:]), isFolderLost: isFolderLost, syncHistory: {})
    }

    private func block(_ start: Float) -> FloatBlock {
        let block = FloatBlock(count: network.layout.count)
        for index in 0..<block.count { block.mutableView[index] = start + Float(index) }
        return block
    }

    private func copy(step: UInt64) -> StateCopy {
        var totals = RunTotals()
        totals.wallSeconds = 1.0 / 3
        var stopping = EarlyStoppingState()
        _ = stopping.observe(value: 0.1, step: step, epoch: 1, policy: nil)
        let norms = [
            SquareSums(gradient: 0.1, weights: 1e300, change: .leastNonzeroMagnitude),
            SquareSums(gradient: .infinity, weights: 0, change: 3),
        ]
        return StateCopy(
            step: step, epoch: 1, leafClass: "class",
            progress: ProgressState(
                step: step, stopping: stopping, plateau: PlateauState(), search: nil, bitRelevantKeys: [], horizonEpochs: 9,
                learningRate: 0.1,
                norms: norms, totals: totals),
            weights: block(0), slots: [block(100), block(200)], best: (step, 0.1, block(300)))
    }

    private func floats(_ block: FloatBlock) -> [Float] { (0..<block.count).map { block.view[$0] } }

    @Test func whatIsWrittenComesBack() throws {
        let writer = try writer()
        let written = copy(step: 7)
        #expect(writer.write(written))
        writer.close()
        #expect(writer.takeWarnings().isEmpty)
        let set = try #require(try store().found.set)
        let progress = set.manifest.coordinator
        #expect(progress.stopping == written.progress.stopping && progress.totals == written.progress.totals)
        #expect(progress.norms == written.progress.norms && progress.horizonEpochs == 9 && progress.learningRate == 0.1)
        #expect(set.manifest.incarnation == 4 && set.manifest.identity.leafClass == "class")
        let (weights, slots) = (block(0), [block(0), block(0)])
        weights.mutableView.fill(-1)
        try tensors.read(set, weights: weights, slots: slots)
        #expect(floats(weights) == floats(written.weights))
        #expect(slots.map(floats) == written.slots.map(floats))
        #expect(try tensors.best(of: set).map(floats) == floats(block(300)))
    }

    @Test func aFailureIsAWarningAndTheOneBeforeStays() throws {
        let writer = try writer()
        #expect(writer.write(copy(step: 7)))
        writer.finishWriting()
        try FileManager.default.moveItem(atPath: folder.appending("checkpoints"), toPath: folder.appending("elsewhere"))
        #expect(writer.write(copy(step: 8)))
        writer.finishWriting()
        let warning = try #require(writer.takeWarnings().first)
        #expect(warning.hasPrefix("checkpoint of step 8 failed, the one before is intact and training goes on: "))
        try FileManager.default.moveItem(atPath: folder.appending("elsewhere"), toPath: folder.appending("checkpoints"))
        #expect(writer.write(copy(step: 9)))
        writer.close()
        #expect(writer.takeWarnings().isEmpty)
        #expect(try store().found.set?.manifest.step == 9)
    }

    @Test func intoAFolderThatIsLostNothingIsWritten() throws {
        let isLost = Mutex(false)
        let writer = try writer { isLost.withLock { $0 } }
        #expect(writer.write(copy(step: 7)))
        writer.finishWriting()
        #expect(!writer.isSuperseded)
        isLost.withLock { $0 = true }
        #expect(writer.write(copy(step: 8)))
        writer.close()
        #expect(writer.isSuperseded)
        #expect(try store().found.set?.manifest.step == 7)
    }
}
