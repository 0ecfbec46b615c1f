extension Network {
    /// Multiplications and additions with which one row goes forward and backward through dense layers and convolutions.
    ///
    /// Three products of equal size for each: the output, the gradient of the weights, and that of the input where somebody needs it,
    /// which nobody does of the net's own input. What lies between products is not counted.
    public var operationsPerRow: Int {
        stages.indices.reduce(0) { sum, index in
            let products = routes.routes[index].map { $0.passed == nil ? 2 : 3 } ?? 1
            return sum + 2 * products * stages[index].multiplicationsPerRow
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
