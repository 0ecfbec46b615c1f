internal import NeuralNet
internal import Wire

extension Wire.BlockFigures {
    /// What the engine found, as it travels.
    init(_ figures: NeuralNet.BlockFigures) {
        self.init(
            rows: UInt32(figures.rows), correct: UInt32(figures.correct), topFive: UInt32(figures.topFive), loss: figures.lossSum,
            squaredError: figures.squaredError)
    }
}
