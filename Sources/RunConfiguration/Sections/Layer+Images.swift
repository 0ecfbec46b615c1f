internal import NeuralNet

extension LayerSpecification {
    static func readConvolution(_ s: Section) -> LayerKind? {
        let filters = s.required("filters", .whole(in: 1...Ranges.units))
        let kernel = s.required("kernel", .extent(from: 1))
        let stride = s.value("stride", .extent(from: 1), default: Extent(1))
        let padding = s.value("padding", .extent(from: 0), default: Extent(0))
        let dilation = s.value("dilation", .extent(from: 1), default: Extent(1))
        let groups = s.value("groups", .whole(in: 1...Ranges.units), default: 1)
        let bias = s.value("bias", .flag, default: true)
        let initializer = s.variant("initializer", InitializerSpecification.variants(standard: "none"), default: nil)
        let biasInitializer = s.variant("bias_initializer", InitializerSpecification.variants, default: .constant(0))
        guard let filters, let kernel, let initializer, let biasInitializer else { return nil }
        return .conv2d(
            ConvolutionOptions(
                filters: filters, kernel: kernel, stride: stride, padding: padding, dilation: dilation, groups: groups, bias: bias,
                initializer: initializer, biasInitializer: biasInitializer))
    }

    static func readPooling(_ s: Section) -> PoolingOptions? {
        let kernel = s.required("kernel", .extent(from: 1))
        let stride = s.optional("stride", .extent(from: 1), nilName: "kernel")
        let padding = s.value("padding", .extent(from: 0), default: Extent(0))
        return kernel.map { PoolingOptions(kernel: $0, stride: stride, padding: padding) }
    }

    static func readBatchNormalization(_ s: Section) -> LayerKind? {
        let momentum = s.value("momentum", .number(.within(0...1)), default: 0.1)
        let epsilon = s.value("epsilon", .number(.positive), default: 1e-5)
        return .batchNorm(momentum: momentum, epsilon: epsilon)
    }
}

extension ValueKind where Value == Extent {
    /// `3`, or `[3, 5]`: down, then across.
    fileprivate static func extent(from least: Int) -> Self {
        let one = ValueKind<Int>.whole(in: least...Ranges.windowExtent)
        let words = "\(one.expectation), or [height, width] of two such"
        let pair = ValueKind<[Int]>.list(of: one, counts: 2...2, words)
        return ValueKind(words) { tree throws(Mismatch) in
            if case .list = tree.content {
                do throws(ValueKind<[Int]>.Mismatch) {
                    let sizes = try pair.read(tree)
                    return Extent(sizes[0], sizes[1])
                } catch { throw error.converted() }
            }
            do throws(ValueKind<Int>.Mismatch) { return Extent(try one.read(tree)) } catch { throw error.converted() }
        }
    }
}

extension ConvolutionOptions {
    var outline: [Outline.Entry] {
        [
            .init("filters", .whole(filters), .bits),
            .init("kernel", kernel.outline, .bits),
            .init("stride", stride.outline, .bits),
            .init("padding", padding.outline, .bits),
            .init("dilation", dilation.outline, .bits),
            .init("groups", .whole(groups), .bits),
            .init("bias", .flag(bias), .bits),
            .init("initializer", initializer?.outline ?? .none, .bits),
            .init("bias_initializer", biasInitializer.outline, .bits),
        ]
    }
}

extension PoolingOptions {
    var outline: [Outline.Entry] {
        [
            .init("kernel", kernel.outline, .bits), .init("stride", stride.outline, .bits), .init("padding", padding.outline, .bits),
        ]
    }
}

extension Extent {
    fileprivate var outline: Outline {
        height == width ? .whole(height) : .list([.whole(height), .whole(width)])
    }
}
