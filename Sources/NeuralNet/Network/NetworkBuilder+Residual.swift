internal import Kernels

extension NetworkBuilder {
    /// The layers one after another, then the sum with what they read, or with a projection of it.
    mutating func appendResidual(_ index: Int, _ layers: [LayerSpecification]) throws(ModelError) {
        guard !layers.isEmpty else { throw error(index, "layers must have at least one layer") }
        guard block.path.count < Self.deepestBlock else { throw error(index, "blocks may be \(Self.deepestBlock) deep at most") }
        let own = number, outer = block, entrance = (stage: current, shape: shape, giver: giver)
        sealed = stages.count - 1
        block = Block(
            layers: layers, path: outer.path + [index], namePrefix: parameterPrefix(index) + ".",
            labelPrefix: "\(outer.labelPrefix)layers[\(index)].", following: outer.layers[(index + 1)...] + outer.following)
        for inner in layers.indices { try append(inner) }
        (block, number) = (outer, own)
        sealed = stages.count - 1

        let end = (stage: current, shape: shape, isImage: isImage), before = layout.count
        (current, shape) = (entrance.stage, entrance.shape)
        if entrance.shape != end.shape { try project(index, to: end.shape, giver: entrance.giver) }
        if end.isImage { becomeImage() } else { becomePlain() }
        let shortcut = current
        (current, shape) = (end.stage, end.shape)
        stage(.sum(width: shape.reduce(1, *), shortcut: shortcut))
        insert(summary(index, parameterCount: layout.count - before), at: own - block.path.count)
    }

    /// A dense layer or a 1×1 convolution without bias, from what the block reads to the shape that it gives.
    /// - Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, eq. 2 and option B.
    private mutating func project(_ index: Int, to target: [Int], giver: String) throws(ModelError) {
        let initializer = automaticInitializer(after: index)
        let given = "\(giver) gives \(Self.text(shape)) and its layers \(Self.text(target))"
        guard shape.count == target.count else {
            throw error(index, "\(given): no projection leads from one to the other; put the \"flatten\" before the block")
        }
        guard shape.count == 3 else {
            let weight = try appendParameter(index, "projection.weight", [target[0], shape[0]], isRegularized: true, initializer)
            stage(.dense(Stage.Dense(inputs: shape[0], units: target[0], weight: weight, bias: nil)))
            return
        }
        let image = ImageShape(shape), output = ImageExtent(target[1], target[2])
        let window = ImageWindow(
            kernel: ImageExtent(1),
            stride: ImageExtent((shape[1] + output.height - 1) / output.height, (shape[2] + output.width - 1) / output.width))
        guard window.output(of: image.extent) == output else {
            throw error(
                index,
                "\(given): no 1×1 convolution leads from one to the other, as \(target[1])×\(target[2]) is not \(shape[1])×\(shape[2]) "
                    + "divided by a stride; change padding or stride inside the block")
        }
        let weight = try appendParameter(
            index, "projection.weight", [target[0], shape[0], 1, 1], isRegularized: true, initializer)
        stage(.leafwise(Convolution(image: image, filters: target[0], window: window, groups: 1, weight: weight, bias: nil)))
    }

    /// Of residual blocks inside one another.
    private static let deepestBlock = 16
}
