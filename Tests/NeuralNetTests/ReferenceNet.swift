import Exactness
import Foundation
import NeuralNet

/// A net computed in double precision, layer by layer as the file lists them, with loops and libm: nothing shared with the engine.
struct ReferenceNet {
    let specification: ModelSpecification
    let seed: UInt64

    /// The summed loss, with dropout as in training at `step`, or without.
    func loss(_ parameters: [Double], _ rows: Rows, step: UInt64?) -> Double {
        let width = rows.features.count / rows.count
        return (0..<rows.count).reduce(0) { sum, row in
            let x = rows.features[(row * width)..<((row + 1) * width)].map(Double.init)
            return sum + loss(of: outputs(parameters, x, sample: rows.samples[row], step: step), rows, row)
        }
    }

    func outputs(_ parameters: [Double], _ input: [Double], sample: UInt32, step: UInt64?) -> [Double] {
        var x = input
        var next = 0
        for (index, layer) in specification.layers.enumerated() {
            switch layer.kind {
            case .flatten: break
            case .dense(let units, let bias, _, _):
                let start = next
                next += units * x.count + (bias ? units : 0)
                x = (0..<units).map { unit in
                    let offset = bias ? parameters[start + units * x.count + unit] : 0
                    return x.indices.reduce(offset) { $0 + parameters[start + unit * x.count + $1] * x[$1] }
                }
            case .sigmoid: x = x.map { 1 / (1 + exp(-$0)) }
            case .tanh: x = x.map { Foundation.tanh($0) }
            case .relu: x = x.map { max($0, 0) }
            case .leakyReLU(let slope): x = x.map { $0 > 0 ? $0 : slope * $0 }
            case .elu(let alpha): x = x.map { $0 > 0 ? $0 : alpha * expm1($0) }
            case .selu: x = x.map { 1.0507009873554805 * ($0 > 0 ? $0 : 1.6732632423543772 * expm1($0)) }
            case .gelu(.exact): x = x.map { $0 / 2 * erfc(-$0 / 2.0.squareRoot()) }
            case .gelu(.tanh): x = x.map { $0 / 2 * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) }
            case .silu: x = x.map { $0 / (1 + exp(-$0)) }
            case .softplus: x = x.map { max($0, 0) + log1p(exp(-abs($0))) }
            case .hardSigmoid: x = x.map { min(max($0 / 6 + 0.5, 0), 1) }
            case .softmax:
                let largest = x.max() ?? 0
                let sum = x.reduce(0) { $0 + exp($1 - largest) }
                x = x.map { exp($0 - largest) / sum }
            case .prelu(let perChannel):
                let count = perChannel ? shape(after: index)[0] : 1, start = next
                next += count
                let size = x.count / count
                x = x.enumerated().map { $1 > 0 ? $1 : parameters[start + $0 / size] * $1 }
            case .maxout(let units, let pieces):
                let start = next, inputs = x.count
                next += units * pieces * (inputs + 1)
                let z = (0..<units * pieces).map { unit in
                    (0..<inputs).reduce(parameters[start + units * pieces * inputs + unit]) {
                        $0 + parameters[start + unit * inputs + $1] * x[$1]
                    }
                }
                x = (0..<units).map { z[$0 * pieces..<($0 + 1) * pieces].max() ?? 0 }
            case .layerNorm(let epsilon):
                let start = next, width = x.count
                next += 2 * width
                let mean = x.reduce(0, +) / Double(width)
                let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
                x = x.enumerated().map { index, value in
                    (value - mean) / (variance + epsilon).squareRoot() * parameters[start + index] + parameters[start + width + index]
                }
            case .dropout(let rate, let scaling):
                if let step {
                    let stream = RandomStream(seed: seed, purpose: .dropout, layer: index, step: step, sample: sample)
                    for element in x.indices {
                        let dropped = stream.words(element / 4)[element % 4] < UInt32(rate * 0x1p32)
                        x[element] *= dropped ? 0 : scaling == .inverted ? 1 / (1 - rate) : 1
                    }
                } else if scaling == .classic {
                    x = x.map { $0 * (1 - rate) }
                }
            }
        }
        return x
    }

    private func loss(of y: [Double], _ rows: Rows, _ row: Int) -> Double {
        switch specification.loss {
        case .softmaxCrossEntropy(let smoothing):
            let largest = y.max() ?? 0
            let sum = log(y.reduce(0) { $0 + exp($1 - largest) }) + largest
            let target = (1 - smoothing) * y[Int(rows.labels[row])] + smoothing * y.reduce(0, +) / Double(y.count)
            return sum - target
        case .binaryCrossEntropy:
            return max(y[0], 0) - y[0] * Double(rows.targets[row]) + log1p(exp(-abs(y[0])))
        case .meanSquaredError: return mean(of: y, rows, row) { $0 * $0 }
        case .meanAbsoluteError: return mean(of: y, rows, row, abs)
        case .huber(let delta): return mean(of: y, rows, row) { abs($0) <= delta ? $0 * $0 / 2 : delta * (abs($0) - delta / 2) }
        }
    }

    private func mean(of y: [Double], _ rows: Rows, _ row: Int, _ cost: (Double) -> Double) -> Double {
        y.indices.reduce(0) { $0 + cost(y[$1] - Double(rows.targets[row * y.count + $1])) } / Double(y.count)
    }

    /// Of one row, behind a layer.
    private func shape(after layer: Int) -> [Int] {
        var shape = specification.inputShape
        for layer in specification.layers[...layer] {
            switch layer.kind {
            case .flatten: shape = [shape.reduce(1, *)]
            case .dense(let units, _, _, _), .maxout(let units, _): shape = [units]
            default: break
            }
        }
        return shape
    }
}
