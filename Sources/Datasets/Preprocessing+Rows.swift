extension Preprocessing {
    /// One row of bytes.
    func convert(_ x: UnsafeBufferPointer<UInt8>, into y: UnsafeMutableBufferPointer<Float>) {
        switch self {
        case .none: for i in x.indices { y[i] = Float(x[i]) }
        case .scalar(let offset, let factor): for i in x.indices { y[i] = (Float(x[i]) - offset) * factor }
        case .perFeature(let offset, let factor):
            offset.withUnsafeBufferPointer { offset in
                factor.withUnsafeBufferPointer { factor in
                    for i in x.indices { y[i] = (Float(x[i]) - offset[i]) * factor[i] }
                }
            }
        }
    }

    /// One row of floats.
    func convert(_ x: UnsafeBufferPointer<Float>, into y: UnsafeMutableBufferPointer<Float>) {
        switch self {
        case .none: for i in x.indices { y[i] = x[i] }
        case .scalar(let offset, let factor): for i in x.indices { y[i] = (x[i] - offset) * factor }
        case .perFeature(let offset, let factor):
            offset.withUnsafeBufferPointer { offset in
                factor.withUnsafeBufferPointer { factor in
                    for i in x.indices { y[i] = (x[i] - offset[i]) * factor[i] }
                }
            }
        }
    }
}

extension Table.Features {
    /// Preprocessed features of some rows, `[rows.count, width]`, as a worker makes them.
    /// - Parameter preprocessing: one for `width` features.
    public func fill(
        _ rows: some Collection<Int>, width: Int, preprocessing: Preprocessing, into x: UnsafeMutableBufferPointer<Float>
    ) {
        precondition(x.count == rows.count * width && preprocessing.fits(featureCount: width), "features of another width")
        for (place, row) in rows.enumerated() {
            let y = UnsafeMutableBufferPointer(rebasing: x[place * width..<(place + 1) * width])
            let range = row * width..<(row + 1) * width
            switch self {
            case .u8(let bytes):
                bytes.withUnsafeBufferPointer { preprocessing.convert(UnsafeBufferPointer(rebasing: $0[range]), into: y) }
            case .f32(let floats):
                floats.withUnsafeBufferPointer { preprocessing.convert(UnsafeBufferPointer(rebasing: $0[range]), into: y) }
            }
        }
    }
}
