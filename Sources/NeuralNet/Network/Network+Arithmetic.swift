extension Network {
    /// Multiplications and additions with which one row goes forward and backward through dense layers and convolutions.
    ///
    /// Three products of equal size for each: the output, the gradient of the weights, and that of the input where somebody needs it,
    /// which nobody does of the net's own input. What lies between products is not counted.
    public var operationsPerRow: Int {
        layerOperations.reduce(0) { $0 + $1.forward + $1.backward }
    }

    /// The same of every layer that has any, in the order of the net.
    public var layerOperations: [(forward: Int, backward: Int)] {
        stages.indices.compactMap { index in
            let product = 2 * stages[index].multiplicationsPerRow
            guard product > 0 else { return nil }
            let others = routes.routes[index].map { $0.passed == nil ? 1 : 2 } ?? 0
            return (product, others * product)
        }
    }
}

extension Stage {
    /// Of the forward product for one row.
    fileprivate var multiplicationsPerRow: Int {
        switch kind {
        case .dense(let dense): dense.inputs * dense.units
        case .pointwise, .sum: 0
        case .leafwise(let operation): operation.multiplicationsPerRow
        }
    }
}
