import Exactness
import Foundation
import NeuralNet

/// Nets with image layers in double precision, all rows of a leaf at once, by loops over the definitions: nothing shared with the engine.
struct ImageReference {
    let network: Network
    let seed: UInt64
    /// A whole block: parameters, then running values.
    let weights: [Double]
    let samples: [UInt32]
    /// nil: inference.
    let step: UInt64?
    private var number = 0

    init(network: Network, seed: UInt64, weights: [Double], samples: [UInt32], step: UInt64?) {
        self.network = network
        self.seed = seed
        self.weights = weights
        self.samples = samples
        self.step = step
    }

    /// The mean squared error, summed over rows.
    static func loss(_ network: Network, _ weights: [Double], _ rows: Rows, seed: UInt64, step: UInt64?) -> Double {
        var reference = ImageReference(network: network, seed: seed, weights: weights, samples: rows.samples, step: step)
        let outputs = reference.outputs(rows), width = network.outputCount
        return outputs.enumerated().reduce(0) { sum, row in
            let squares = (0..<width).reduce(0.0) {
                let difference = row.element[$1] - Double(rows.targets[row.offset * width + $1])
                return $0 + difference * difference
            }
            return sum + squares / Double(width)
        }
    }

    mutating func outputs(_ rows: Rows) -> [[Double]] {
        let width = network.inputCount
        let x = (0..<rows.count).map { rows.features[$0 * width..<($0 + 1) * width].map(Double.init) }
        return forward(network.specification.layers, prefix: "", x, network.specification.inputShape).x
    }

    private func parameter(_ name: String) -> [Double]? {
        network.layout.storedEntries.first { $0.name == name }.map { Array(weights[$0.range]) }
    }

    private mutating func forward(
        _ layers: [LayerSpecification], prefix: String, _ input: [[Double]], _ inputShape: [Int]
    ) -> (x: [[Double]], shape: [Int]) {
        var x = input, shape = inputShape
        for (index, layer) in layers.enumerated() {
            let name = "\(prefix)layers.\(layer.name ?? String(index))", own = number
            number += 1
            switch layer.kind {
            case .flatten: shape = [shape.reduce(1, *)]
            case .dense(let units, _, _, _):
                x = x.map { product($0, parameter("\(name).weight") ?? [], parameter("\(name).bias"), units) }
                shape = [units]
            case .relu: x = x.map { $0.map { max($0, 0) } }
            case .sigmoid: x = x.map { $0.map { 1 / (1 + exp(-$0)) } }
            case .tanh: x = x.map { $0.map { Foundation.tanh($0) } }
            case .dropout(let rate, let scaling): drop(&x, rate, scaling, layer: own)
            case .conv2d(let options):
                let weight = parameter("\(name).weight") ?? [], bias = parameter("\(name).bias")
                let output = Self.convolve([Double](repeating: 0, count: shape.reduce(1, *)), shape, options, weight, bias).shape
                x = x.map { Self.convolve($0, shape, options, weight, bias).y }
                shape = output
            case .maxPool2d(let options): (x, shape) = pool(x, shape, options) { $0.max() ?? 0 }
            case .averagePool2d(let options):
                (x, shape) = pool(x, shape, options) { $0.reduce(0, +) / Double(options.kernel.height * options.kernel.width) }
            case .globalAveragePool2d:
                let area = shape[1] * shape[2]
                x = x.map { row in (0..<shape[0]).map { row[$0 * area..<($0 + 1) * area].reduce(0, +) / Double(area) } }
                shape = [shape[0]]
            case .batchNorm(_, let epsilon): normalize(&x, shape, name, epsilon)
            case .residual(let inner):
                let main = forward(inner, prefix: name + ".", x, shape)
                if let projection = parameter("\(name).projection.weight") {
                    if shape.count == 3 {
                        let stride = Extent(
                            (shape[1] + main.shape[1] - 1) / main.shape[1], (shape[2] + main.shape[2] - 1) / main.shape[2])
                        let options = ConvolutionOptions(filters: main.shape[0], kernel: Extent(1), stride: stride, bias: false)
                        x = x.map { Self.convolve($0, shape, options, projection, nil).y }
                    } else {
                        x = x.map { product($0, projection, nil, main.shape[0]) }
                    }
                }
                x = zip(x, main.x).map { zip($0, $1).map { $0 + $1 } }
                shape = main.shape
            default: preconditionFailure("\(layer.kind.keyword) has no place in a net of images here")
            }
        }
        return (x, shape)
    }

    private func product(_ x: [Double], _ weight: [Double], _ bias: [Double]?, _ units: Int) -> [Double] {
        (0..<units).map { unit in
            var sum = bias?[unit] ?? 0
            for index in x.indices { sum += weight[unit * x.count + index] * x[index] }
            return sum
        }
    }

    private func drop(_ x: inout [[Double]], _ rate: Double, _ scaling: DropoutScaling, layer: Int) {
        guard let step else {
            if scaling == .classic { x = x.map { $0.map { $0 * (1 - rate) } } }
            return
        }
        for row in x.indices {
            let stream = RandomStream(seed: seed, purpose: .dropout, layer: layer, step: step, sample: samples[row])
            for element in x[row].indices {
                let isDropped = stream.words(element / 4)[element % 4] < UInt32(rate * 0x1p32)
                x[row][element] *= isDropped ? 0 : scaling == .inverted ? 1 / (1 - rate) : 1
            }
        }
    }

    static func convolve(
        _ x: [Double], _ shape: [Int], _ o: ConvolutionOptions, _ weight: [Double], _ bias: [Double]?
    ) -> (y: [Double], shape: [Int]) {
        let (height, width) = (shape[1], shape[2]), channels = shape[0] / o.groups, filters = o.filters / o.groups
        let down = (height + 2 * o.padding.height - o.dilation.height * (o.kernel.height - 1) - 1) / o.stride.height + 1
        let across = (width + 2 * o.padding.width - o.dilation.width * (o.kernel.width - 1) - 1) / o.stride.width + 1
        var y: [Double] = []
        for filter in 0..<o.filters {
            for i in 0..<down {
                for j in 0..<across {
                    var sum = bias?[filter] ?? 0
                    for channel in 0..<channels {
                        for k in 0..<o.kernel.height {
                            for l in 0..<o.kernel.width {
                                let row = i * o.stride.height + k * o.dilation.height - o.padding.height
                                let column = j * o.stride.width + l * o.dilation.width - o.padding.width
                                guard row >= 0, row < height, column >= 0, column < width else { continue }
                                let w = weight[((filter * channels + channel) * o.kernel.height + k) * o.kernel.width + l]
                                sum += w * x[((filter / filters * channels + channel) * height + row) * width + column]
                            }
                        }
                    }
                    y.append(sum)
                }
            }
        }
        return (y, [o.filters, down, across])
    }

    /// `join` gets the window's elements, padding as 0 to an average, which divides by the window's size.
    private func pool(
        _ x: [[Double]], _ shape: [Int], _ o: PoolingOptions, _ join: ([Double]) -> Double
    ) -> ([[Double]], [Int]) {
        let down = (shape[1] + 2 * o.padding.height - o.kernel.height) / o.stride.height + 1
        let across = (shape[2] + 2 * o.padding.width - o.kernel.width) / o.stride.width + 1
        let y = x.map { row in
            (0..<shape[0] * down * across).map { place in
                let (channel, i, j) = (place / (down * across), place / across % down, place % across)
                var window: [Double] = []
                for k in 0..<o.kernel.height {
                    for l in 0..<o.kernel.width {
                        let (r, c) = (i * o.stride.height + k - o.padding.height, j * o.stride.width + l - o.padding.width)
                        if r >= 0, r < shape[1], c >= 0, c < shape[2] { window.append(row[(channel * shape[1] + r) * shape[2] + c]) }
                    }
                }
                return join(window)
            }
        }
        return (y, [shape[0], down, across])
    }

    private func normalize(_ x: inout [[Double]], _ shape: [Int], _ name: String, _ epsilon: Double) {
        guard let scale = parameter("\(name).scale"), let shift = parameter("\(name).shift"),
            let runningMean = parameter("\(name).running_mean"), let runningVariance = parameter("\(name).running_variance")
        else { preconditionFailure("a normalization without its parameters") }
        let area = shape.dropFirst().reduce(1, *), count = x.count * area
        for channel in 0..<shape[0] {
            let places = channel * area..<(channel + 1) * area
            var (mean, variance) = (runningMean[channel], runningVariance[channel])
            if step != nil, count >= 2 {
                let values = x.flatMap { $0[places] }
                mean = values.reduce(0, +) / Double(count)
                variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
            }
            for row in x.indices {
                for place in places {
                    x[row][place] = scale[channel] * (x[row][place] - mean) / (variance + epsilon).squareRoot() + shift[channel]
                }
            }
        }
    }
}
