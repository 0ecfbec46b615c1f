internal import Checkpoints
internal import Datasets
internal import Diagnosis
internal import Exactness
internal import Foundation
internal import Hashing
internal import Kernels
internal import NeuralNet
internal import OperatingSystem
internal import Optimization
internal import ParameterServer
internal import RunConfiguration
internal import Training
internal import Wire

/// What a run writes and says: history, checkpoints, the result, the model.
extension CoordinatorProcess {
    func describe() {
        for line in run.dataLines + [run.netLine] + run.startLines + run.trainingLines { reporter.line(line) }
        for set in beginning.store.found.rejected {
            reporter.warning("the checkpoint of step \(set.step) can't be used, the one before is taken: \(set.reason)")
        }
        if let orderLog, orderLog.hasGap {
            reporter.warning("\(orderLog.path) does not know of the checkpoint, so the run can't be replayed")
        }
        if beginning.start.incarnation > 1 {
            let place = "step \(beginning.version), epoch \(run.plan.epochs(at: beginning.version) + 1)"
            let text = beginning.former == nil ? "there is no checkpoint yet: from the beginning" : "from the checkpoint of \(place)"
            reporter.line("resumed   \(text) (start \(beginning.start.incarnation) of this run)")
        }
        describeWorkers()
    }

    func describeWorkers() {
        var workers = "\(localWorkerCount) local × \(threadsPerWorker) thread\(threadsPerWorker == 1 ? "" : "s")"
        if let remote = lanes.first(where: { !$0.isLocal }) {
            workers += "; others: dnn-worker --connect \(remote.endpoint)\(workerOption)"
        }
        reporter.line("workers   \(workers)")
        describeServers()
        if gatekeeper == nil, lanes.contains(where: { !$0.isLocal }) {
            reporter.warning(
                "--insecure: tcp connections are neither encrypted nor authenticated: whoever reaches the port can read the data and the "
                    + "weights and change the result; bind to a trusted network only, or use --keys")
        }
        if let auditWarning { reporter.warning(auditWarning) }
        if localWorkerCount > run.plan.tree.shardCount {
            reporter.warning("--workers \(localWorkerCount): only \(run.plan.tree.shardCount) (training.virtual_shards) can share a step")
        }
    }

    func record(_ record: ValidationRecord) {
        guard gatherState(withSlots: false) else { return }
        let train = report(record.sample, of: .sample)
        let validation = record.validation.map { report($0, of: .validation) }
        append(
            HistoryLine(
                step: record.step, epoch: record.epoch, learningRate: learningRate, train: train, validation: validation,
                steps: stepLosses.take(), layers: layerFigures(at: record), weightsSHA256: weightsHash(server.completeWeights),
                seconds: totals.wallSeconds))
        var text = "epoch \(record.epoch)/\(run.plan.epochs)  "
        if closureServer != nil { text += searchText + "  |  " }
        text += "train \(train.summary)"
        if let validation { text += "  |  validation \(validation.summary)" }
        reporter.line(text + (record.improved ? "  best" : ""))
        if let figures = record.validation, let rate = rates.observe(validationLoss: figures.meanLoss, after: record.step) {
            reporter.line("no gain in validation loss: the learning rate is reduced to \(rate)")
        }
    }

    /// Of the step that made the complete version.
    var learningRate: Double { server.lastLearningRate ?? rates.rate(step: server.version) }

    private func append(_ line: HistoryLine) {
        do {
            try folder.appendHistory(line.json)
        } catch {
            reporter.warning("history.jsonl can't be written: \(error)")
        }
    }

    private func report(_ figures: PartFigures, of part: PartID) -> PartReport {
        PartReport(
            figures, spread: run.targetSpreads[part], targetScaling: run.data.targetScaling, trivial: run.trivialPredictors[part])
    }

    /// With all that is said about held-out rows at the end.
    private func finalReport(_ figures: PartFigures, of part: PartID) -> PartReport {
        var report = report(figures, of: part)
        if run.network.classCount != nil {
            let classes = ClassReport(
                figures.confusion, classCount: run.network.confusionClasses(of: part), names: run.data.classNames ?? [])
            report.add(figures, classes)
        }
        return report
    }

    /// Figures by layer at a barrier: norms of the step that made `version`, and what units did on the sample.
    private func layerFigures(at record: ValidationRecord) -> [HistoryLine.LayerFigures] {
        let units = unitTally.shares(run.network.observedUnits, rows: record.sample.rows)
        return layerFigures(norms: server.normsVersion == record.step, units: units)
    }

    /// Norms by layer of the last step before `version` that they were taken of.
    private func layerFigures(upTo version: UInt64) -> [HistoryLine.LayerFigures] {
        layerFigures(norms: (server.normsVersion ?? .max) <= version, units: [:])
    }

    private func layerFigures(norms hasNorms: Bool, units: [Int: UnitShares]) -> [HistoryLine.LayerFigures] {
        func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }
        return run.network.layers.indices.compactMap { layer in
            let entries = run.network.layout.entries.indices.filter { run.network.layout.entries[$0].layer == layer }
            var figures = HistoryLine.LayerFigures(name: run.network.layers[layer].name)
            if hasNorms, let first = entries.first, let last = entries.last {
                let sums = server.squareSums(of: first..<last + 1)
                figures.gradientNorm = finite(sums.gradient.squareRoot())
                figures.weightNorm = finite(sums.weights.squareRoot())
                figures.updateRatio = finite((sums.change / sums.weights).squareRoot())
            }
            let shares = units[layer]
            (figures.dead, figures.saturated, figures.pieceWins) = (shares?.dead, shares?.saturated, shares?.pieceWins)
            return hasNorms && !entries.isEmpty || shares != nil ? figures : nil
        }
    }

    private func weightsHash(_ block: FloatBlock) -> String {
        SHA256.hash(of: parameters(of: block).bytes).description
    }

    private func parameters(of block: FloatBlock) -> FloatView {
        block.view[0..<run.network.layout.count]
    }

    func keepBest() {
        guard gatherState(withSlots: false) else { return }
        let block = best?.weights ?? FloatBlock(count: run.network.layout.blockLength)
        block.mutableView.copy(from: server.completeWeights.view)
        guard let kept = machine.stopping.best else { return }
        best = (kept.step, kept.value, block)
    }

    /// Copies the complete version and lets it be written; one that comes while the last is being written is left out.
    func checkpoint() {
        guard gatherState(withSlots: true) else { return }
        markOrderLog()
        let copy = stateCopy()
        if !writer.write(copy), ending != nil || !machine.isTraining {
            writer.finishWriting()
            _ = writer.write(copy)
        }
    }

    private func stateCopy() -> StateCopy {
        func copied(_ block: FloatBlock) -> FloatBlock {
            let copy = FloatBlock(count: block.count)
            copy.mutableView.copy(from: block.view)
            return copy
        }
        return StateCopy(
            step: machine.version, epoch: run.plan.epochs(at: machine.version), leafClass: machine.leafClass ?? "",
            progress: progress, weights: copied(server.completeWeights), slots: server.completeSlots.map(copied),
            best: best.map { ($0.step, $0.value, copied($0.weights)) })
    }

    // MARK: The end

    /// Writes everything that the run leaves behind and ends the workers.
    func finish() throws -> RunResult {
        guard let ending else { preconditionFailure("a run is finished when it has ended") }
        trainingEnded = now
        let result = result(of: ending)
        let isSuperseded = beginning.start.isSuperseded(in: folder.path)
        try closeSessions(outcome: isSuperseded ? nil : result.outcome)
        if !isSuperseded { markOrderLog() }
        writer.close()
        for warning in writer.takeWarnings() { reporter.warning(warning) }
        guard !isSuperseded else {
            isSaved = false
            summarize(result, ending: ending)
            return result
        }
        switch ending.outcome {
        case .completed, .stoppedEarly: break
        case .interrupted, .failed:
            append(
                HistoryLine(
                    step: ending.version, epoch: run.plan.epochs(at: ending.version), learningRate: learningRate, train: nil,
                    validation: nil, steps: stepLosses.take(), layers: layerFigures(upTo: ending.version),
                    weightsSHA256: result.weightsSHA256, seconds: totals.wallSeconds))
        }
        let final = finalWeights(ending)
        do {
            try SafetensorsFile.write(run.network.layout.tensors(ofWeights: final), metadata: try run.modelMetadata, to: folder.model)
        } catch {
            isSaved = false
            reporter.warning("model.safetensors can't be written: \(error)")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            resultJSON = Array(try encoder.encode(result)) + [10]
            try AtomicFile.writeDurably(resultJSON, to: folder.result)
        } catch {
            isSaved = false
            reporter.warning("result.json can't be written: \(error)")
        }
        summarize(result, ending: ending)
        return result
    }

    private func finalWeights(_ ending: Ending) -> FloatBlock {
        if ending.restoresBest, let best { return best.weights }
        return server.completeWeights
    }

    private func result(of ending: Ending) -> RunResult {
        let weights = finalWeights(ending), parameters = parameters(of: weights)
        var state = SHA256()
        state.update(parameters.bytes)
        for slot in server.completeSlots { state.update(slot.view.bytes) }
        for statistics in run.network.layout.runningStatistics {
            for entry in [statistics.mean, statistics.variance] { state.update(weights.view[entry.range].bytes) }
        }
        let totals = totals
        let training = totals.trainingSeconds
        let samples = samplesTrained(until: ending.version)
        let strangers = strangerTotals()
        var outcome = ""
        var error: String?
        switch ending.outcome {
        case .completed: outcome = "completed"
        case .stoppedEarly: outcome = "stopped_early"
        case .interrupted: outcome = "interrupted"
        case .failed(let text):
            outcome = "failed"
            error = text
        }
        return RunResult(
            weightsSHA256: weightsHash(weights), stateSHA256: state.finalize().description, outcome: outcome, error: error,
            steps: ending.version, evaluations: server.evaluations, epochs: run.plan.epochs(at: ending.version),
            bestEpoch: machine.stopping.best?.epoch, penalty: run.updater.penalty(of: parameters),
            virtualShards: run.description.shardCount, workersSeen: totals.events.workersSeen, parameters: run.network.layout.count,
            precision: run.description.precision.rawValue, mode: run.configuration.training.mode.keyword, leafClass: machine.leafClass,
            numericsVersion: numericsVersion, runSHA256: run.runSHA256.description, dataSHA256: run.data.dataSHA256.description,
            train: ending.figures[.train].map { report($0, of: .train) },
            validation: ending.figures[.validation].map { finalReport($0, of: .validation) },
            test: ending.figures[.test].map { finalReport($0, of: .test) }, wallSeconds: totals.wallSeconds, trainingSeconds: training,
            samplesPerSecond: training > 0 ? Double(samples) / training : 0, peakMemoryBytes: Machine.peakMemory,
            events: RunResult.EventReport(
                leasesReissued: totals.events.leasesReissued, workersLost: totals.events.workersLost,
                framesDropped: totals.framesDropped, connectionsCut: strangers.connectionsCut,
                handshakesFailed: strangers.handshakesFailed, stepsSkipped: totals.stepsSkipped,
                leavesAudited: totals.events.leavesAudited))
    }

    private func samplesTrained(until version: UInt64) -> Int {
        if let closureServer { return closureServer.samplesSeen }
        let train = run.plan.train
        let rest = (0..<UInt64(train.stepInEpoch(version))).reduce(0) { $0 + train.sampleCount(step: $1) }
        return Int(train.epoch(ofStep: version)) * train.rowCount + rest
    }

    private func summarize(_ result: RunResult, ending: Ending) {
        switch ending.outcome {
        case .completed:
            let evaluations = closureServer == nil ? "" : ", \(result.evaluations) evaluations"
            reporter.line("completed after \(result.epochs) epochs, \(result.steps) steps\(evaluations)")
        case .stoppedEarly(let reason): reporter.line("stopped early after \(result.epochs) epochs: \(reason)")
        case .interrupted where trainingBegan == nil && result.steps == 0: reporter.line("interrupted before training began")
        case .interrupted: reporter.line("interrupted at step \(result.steps); the last complete step is saved in \(folder.checkpoints)")
        case .failed(let text): reporter.warning("failed at step \(result.steps): \(text)")
        }
        if ending.restoresBest, let epoch = result.bestEpoch { reporter.line("weights of epoch \(epoch), the best, are the final ones") }
        for (name, report) in [("train", result.train), ("validation", result.validation), ("test", result.test)] {
            guard let report else { continue }
            reporter.line("\(name.padding(toLength: 11, withPad: " ", startingAt: 0))\(report.summary)  (\(report.samples) samples)")
        }
        if auditFraction > 0 {
            let count = result.events.leavesAudited
            reporter.line("audit      \(count == 0 ? "no leaf was computed twice" : "\(count) leaves computed twice, with the same bits")")
        }
        reporter.line(
            "time       \(result.trainingSeconds.formatted(digits: 2)) s of training, \(Int(result.samplesPerSecond)) samples/s")
        reporter.line("weights    \(result.weightsSHA256)")
        reporter.line("folder     \(folder.path)")
        do {
            for line in Diagnosis(try RunEvidence(folder: folder.path)).lines { reporter.line(line) }
        } catch {
            reporter.warning("the run can't be diagnosed: \(error)")
        }
    }
}
