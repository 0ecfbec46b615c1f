/// A net and a batch that peers are measured on as well; the data is random, but for the digits.
public enum Workload: String, CaseIterable, Sendable {
    case tiny, small, wide, deep, cnn
    /// The data and the net of deploy/examples/digits.yaml.
    case digits

    var inputs: Int { self == .tiny || self == .digits ? 64 : 784 }

    /// Of one row of random data.
    var rowShape: [Int] { self == .cnn ? [28, 28] : [inputs] }

    var batchSize: Int {
        switch self {
        case .tiny, .digits: 64
        case .small, .cnn: 128
        case .wide: 512
        case .deep: 256
        }
    }

    /// Enough steps for a steady median, few enough for a minute.
    public var defaultSteps: Int {
        switch self {
        case .tiny, .digits: 4_000
        case .small: 600
        case .wide, .cnn: 60
        case .deep: 200
        }
    }

    private var layers: [String] {
        switch self {
        case .tiny: ["dense: {units: 64}", "relu"]
        case .small: Array(repeating: ["dense: {units: 512}", "relu", "dropout: {rate: 0.2}"], count: 2).flatMap { $0 }
        case .wide: Array(repeating: ["dense: {units: 2048}", "relu"], count: 2).flatMap { $0 }
        case .deep: Array(repeating: ["dense: {units: 256}", "relu"], count: 19).flatMap { $0 }
        case .cnn:
            [
                "conv2d: {filters: 32, kernel: 3}", "relu", "conv2d: {filters: 64, kernel: 3}", "relu", "max_pool2d: {kernel: 2}",
                "dropout: {rate: 0.25}", "flatten", "dense: {units: 128}", "relu", "dropout: {rate: 0.5}",
            ]
        case .digits: ["dense: {units: 128}", "relu", "dense: {units: 64}", "relu"]
        }
    }

    /// The layers as a list in YAML.
    var layerList: String {
        let inner = layers.map { $0.contains(":") ? "{\($0)}" : $0 }.joined(separator: ", ")
        return "[\(self == .cnn ? "" : "flatten, ")\(inner), {dense: {units: 10}}]"
    }
}
