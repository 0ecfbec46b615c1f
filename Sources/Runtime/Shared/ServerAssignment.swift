internal import Exactness
internal import Foundation
internal import Kernels
internal import NeuralNet
internal import Optimization
internal import RunConfiguration
internal import Wire

/// All that a parameter server must know to update its chunks: everything but weights, slots and rates. Travels inside its welcome.
struct ServerAssignment: Codable, Equatable, Sendable {
    var run: RunDescription
    var rule: RuleSpecification
    var treatment: GradientTreatment
    var groups: [ParameterGroup]
    var policy: NonFinitePolicy
    var firstChunk: Int
    var chunkCount: Int
    /// The complete version that it begins with.
    var version: UInt64

    var owned: Range<Int> { firstChunk..<firstChunk + chunkCount }

    var json: String {
        do {
            return String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
        } catch {
            preconditionFailure("a server's part of a run can't be written as JSON: \(error)")
        }
    }

    /// - Throws: on what no coordinator of ours would send.
    init(json: String) throws {
        self = try JSONDecoder().decode(ServerAssignment.self, from: Data(json.utf8))
        try run.validate()
        guard firstChunk > 0, chunkCount > 0, firstChunk < 1 << 32, chunkCount < 1 << 32 else {
            throw WireError.malformed("chunks from \(firstChunk), \(chunkCount) of them, for a parameter server")
        }
    }

    init(_ prepared: PreparedRun, owned: Range<Int>, version: UInt64) {
        run = prepared.description
        rule = prepared.configuration.optimizer.rule
        treatment = prepared.configuration.optimizer.treatment
        groups = prepared.configuration.optimizer.groups
        policy = prepared.configuration.training.nonFinite
        firstChunk = owned.lowerBound
        chunkCount = owned.count
        self.version = version
    }
}

extension SquareSums {
    /// As they travel.
    static let valueCount = 3

    var values: [Double] { [gradient, weights, change] }

    init(values: ArraySlice<Double>) {
        let first = values.startIndex
        self.init(gradient: values[first], weights: values[first + 1], change: values[first + 2])
    }
}
