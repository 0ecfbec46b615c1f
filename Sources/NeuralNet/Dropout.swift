internal import Exactness

/// A level that dropout can't have.
public struct DropoutError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Drops the elements of `x` whose mask is false and scales the others by 1/(1 − level), so that the expectation stays
/// (with `.classic` nothing is scaled: the expectation is (1 − level)·x, and inference has to multiply by 1 − level).
///
/// Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 15 (2014), §4 and §10.
/// - Throws: A level outside [0, 1), or a mask of another length than `x`.
public func dropout(
    _ x: [Float], level: Double, mask: [Bool], scaling: DropoutScaling = .inverted
) throws(DropoutError) -> [Float] {
    try checkDropoutLevel(level)
    guard mask.count == x.count else { throw DropoutError("a dropout mask of \(mask.count) elements for \(x.count) values") }
    let scale = Dropout(layer: 0, rate: level, scaling: scaling).trainingScale
    return zip(x, mask).map { value, isKept in isKept ? value * scale : 0 }
}

/// As above with a mask made here: every element is dropped with probability `level`, independently.
///
/// The mask is that of a net's dropout layer number `layer` at `step`, for the sample `sample` (RandomStream: Philox4x32-10).
/// - Returns: The values, and the mask that gave them.
/// - Throws: A level outside [0, 1), or a layer outside 0..<2²⁴.
public func dropout(
    _ x: [Float], level: Double, seed: UInt64, layer: Int = 0, step: UInt64 = 0, sample: UInt32 = 0, scaling: DropoutScaling = .inverted
) throws(DropoutError) -> (values: [Float], mask: [Bool]) {
    try checkDropoutLevel(level)
    guard layer >= 0, layer < 1 << 24 else { throw DropoutError("a layer's number must be in 0..<2^24, got \(layer)") }
    let stream = RandomStream(seed: seed, purpose: .dropout, layer: layer, step: step, sample: sample)
    let threshold = Dropout(layer: layer, rate: level, scaling: scaling).threshold
    let mask = x.indices.map { stream.words($0 / 4)[$0 % 4] >= threshold }
    return (try dropout(x, level: level, mask: mask, scaling: scaling), mask)
}

private func checkDropoutLevel(_ level: Double) throws(DropoutError) {
    guard level >= 0, level < 1 else { throw DropoutError("a dropout level must be at least 0 and less than 1, got \(level)") }
}
