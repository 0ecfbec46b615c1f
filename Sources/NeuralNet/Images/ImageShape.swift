internal import Kernels

/// Channels and size of an image, and how so many of them lie in memory between image layers.
struct ImageShape: Hashable, Sendable {
    var channels: Int
    var extent: ImageExtent

    /// From `[channels, height, width]`.
    init(_ shape: [Int]) {
        channels = shape[0]
        extent = ImageExtent(shape[1], shape[2])
    }

    var width: Int { channels * extent.height * extent.width }

    /// All image layers agree on this layout, so that any of them reads what another gave, and sums join what lies alike.
    /// - Parameter block: 16 with AVX-512, else 8: what oneDNN's convolutions choose.
    func layout(rows: Int, block: Int) -> TensorLayout {
        TensorLayout(rows: rows, channels: channels, image: extent, block: block)
    }

    func plainLayout(rows: Int) -> TensorLayout {
        TensorLayout(shape: [rows, channels, extent.height, extent.width])
    }

    /// As an operation finds it: in the layout of images, or as plain rows.
    func layout(rows: Int, block: Int, isPlain: Bool) -> TensorLayout {
        isPlain ? plainLayout(rows: rows) : layout(rows: rows, block: block)
    }
}

extension Extent {
    var kernelExtent: ImageExtent { ImageExtent(height, width) }
}

/// Compiled primitives by number of rows, made at the first use of a number and kept.
struct Compiled<Plan> {
    private var plans: [Int: Plan] = [:]

    subscript(rows: Int) -> Plan {
        guard let plan = plans[rows] else { preconditionFailure("\(rows) rows that were not prepared") }
        return plan
    }

    func contains(_ rows: Int) -> Bool { plans[rows] != nil }

    mutating func prepare(_ rows: Int, _ make: () -> Plan) {
        if plans[rows] == nil { plans[rows] = make() }
    }
}
