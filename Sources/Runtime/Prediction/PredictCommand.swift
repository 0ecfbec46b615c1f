internal import Datasets
internal import Foundation
internal import NeuralNet
internal import OperatingSystem

/// `dnn-coord predict`: what saved nets say about the rows of a file.
public struct PredictCommand: Sendable {
    public enum Combination: String, Sendable, CaseIterable {
        /// The mean of the nets' probabilities or values.
        case mean
        /// One vote for each net; the probabilities are then shares of votes.
        case vote
    }

    /// The names that `format` can have.
    public static let formats = PredictionFile.Format.allCases.map(\.rawValue)

    /// At least one.
    public var models: [String]
    /// `-` is standard input.
    public var input: String
    /// nil recognises it.
    public var format: String?
    /// `-` is standard output.
    public var output: String
    public var combination: Combination
    /// Dropout masks that every net's answer is averaged over; nil is inference mode.
    public var masks: Int?
    /// nil: one per core.
    public var threads: Int?

    public init(
        models: [String], input: String, format: String?, output: String, combination: Combination, masks: Int?, threads: Int?
    ) {
        self.models = models
        self.input = input
        self.format = format
        self.output = output
        self.combination = combination
        self.masks = masks
        self.threads = threads
    }

    /// Writes the predictions; says what went wrong, and gives the exit code.
    public func run() -> Int32 {
        do {
            let models = try self.models.map(SavedModel.init(path:))
            for model in models where !model.isFinite { throw PredictionError.notFinite(model.path) }
            let file = try PredictionFile(path: input, format: format.flatMap(PredictionFile.Format.init(rawValue:)))
            let threads = threads ?? Machine.coreCount
            let (members, rowCount) = try predictors(models, file, threads: threads)
            let ensemble = try Ensemble(members, combination)
            let sink = try PredictionSink(output, notOver: input)
            try write(ensemble, rowCount: rowCount, blockRows: Predictor.blockRows(threads: threads), to: sink)
            printError("predicted \(rowCount) rows" + (models.count > 1 ? " with \(models.count) nets" : ""))
            return TrainCommand.ExitCode.completed
        } catch let error as PredictionSinkError {
            printError("dnn-coord: \(error)")
            return error.isBadInput ? TrainCommand.ExitCode.badInput : TrainCommand.ExitCode.failed
        } catch {
            printError("dnn-coord: \(error)")
            return TrainCommand.ExitCode.badInput
        }
    }

    /// Nets with the same columns share the rows.
    private func predictors(
        _ models: [SavedModel], _ file: PredictionFile, threads: Int
    ) throws -> (members: [Predictor], rowCount: Int) {
        var read: [(model: SavedModel, rows: FeatureRows)] = []
        var members: [Predictor] = []
        for model in models {
            let known = read.first {
                $0.model.network.inputCount == model.network.inputCount && $0.model.encoding.readsAs(model.encoding)
            }
            let rows: FeatureRows
            if let known {
                rows = known.rows
            } else {
                do {
                    rows = try file.rows(encoding: model.encoding, featureCount: model.network.inputCount)
                } catch {
                    throw PredictionError.input(error, model: model.path)
                }
                read.append((model, rows))
            }
            if masks != nil, model.network.specification.dropoutScalings.isEmpty {
                printError("warning: \(model.path) has no dropout: --masks changes nothing")
            }
            members.append(Predictor(model, rows: rows, masks: masks ?? 0, threads: threads))
        }
        return (members, read[0].rows.rowCount)
    }

    private func write(_ ensemble: Ensemble, rowCount: Int, blockRows: Int, to sink: PredictionSink) throws(PredictionSinkError) {
        var table = PredictionTable(ensemble.answer)
        try sink.write(table.header)
        for start in stride(from: 0, to: rowCount, by: blockRows) {
            try sink.write(table.lines(ensemble.answers(for: start..<min(start + blockRows, rowCount))))
        }
        try sink.finish()
    }
}

extension TableEncoding {
    /// Whether a file is read the same way with either.
    fileprivate func readsAs(_ other: TableEncoding) -> Bool {
        columns == other.columns && csv == other.csv && firstIndex == other.firstIndex
    }
}

/// Why there is nothing to predict: exit code 2.
enum PredictionError: Error, CustomStringConvertible {
    case notFinite(String)
    /// Names the net, since a row fits one net and not another.
    case input(any Error, model: String)

    var description: String {
        switch self {
        case .notFinite(let path): "\(path): has weights that are not finite: the run that made it has failed"
        case .input(let error, let model): "\(error) (read for \(model))"
        }
    }
}
