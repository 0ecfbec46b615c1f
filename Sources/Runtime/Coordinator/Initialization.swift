internal import Checkpoints
internal import Kernels
internal import NeuralNet
internal import RunConfiguration

/// What `model.initialize_from` brings into a net: parameters of equal name and shape, and why the others keep their own.
struct Initialization: Sendable {
    /// By index of the layout's entries.
    private let values: [Int: [Float]]
    /// For people: what was taken, then what was not.
    let lines: [String]

    /// Names listed in a line.
    private static let mostNames = 8

    /// - Throws: if the file can't be read, has values that are not finite, or nothing that fits.
    init(path: String, network: Network) throws(InitializationError) {
        var values: [Int: [Float]] = [:]
        var kept: [String] = []
        let unused: [String]
        do throws(CheckpointError) {
            let file = try SafetensorsFile(path: path)
            for (index, entry) in network.layout.entries.enumerated() {
                guard let tensor = file.entry(named: entry.name) else {
                    kept.append("\(entry.name) (not in the file)")
                    continue
                }
                guard tensor.shape == entry.shape else {
                    kept.append("\(entry.name) (\(entry.shape), in the file \(tensor.shape))")
                    continue
                }
                values[index] = try file.read(entry.name)
            }
            unused = file.entries.map(\.name).filter { network.layout.entry(named: $0) == nil }
        } catch {
            throw .unreadable("\(error)")
        }
        for (index, floats) in values.sorted(by: { $0.key < $1.key }) where !floats.allSatisfy(\.isFinite) {
            throw .notFinite(path, name: network.layout.entries[index].name)
        }
        guard !values.isEmpty else { throw .nothingFits(path, kept: Self.listed(kept), found: Self.listed(unused)) }
        self.values = values
        var lines = ["start     \(values.count) of \(network.layout.entries.count) parameters from \(path)"]
        if !kept.isEmpty { lines.append("          initialized by rule: \(Self.listed(kept))") }
        if !unused.isEmpty { lines.append("          in the file only: \(Self.listed(unused))") }
        self.lines = lines
    }

    /// Writes the values over those that the rules gave.
    func apply(to weights: MutableFloatView, layout: ParameterLayout) {
        for (index, floats) in values {
            let range = layout.entries[index].range
            for (offset, value) in floats.enumerated() { weights[range.lowerBound + offset] = value }
        }
    }

    private static func listed(_ names: [String]) -> String {
        let shown = names.prefix(mostNames).joined(separator: ", ")
        return names.count > mostNames ? "\(shown) and \(names.count - mostNames) more" : shown
    }
}

/// Why a net can't start from a file.
enum InitializationError: Error, CustomStringConvertible {
    case unreadable(String)
    case notFinite(String, name: String)
    case nothingFits(String, kept: String, found: String)

    var description: String {
        switch self {
        case .unreadable(let text): text
        case .notFinite(let path, let name): "\(path): \(name) has values that are not finite: the run that made it has failed"
        case .nothingFits(let path, let kept, let found):
            "\(path): none of the net's parameters has its name and shape there, so nothing would be taken; the net has \(kept)"
                + (found.isEmpty ? "" : "; the file has \(found)") + "; give the layers to be taken the `name` they have there"
        }
    }
}

extension PreparedRun {
    /// Writes the weights that training starts from.
    func initialize(_ weights: FloatBlock) {
        network.initialize(into: weights.mutableView, seed: configuration.seed)
        initialization?.apply(to: weights.mutableView, layout: network.layout)
    }
}
