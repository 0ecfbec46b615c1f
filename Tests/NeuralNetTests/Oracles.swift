import Foundation

/// Files of cases that other people's code computed: the copies of this package, and those of the folder `DNN_ORACLES` if it is set.
enum Oracles {
    /// - Parameter part: of this package's copies, where the cases of one file lie apart.
    static func cases<Case: Decodable>(_ file: String, _ type: Case.Type, part: String = "") throws -> [Case] {
        var folders: [URL] = []
        if let url = Bundle.module.url(forResource: "Fixtures", withExtension: nil) { folders.append(url.appending(path: part)) }
        if let path = ProcessInfo.processInfo.environment["DNN_ORACLES"] { folders.append(URL(fileURLWithPath: path)) }
        return try folders.flatMap { try JSONDecoder().decode(File<Case>.self, from: Data(contentsOf: $0.appending(path: file))).cases }
    }

    private struct File<Case: Decodable>: Decodable {
        let cases: [Case]
    }

    struct Tensor: Decodable {
        let shape: [Int]
        let values: [Double]
        var floats: [Float] { values.map { Float($0) } }
    }

    struct Layer: Decodable {
        let layer: String
        let options: Options
        let x, y, dy, dx: Tensor
        let parameters, gradients: [String: Tensor]

        struct Options: Decodable {
            let bias, perChannel: Bool?
            let slope, alpha, eps: Double?
            let pieces: Int?
            enum CodingKeys: String, CodingKey {
                case bias, slope, alpha, eps, pieces
                case perChannel = "per_channel"
            }
        }

        /// By our names: norms have a scale and a shift, a PReLU has a slope.
        var named: [String: Tensor] { renamed(parameters) }
        var namedGradients: [String: Tensor] { renamed(gradients) }

        private func renamed(_ tensors: [String: Tensor]) -> [String: Tensor] {
            let names: [String: String] =
                switch layer {
                case "layer_norm", "batch_norm": ["weight": "scale", "bias": "shift"]
                case "prelu": ["weight": "slope"]
                default: [:]
                }
            return Dictionary(uniqueKeysWithValues: tensors.map { (names[$0.key] ?? $0.key, $0.value) })
        }
    }

    struct Loss: Decodable {
        let loss: String
        let options: Options
        let prediction, target, gradient: Tensor
        let value: Double

        struct Options: Decodable {
            let labelSmoothing, delta: Double?
            enum CodingKeys: String, CodingKey {
                case labelSmoothing = "label_smoothing"
                case delta
            }
        }
    }

    struct Run: Decodable {
        let activation, optimizer: String
        let options: Options
        let batch, epochs: Int
        let x: Tensor
        let labels: [Int32]
        let initial, final: [String: Tensor]
        let losses: [Double]

        struct Options: Decodable {
            let lr: Double
            let betas: [Double]?
            let eps, momentum, alpha, weightDecay: Double?
            enum CodingKeys: String, CodingKey {
                case lr, betas, eps, momentum, alpha
                case weightDecay = "weight_decay"
            }
        }
    }
}
