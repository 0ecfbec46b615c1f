import Exactness
import Foundation
import Kernels
import Testing

@testable import Optimization

/// ONNX's published vectors of `ai.onnx.preview.training`: Adagrad, Adam, Momentum and its Nesterov form.
///
/// All have T = 0 and slots given, so the step is chosen such that our constants are theirs: the first for Adagrad; the second for
/// momentum, whose first velocity is the gradient alone; one so late for Adam that no correction is left. `norm_coefficient` is λ.
@Suite struct ONNXOptimizerTests {
    /// A few operations in Float, relative to the largest value.
    private static let tolerance: Float = 1e-6
    private static let names = [
        "test_adagrad", "test_adagrad_multiple", "test_adam", "test_adam_multiple", "test_momentum", "test_momentum_multiple",
        "test_nesterov_momentum",
    ]

    @Test func theCopiesOfThisPackageAgree() throws {
        let folder = try #require(Bundle.module.resourceURL?.appending(path: "Fixtures/onnx/node"))
        for name in Self.names { try compare(folder.appending(path: name)) }
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["DNN_ORACLES"] != nil))
    func thePublishedArchiveAgrees() throws {
        let oracles = try #require(ProcessInfo.processInfo.environment["DNN_ORACLES"])
        let folder = FileManager.default.temporaryDirectory.appending(path: "onnx-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let unpack = Process()
        unpack.executableURL = URL(filePath: "/usr/bin/env")
        unpack.arguments = [
            "tar", "-xzf", oracles + "/onnx-vectors.tar.gz", "-C", folder.path, "--wildcards", "*/node/test_ad*", "*/node/test_*momentum*",
        ]
        try unpack.run()
        unpack.waitUntilExit()
        try #require(unpack.terminationStatus == 0)
        let nodes = folder.appending(path: "onnx/node")
        let cases = try FileManager.default.contentsOfDirectory(at: nodes, includingPropertiesForKeys: nil).filter {
            try Case(folder: $0).node.domain == "ai.onnx.preview.training"
        }
        #expect(Set(cases.map(\.lastPathComponent)).isSuperset(of: Self.names))
        for folder in cases { try compare(folder) }
    }

    private struct Case: Decodable {
        struct Node: Decodable {
            let op: String
            let domain: String?
            let attrs: Attributes
        }

        struct Attributes: Decodable {
            let alpha, beta, epsilon, normCoefficient, decayFactor: Double?
            let mode: String?
        }

        let nodes: [Node]
        var node: Node { nodes[0] }

        init(folder: URL) throws {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            self = try decoder.decode(Case.self, from: Data(contentsOf: folder.appending(path: "case.json")))
        }
    }

    private func compare(_ folder: URL) throws {
        let node = try Case(folder: folder).node
        let data = folder.appending(path: "test_data_set_0")
        func tensors(_ kind: String) throws -> [[Float]] {
            try (0...).lazy.map { data.appending(path: "\(kind)_\($0).npy") }
                .prefix { FileManager.default.fileExists(atPath: $0.path) }.map(NumPyFile.floats)
        }
        let (inputs, outputs) = (try tensors("input"), try tensors("output"))
        let (rule, step) = try rule(node, rate: Double(inputs[0][0]), name: folder.lastPathComponent)
        #expect(inputs[1] == [0], "T")
        let parts = 2 + rule.slotNames.count
        let count = (inputs.count - 2) / parts
        for tensor in 0..<count {
            let states = (0..<parts).map { inputs[2 + $0 * count + tensor] }
            let (weights, gradient, slots) = (FloatBlock(states[0]), FloatBlock(states[1]), states.dropFirst(2).map { FloatBlock($0) })
            let updater = try Updater(
                rule: rule, treatment: GradientTreatment(l2: node.attrs.normCoefficient ?? 0),
                segments: [UpdateSegment(range: 0..<weights.count, isRegularized: true)])
            let outcome = updater.update(
                0..<weights.count, reduction: .single, operands: [gradient.view], sampleCount: 1,
                scalars: updater.scalars(step: step, learningRate: rule.learningRate), weights: weights.view, slots: slots.map(\.view),
                into: weights.mutableView, nextSlots: slots.map(\.mutableView), scratch: UpdateScratch(shardCount: 1), norms: nil)
            #expect(outcome == .finite)
            for (index, ours) in ([weights] + slots).enumerated() {
                let theirs = outputs[index * count + tensor]
                let largest = theirs.map(\.magnitude).max() ?? 0
                #expect(ours.count == theirs.count)
                for (a, b) in zip(ours.values, theirs) {
                    #expect((a - b).magnitude <= Self.tolerance * largest, "\(folder.lastPathComponent), output \(index)")
                }
            }
        }
    }

    private func rule(_ node: Case.Node, rate: Double, name: String) throws -> (RuleSpecification, step: UInt64) {
        let attributes = node.attrs
        switch node.op {
        case "Adagrad":
            return (.adagrad(learningRate: rate, rateDecay: attributes.decayFactor ?? 0, epsilon: attributes.epsilon ?? 0), 1)
        case "Momentum":
            return (
                .momentum(learningRate: rate, momentum: attributes.alpha ?? 0, nesterov: attributes.mode == "nesterov"), 2
            )
        case "Adam":
            // test_adam_multiple was made with an ε that its node omits.
            let epsilon = attributes.epsilon ?? (name == "test_adam_multiple" ? 1e-2 : 0)
            return (
                .adam(learningRate: rate, beta1: attributes.alpha ?? 0, beta2: attributes.beta ?? 0, epsilon: epsilon), 1_000_000_000
            )
        default: throw OptimizationError.option("op", problem: "unknown, got \(node.op)")
        }
    }
}

/// NumPy's format, as far as these vectors use it: f4 and i8, C order.
enum NumPyFile {
    struct Malformed: Error {
        let path: String
    }

    static func floats(_ file: URL) throws -> [Float] {
        let bytes = Array(try Data(contentsOf: file))
        guard bytes.count > 10, bytes[6] == 1 else { throw Malformed(path: file.path) }
        let start = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
        let header = String(decoding: bytes[10..<start], as: UTF8.self)
        return try bytes[start...].withUnsafeBytes { body in
            if header.contains("'<f4'") { return (0..<body.count / 4).map { body.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) } }
            guard header.contains("'<i8'") else { throw Malformed(path: file.path) }
            return (0..<body.count / 8).map { Float(body.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
        }
    }
}
