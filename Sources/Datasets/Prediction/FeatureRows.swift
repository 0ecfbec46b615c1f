/// Rows without targets, features in the type they were stored in.
public struct FeatureRows: Sendable, Equatable {
    public let features: Table.Features
    public let rowShape: [Int]
    public let rowCount: Int

    public var featureCount: Int { rowShape.reduce(1, *) }

    init(_ features: Table.Features, rowShape: [Int], rowCount: Int) {
        self.features = features
        self.rowShape = rowShape
        self.rowCount = rowCount
    }
}
