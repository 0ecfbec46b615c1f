/// A size down and across an image.
public struct Extent: Codable, Equatable, Sendable {
    public var height, width: Int

    public init(_ height: Int, _ width: Int) {
        self.height = height
        self.width = width
    }

    public init(_ both: Int) {
        self.init(both, both)
    }
}

/// The options of a `conv2d` layer, as PyTorch's Conv2d.
public struct ConvolutionOptions: Codable, Equatable, Sendable {
    public var filters: Int
    public var kernel: Extent
    public var stride: Extent
    /// On each side.
    public var padding: Extent
    /// From one element of the kernel to the next; 1 leaves no gaps.
    public var dilation: Extent
    /// Channels and filters are cut into so many groups, each among itself.
    public var groups: Int
    public var bias: Bool
    public var initializer: InitializerSpecification?
    public var biasInitializer: InitializerSpecification

    public init(
        filters: Int, kernel: Extent, stride: Extent = Extent(1), padding: Extent = Extent(0), dilation: Extent = Extent(1),
        groups: Int = 1,
        bias: Bool = true, initializer: InitializerSpecification? = nil, biasInitializer: InitializerSpecification = .constant(0)
    ) {
        self.filters = filters
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
        self.bias = bias
        self.initializer = initializer
        self.biasInitializer = biasInitializer
    }
}

/// The options of `max_pool2d` and `avg_pool2d`.
public struct PoolingOptions: Codable, Equatable, Sendable {
    public var kernel: Extent
    /// As the kernel unless it is said.
    public var stride: Extent
    /// On each side; zeros to an average, nothing to a maximum.
    public var padding: Extent

    public init(kernel: Extent, stride: Extent? = nil, padding: Extent = Extent(0)) {
        self.kernel = kernel
        self.stride = stride ?? kernel
        self.padding = padding
    }
}
