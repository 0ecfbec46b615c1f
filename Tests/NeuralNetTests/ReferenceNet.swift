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
            case .conv2d, .maxPool2d, .averagePool2d, .globalAveragePool2d, .batchNorm, .residual:
                preconditionFailure("see ImageReference")
            }
        }
        return x
    }

    private func loss(of y: [Double], _ rows: Rows, _ row: Int) -> Double {
        switch specification.loss {
        case .softmaxCrossEntropy:
            let largest = y.max() ?? 0
            return log(y.reduce(0) { $0 + exp($1 - largest) }) + largest - y[Int(rows.labels[row])]
        case .binaryCrossEntropy:
            return max(y[0], 0) - y[0] * Double(rows.targets[row]) + log1p(exp(-abs(y[0])))
        case .meanSquaredError:
            let differences = y.indices.map { y[$0] - Double(rows.targets[row * y.count + $0]) }
            return differences.reduce(0) { $0 + $1 * $1 } / Double(y.count)
        }
    }
}
