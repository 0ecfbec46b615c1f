/// A call that a model cannot serve; nothing has changed.
public enum ModelUseError: Error, Equatable, Sendable, CustomStringConvertible {
    case features(Int, width: Int)
    case targets(Int, expected: Int, what: String)
    case classNumber(Int, count: Int)
    case needsClasses(String)
    case noClasses(String)
    case order(String, needs: String)

    public var description: String {
        switch self {
        case .features(let count, let width): "\(count) feature values are not one or more whole rows of \(width)"
        case .targets(let count, let expected, let what): "\(count) \(what), but the rows of the last forward need \(expected)"
        case .classNumber(let number, let count): "class \(number), but classes are 0 to \(count - 1)"
        case .needsClasses(let loss): "loss \(loss) compares with class numbers: call loss(classes:)"
        case .noClasses(let loss): "loss \(loss) compares values, so there are no classes: use what forward gives"
        case .order(let call, let needs): "\(call)() needs \(needs)"
        }
    }
}
