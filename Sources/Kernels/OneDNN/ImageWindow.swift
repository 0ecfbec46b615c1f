internal import COneDNN

/// Down and across an image.
package struct ImageExtent: Hashable, Sendable {
    package var height, width: Int

    package init(_ height: Int, _ width: Int) {
        self.height = height
        self.width = width
    }

    package init(_ both: Int) {
        self.init(both, both)
    }
}

/// How a window moves over an image.
package struct ImageWindow: Hashable, Sendable {
    package var kernel: ImageExtent
    package var stride: ImageExtent
    /// On each side.
    package var padding: ImageExtent
    /// From one element of the window to the next; 1 leaves no gaps.
    package var dilation: ImageExtent

    package init(
        kernel: ImageExtent, stride: ImageExtent = ImageExtent(1), padding: ImageExtent = ImageExtent(0),
        dilation: ImageExtent = ImageExtent(1)
    ) {
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
    }

    /// Places of the window on an image: ⌊(n + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1; not positive if it does not fit.
    package func output(of image: ImageExtent) -> ImageExtent {
        func places(_ side: KeyPath<ImageExtent, Int>) -> Int {
            let room = image[keyPath: side] + 2 * padding[keyPath: side] - dilation[keyPath: side] * (kernel[keyPath: side] - 1) - 1
            return room < 0 ? 0 : room / stride[keyPath: side] + 1
        }
        return ImageExtent(places(\.height), places(\.width))
    }

    var isValid: Bool {
        kernel.height >= 1 && kernel.width >= 1 && stride.height >= 1 && stride.width >= 1 && padding.height >= 0 && padding.width >= 0
            && dilation.height >= 1 && dilation.width >= 1
    }

    /// For oneDNN, which counts the padding behind as what the places really reach.
    func raw(on image: ImageExtent) -> od_window {
        let places = output(of: image)
        func behind(_ side: KeyPath<ImageExtent, Int>) -> Int {
            let reached = (places[keyPath: side] - 1) * stride[keyPath: side] + dilation[keyPath: side] * (kernel[keyPath: side] - 1) + 1
            return reached - image[keyPath: side] - padding[keyPath: side]
        }
        func raw(_ extent: ImageExtent) -> od_extent { od_extent(height: Int64(extent.height), width: Int64(extent.width)) }
        return od_window_create(
            raw(kernel), raw(stride), raw(ImageExtent(dilation.height - 1, dilation.width - 1)), raw(padding),
            raw(ImageExtent(behind(\.height), behind(\.width))))
    }
}
