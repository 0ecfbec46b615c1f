/// Numbers the different texts of a column in the order of their first occurrence.
struct TextInterner {
    private(set) var texts: [String] = []
    /// Where each text occurs first.
    private(set) var firstLines: [Int] = []
    private var numbers: [String: Int32] = [:]

    /// Nil beyond the limit of different texts.
    mutating func number(of text: String, line: Int) -> Int32? {
        if let number = numbers[text] { return number }
        guard texts.count < DatasetLimits.distinctTexts else { return nil }
        let number = Int32(texts.count)
        numbers[text] = number
        texts.append(text)
        firstLines.append(line)
        return number
    }

    /// The texts in numeric order if all are numbers, else by their UTF-8 bytes.
    var sortedTexts: [String] { sortedNames(texts) }

    /// For every text its index in `names`; a text that is not there is given with its first line.
    func indices(in names: [String]) -> Result<[Int32], UnknownText> {
        let known = classIndices(names)
        var indices: [Int32] = []
        for (number, text) in texts.enumerated() {
            guard let index = known[text] else { return .failure(UnknownText(text: text, line: firstLines[number])) }
            indices.append(index)
        }
        return .success(indices)
    }

    struct UnknownText: Error {
        let text: String
        let line: Int
    }
}

/// Numeric order if all names are numbers (equal numbers by text), else the order of their UTF-8 bytes.
func sortedNames(_ names: [String]) -> [String] {
    let byText = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let numbers = byText.map { DecimalNumber.double($0) }
    guard !numbers.contains(nil) else { return byText }
    // Stable: the standard library's sort keeps equal elements in order.
    return zip(byText, numbers.map { $0 ?? 0 }).sorted { $0.1 < $1.1 }.map { $0.0 }
}

/// The index of every class name; of a name that occurs twice, the first.
func classIndices(_ names: [String]) -> [String: Int32] {
    Dictionary(names.enumerated().map { ($1, Int32($0)) }, uniquingKeysWith: { first, _ in first })
}
