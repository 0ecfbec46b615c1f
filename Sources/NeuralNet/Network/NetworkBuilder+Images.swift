internal import Kernels

extension NetworkBuilder {
    mutating func appendConvolution(_ index: Int, _ options: ConvolutionOptions) throws(ModelError) {
        let image = try imageShape(index)
        let window = ImageWindow(
            kernel: options.kernel.kernelExtent, stride: options.stride.kernelExtent, padding: options.padding.kernelExtent,
            dilation: options.dilation.kernelExtent)
        guard options.filters >= 1 else { throw error(index, "filters must be at least 1, got \(options.filters)") }
        guard options.groups >= 1 else { throw error(index, "groups must be at least 1, got \(options.groups)") }
        guard image.channels % options.groups == 0, options.filters % options.groups == 0 else {
            throw error(
                index,
                "\(options.groups) groups must divide the channels and the filters, but \(giver) gives \(Self.text(shape)) "
                    + "and filters is \(options.filters)")
        }
        let output = try outputShape(index, window, channels: options.filters)
        let initializer = options.initializer ?? automaticInitializer(after: index)
        let weight = try appendParameter(
            index, "weight", [options.filters, image.channels / options.groups, options.kernel.height, options.kernel.width],
            isRegularized: true, initializer)
        let bias =
            options.bias
            ? try appendParameter(index, "bias", [options.filters], isRegularized: false, options.biasInitializer) : nil
        stage(
            .leafwise(
                Convolution(
                    image: image, filters: options.filters, window: window, groups: options.groups, weight: weight, bias: bias)))
        shape = output
    }

    mutating func appendPooling(_ index: Int, _ kind: Pooling2D.Kind, _ options: PoolingOptions) throws(ModelError) {
        let image = try imageShape(index)
        let window = ImageWindow(
            kernel: options.kernel.kernelExtent, stride: options.stride.kernelExtent, padding: options.padding.kernelExtent)
        let output = try outputShape(index, window, channels: image.channels)
        guard options.padding.height < options.kernel.height, options.padding.width < options.kernel.width else {
            throw error(index, "padding must be less than the kernel, or a window has nothing but padding")
        }
        // The largest of max(x, 0) is max(largest x, 0), with the same winner where it counts: there are fewer of the latter.
        let after = kind == .max ? takeActivation(where: { $0.after.activation == .relu }) : .init()
        let last = current
        becomeImage()
        stage(.leafwise(Pooling(kind: kind, image: image, window: window)), after: after)
        if after.activation != .identity, let last { activationMoved(from: last, givingTheSame: false) }
        shape = output
    }

    mutating func appendGlobalPooling(_ index: Int) throws(ModelError) {
        let image = try imageShape(index)
        becomeImage()
        stage(.leafwise(Pooling(kind: .average, image: image, window: ImageWindow(kernel: image.extent))))
        shape = [image.channels]
        becomePlain()
    }

    mutating func appendBatchNormalization(_ index: Int, momentum: Double, epsilon: Double) throws(ModelError) {
        guard momentum >= 0, momentum <= 1 else { throw error(index, "momentum must be in 0…1, got \(momentum)") }
        guard epsilon > 0, Float(epsilon).isFinite else { throw error(index, "epsilon must be a number above 0, got \(epsilon)") }
        let channels = shape[0], image = shape.count == 3 ? ImageShape(shape) : nil
        let scale = try appendParameter(index, "scale", [channels], isRegularized: false, .constant(1))
        let shift = try appendParameter(index, "shift", [channels], isRegularized: false, .constant(0))
        let statistics = appendStatistics(index, channels: channels, momentum: momentum)
        if image != nil { becomeImage() }
        stage(
            .leafwise(
                BatchNormalization(
                    rows: image.map { .images($0) } ?? .plain(width: channels), epsilon: epsilon,
                    range: scale.lowerBound..<shift.upperBound, statisticsIndex: statistics)))
    }

    /// Brings the output so far, an image in plain rows, into the layout of images.
    mutating func becomeImage() {
        if !isImage { stage(.leafwise(ImageCopy(shape: shape, isToPlain: false))) }
    }

    // MARK: Shapes

    private func imageShape(_ index: Int) throws(ModelError) -> ImageShape {
        guard shape.count == 3 else {
            throw error(
                index,
                "takes images (channels × height × width), but \(giver) gives \(Self.text(shape))"
                    + (current == nil && number == 0 ? "; data.shape tells the shape of a row: [channels, height, width]" : ""))
        }
        return ImageShape(shape)
    }

    private func outputShape(_ index: Int, _ window: ImageWindow, channels: Int) throws(ModelError) -> [Int] {
        func check(_ name: String, _ extent: ImageExtent, from least: Int) throws(ModelError) {
            guard min(extent.height, extent.width) >= least, max(extent.height, extent.width) <= Self.largestExtent else {
                throw error(index, "\(name) must be in \(least)…\(Self.largestExtent), got \(Self.text(extent))")
            }
        }
        try check("kernel", window.kernel, from: 1)
        try check("stride", window.stride, from: 1)
        try check("padding", window.padding, from: 0)
        try check("dilation", window.dilation, from: 1)
        let output = window.output(of: ImageShape(shape).extent)
        guard output.height >= 1, output.width >= 1 else {
            let dilation = window.dilation == ImageExtent(1) ? "" : " with dilation \(Self.text(window.dilation))"
            throw error(
                index,
                "a kernel of \(Self.text(window.kernel))\(dilation) does not fit on images of \(Self.text(shape))"
                    + (window.padding == ImageExtent(0) ? "" : " with padding \(Self.text(window.padding))"))
        }
        let (area, overflow) = output.height.multipliedReportingOverflow(by: output.width)
        let (size, overflow2) = area.multipliedReportingOverflow(by: channels)
        guard !overflow, !overflow2, size <= Self.largestRow else {
            throw error(index, "\(channels)×\(output.height)×\(output.width) values are more than a row may have (2^28)")
        }
        return [channels, output.height, output.width]
    }

    static func text(_ extent: ImageExtent) -> String {
        "\(extent.height)×\(extent.width)"
    }

    /// Of a kernel, stride, padding or dilation.
    private static let largestExtent = 4_096
}
