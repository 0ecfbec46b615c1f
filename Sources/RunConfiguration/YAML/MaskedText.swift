/// A text in which keys that are written twice can be hidden from a parser that stops at them, without moving anything.
///
/// The first letter of a hidden key is replaced by a private-use character, which no key begins with otherwise.
struct MaskedText {
    private(set) var text: String
    private var hiddenLetters: [Unicode.Scalar] = []
    private let canHide: Bool

    init(_ text: String) {
        self.text = text
        canHide = !text.unicodeScalars.contains { Self.masks.contains($0.value) }
    }

    /// Hides the key that begins at a position. False if it cannot, or if too many are hidden already.
    mutating func hideKey(line: Int, column: Int) -> Bool {
        guard canHide, hiddenLetters.count < Limits.duplicateKeyCount else { return false }
        guard var index = text.index(line: line, column: column) else { return false }
        let scalars = text.unicodeScalars
        if scalars[index] == "\"" || scalars[index] == "'" { index = scalars.index(after: index) }
        guard index < scalars.endIndex, !Self.unsafeBeginnings.contains(scalars[index]) else { return false }
        guard let mask = Unicode.Scalar(Self.masks.lowerBound + UInt32(hiddenLetters.count)) else { return false }
        hiddenLetters.append(scalars[index])
        text.unicodeScalars.replaceSubrange(index...index, with: CollectionOfOne(mask))
        return true
    }

    /// A key as it was written.
    func unhidden(_ key: String) -> String {
        guard let first = key.unicodeScalars.first, Self.masks.contains(first.value) else { return key }
        let number = Int(first.value - Self.masks.lowerBound)
        guard number < hiddenLetters.count else { return key }
        return String(hiddenLetters[number]) + String(key.unicodeScalars.dropFirst())
    }

    private static let masks: ClosedRange<UInt32> = 0xE000...0xE0FF
    /// Quotes, escapes, anchors, tags, aliases, collections: replacing these would change more than a letter.
    private static let unsafeBeginnings: Set<Unicode.Scalar> = ["\"", "'", "\\", "&", "!", "*", "?", "[", "{", "\n", "\r", " ", ":"]
}
