/// A run of parameters that are treated alike: one entry of the layout.
public struct UpdateSegment: Equatable, Sendable {
    /// Elements of the layout.
    public var range: Range<Int>
    /// Whether L1, L2 and the rule's own decay apply unless a group says otherwise: weights yes, biases and slopes no.
    public var isRegularized: Bool
    /// What groups match.
    public var name: String
    /// With at least two dimensions the first one counts rows, which `maxNorm` bounds.
    public var shape: [Int]

    public init(range: Range<Int>, isRegularized: Bool, name: String = "", shape: [Int] = []) {
        self.range = range
        self.isRegularized = isRegularized
        self.name = name
        self.shape = shape
    }

    /// Elements of a row; nil where there are none.
    var rowLength: Int? {
        guard shape.count >= 2, shape[0] > 0, !range.isEmpty else { return nil }
        precondition(range.count % shape[0] == 0, "a segment has the size of its shape")
        return range.count / shape[0]
    }
}
