import Foundation
import Testing

/// One of ONNX's published tests: a graph, mostly of one node, with inputs and expected outputs.
struct ONNXCase: Decodable, CustomTestStringConvertible {
    let kind, test: String
    let opset: [String: Int]
    let graphInputs, graphOutputs: [String]
    let nodes: [Node]
    let initializers: [File]
    let sets: [Set]
    /// Where the case's files lie.
    var folder = URL(fileURLWithPath: "/")

    var testDescription: String { "\(kind)/\(test)" }
    /// Of the operators that have no domain of their own.
    var version: Int { opset["ai.onnx"] ?? 1 }

    struct Node: Decodable {
        let op: String
        let inputs, outputs: [String]
        let attrs: [String: Attribute]

        func number(_ name: String, default standard: Double) -> Double {
            if case .number(let value)? = attrs[name] { value } else { standard }
        }

        func text(_ name: String, default standard: String) -> String {
            if case .text(let value)? = attrs[name] { value } else { standard }
        }

        /// nil if it is not there.
        func list(_ name: String) -> [Int]? {
            if case .list(let values)? = attrs[name] { values.map { Int($0) } } else { nil }
        }
    }

    enum Attribute: Decodable {
        case number(Double)
        case text(String)
        case list([Double])

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let number = try? value.decode(Double.self) {
                self = .number(number)
            } else if let text = try? value.decode(String.self) {
                self = .text(text)
            } else {
                self = .list((try? value.decode([Double].self)) ?? [])
            }
        }
    }

    struct Set: Decodable {
        let inputs, outputs: [File]
        enum CodingKeys: String, CodingKey { case inputs = "in", outputs = "out" }
    }

    /// `[file, type, shape]`, an initializer with its name in front.
    struct File: Decodable {
        let words: [String]

        init(from decoder: any Decoder) throws {
            var values = try decoder.unkeyedContainer()
            var words: [String] = []
            while !values.isAtEnd, let word = try? values.decode(String.self) { words.append(word) }
            self.words = words
        }
    }

    enum CodingKeys: String, CodingKey {
        case kind, test, opset, nodes, initializers, sets
        case graphInputs = "graph_inputs"
        case graphOutputs = "graph_outputs"
    }
}

extension ONNXCase {
    func tensor(_ file: String) throws -> ONNXTensor {
        try ONNXTensor(npy: Data(contentsOf: folder.appending(path: file)))
    }

    /// Why a test says nothing about this product.
    struct DoesNotApply: Error, Equatable {
        var reason: String
        init(_ reason: String) { self.reason = reason }
    }

    /// The graph's outputs, node by node by our layers; nil where an output is not one of ours.
    /// - Parameter expected: of a node whose given outputs are an input for us (a dropout's mask).
    func outputs(of set: Set, number: Int, by operators: [String: ONNXOperator]) throws -> [ONNXTensor?] {
        for node in nodes where operators[node.op] == nil {
            throw DoesNotApply(ONNXOperators.foreign[node.op].map { "\(node.op): \($0)" } ?? "\(node.op) is no layer of ours")
        }
        var known: [String: ONNXTensor] = [:]
        for file in initializers { known[file.words[0]] = try tensor(file.words[1]) }
        let data = "test_data_set_\(number)/"
        for (name, file) in zip(graphInputs.filter { known[$0] == nil }, set.inputs) { known[name] = try tensor(data + file.words[0]) }
        var expected: [String: ONNXTensor] = [:]
        for (name, file) in zip(graphOutputs, set.outputs) { expected[name] = try tensor(data + file.words[0]) }
        for node in nodes {
            guard let compute = operators[node.op] else { continue }
            let call = ONNXCall(
                node: node, version: version, inputs: node.inputs.map { known[$0] }, expected: node.outputs.map { expected[$0] })
            for (name, value) in zip(node.outputs, try compute(call)) { known[name] = value }
        }
        return graphOutputs.map { known[$0] }
    }

    /// Runs all sets; the largest difference, relative to the largest value of its output, and how many outputs were compared.
    func run(by operators: [String: ONNXOperator]) throws -> (difference: Double, outputs: Int) {
        var difference = 0.0
        var compared = 0
        for (number, set) in sets.enumerated() {
            let found = try outputs(of: set, number: number, by: operators)
            for (output, file) in zip(found, set.outputs) {
                guard let output else { continue }
                let expected = try tensor("test_data_set_\(number)/" + file.words[0])
                guard output.values.count == expected.values.count else { return (.infinity, compared) }
                difference = max(difference, worst(output.floats, expected.values))
                compared += 1
            }
        }
        return (difference, compared)
    }
}
