internal import Checkpoints
internal import Datasets
internal import Foundation
internal import Hashing
internal import Kernels
internal import NeuralNet

/// A net as a run leaves it behind in `model.safetensors`: all that is needed to use it.
struct SavedModel {
    static let format = "dnn-model-1"

    /// What the net says about a row.
    enum Answer: Equatable {
        /// A class of these, in the order of the outputs; outputs beyond the names that the data had are named by number.
        case classes([String])
        case value
    }

    let path: String
    let network: Network
    /// A whole block: parameters, then running statistics.
    let weights: FloatBlock
    let preprocessing: Preprocessing
    let encoding: TableEncoding
    let targetScaling: TargetScaling?
    let answer: Answer
    /// That it was trained in.
    let precision: Precision

    /// The precision to use it in: its own where this machine has it.
    var usablePrecision: Precision {
        guard let obstacle = precision.obstacle else { return precision }
        printError("warning: \(path) was trained in \(precision.rawValue): \(obstacle); f32 is used, answers differ in their last digits")
        return .f32
    }

    var weightsSHA256: String { SHA256.hash(of: weights.view[0..<network.layout.count].bytes).description }

    init(path: String) throws(SavedModelError) {
        self.path = path
        let file: SafetensorsFile
        do throws(CheckpointError) { file = try SafetensorsFile(path: path) } catch { throw .unusable("\(error)") }
        guard let format = file.metadata["format"] else { throw .foreign(path) }
        guard format == Self.format else { throw .otherFormat(path, found: format) }
        let specification: ModelSpecification = try Self.required("model", file)
        do throws(ModelError) { network = try Network(specification) } catch { throw .malformed(path, key: "model", reason: "\(error)") }
        // Models of the first releases do not say it.
        if let name = file.metadata["precision"] {
            guard let found = Precision(rawValue: name) else {
                let known = Precision.allCases.map(\.rawValue).joined(separator: ", ")
                throw .malformed(path, key: "precision", reason: "“\(name)” is none of \(known)")
            }
            precision = found
        } else {
            precision = .f32
        }
        preprocessing = try Self.required("preprocessing", file)
        encoding = try Self.required("encoding", file)
        targetScaling = try Self.optional("target_scaling", file)
        guard preprocessing.fits(featureCount: network.inputCount) else {
            throw .malformed(path, key: "preprocessing", reason: "it is not one for the net's \(network.inputCount) features")
        }
        if let names = encoding.featureNames, names.count != network.inputCount {
            throw .malformed(path, key: "encoding", reason: "its columns make \(names.count) features, the net takes \(network.inputCount)")
        }
        if let names = encoding.classNames {
            let outputs = if case .binaryCrossEntropy = network.loss { 2 } else { network.outputCount }
            guard names.count <= outputs else {
                throw .malformed(path, key: "encoding", reason: "it has \(names.count) classes, the net has outputs for \(outputs)")
            }
            answer = .classes(names + (names.count..<outputs).map { "output \($0)" })
        } else {
            guard network.outputCount == 1 else {
                throw .malformed(path, key: "model", reason: "a regression with \(network.outputCount) outputs")
            }
            answer = .value
        }
        weights = FloatBlock(count: network.layout.blockLength)
        let destinations = network.layout.storedEntries.map { [weights] entry in
            TensorDestination(
                name: entry.name, shape: entry.shape,
                bytes: UnsafeMutableRawBufferPointer(
                    start: weights.mutableView[entry.range].base, count: entry.range.count * MemoryLayout<Float>.stride))
        }
        do throws(CheckpointError) { try file.read(into: destinations) } catch { throw .unusable("\(error)") }
    }

    /// Whether any weight is NaN or infinite: the run that made it has failed.
    var isFinite: Bool { (0..<weights.count).allSatisfy { weights.view[$0].isFinite } }

    private static func required<Value: Decodable>(_ key: String, _ file: SafetensorsFile) throws(SavedModelError) -> Value {
        guard let value: Value = try optional(key, file) else { throw .malformed(file.path, key: key, reason: "it is missing") }
        return value
    }

    private static func optional<Value: Decodable>(_ key: String, _ file: SafetensorsFile) throws(SavedModelError) -> Value? {
        guard let text = file.metadata[key] else { return nil }
        do {
            return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
        } catch {
            throw .malformed(file.path, key: key, reason: "it can't be read; was it written by another version of dnn-coord?")
        }
    }
}

/// Why a model file can't be used: exit code 2.
enum SavedModelError: Error, CustomStringConvertible {
    /// The file's own defect.
    case unusable(String)
    case foreign(String)
    case otherFormat(String, found: String)
    case malformed(String, key: String, reason: String)

    var description: String {
        switch self {
        case .unusable(let text): text
        case .foreign(let path):
            "\(path): is a safetensors file, but no model of dnn-coord: its metadata has no “format”; a run leaves its model in "
                + "model.safetensors in the run folder"
        case .otherFormat(let path, let found):
            "\(path): has the model format “\(found)”, this program reads “\(SavedModel.format)”"
        case .malformed(let path, let key, let reason):
            "\(path): its metadata “\(key)” is no good: \(reason)"
        }
    }
}
