/// The names within the folder of checkpoints.
enum SetName {
    static let manifest = "manifest.json"
    static let weights = "weights.safetensors"
    static let slots = "slots.safetensors"
    /// Links for people.
    static let lastLink = "last.safetensors"
    static let bestLink = "best.safetensors"
    /// A set that makes room for another of the same step.
    static let replacedSuffix = ".replaced"
    /// Before the name of a set that is not to be resumed from.
    static let doubtfulPrefix = "doubtful-"

    static func set(_ step: Int) -> String { "step-\(step)" }
    static func best(_ step: Int) -> String { "best-step-\(step).safetensors" }

    static func step(ofSet name: String) -> Int? {
        number(in: name, after: "step-", before: "")
    }

    static func step(ofBest name: String) -> Int? {
        number(in: name, after: "best-step-", before: ".safetensors")
    }

    /// The number if it is written as we write it; other names belong to others.
    private static func number(in name: String, after prefix: String, before suffix: String) -> Int? {
        guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
        guard let number = Int(name.dropFirst(prefix.count).dropLast(suffix.count)), number >= 0 else { return nil }
        return name == prefix + String(number) + suffix ? number : nil
    }
}
