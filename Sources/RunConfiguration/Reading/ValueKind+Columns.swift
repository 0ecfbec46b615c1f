internal import Datasets

extension ValueKind where Value == ColumnReference {
    /// A column's name, or its number from 0.
    static var column: Self {
        ValueKind("a column's name, or its number from 0") { tree throws(Mismatch) in
            guard case .scalar(let scalar) = tree.content else { throw .unexpected }
            switch scalar.meaning {
            case .text(let name) where !name.isEmpty: return .name(name)
            case .integer(false, let number?) where number < UInt64(Ranges.rows): return .index(Int(number))
            case .flag: throw .unexpected(hint: "put a column's name in quotes if it looks like something else")
            default: throw .unexpected
            }
        }
    }
}

extension ColumnReference {
    var isName: Bool {
        if case .name = self { true } else { false }
    }
}

extension ValueKind where Value == Character {
    /// What separates columns.
    static var delimiter: Self {
        ValueKind("one ASCII character other than a letter, a digit, a quote or a line break") { tree throws(Mismatch) in
            guard case .scalar(let scalar) = tree.content, case .text(let text) = scalar.meaning else { throw .unexpected }
            if text == "\\t" || text == "tab" { throw .unexpected(hint: "write \"\\t\" in double quotes") }
            guard text.count == 1, let character = text.first, character.isASCII else { throw .unexpected }
            guard !character.isLetter, !character.isNumber, !"\"\n\r\r\n\0".contains(character) else { throw .unexpected }
            return character
        }
    }
}

extension ValueKind where Value == [Int] {
    /// The shape of a row.
    static var shape: Self {
        let words = "a list [channels, height, width] or [features] of whole numbers ≥ 1"
        let lists = ValueKind.list(of: .whole(in: 1...Ranges.rowElements), counts: 1...3, words)
        return ValueKind(words) { tree throws(Mismatch) in
            let shape = try lists.read(tree)
            guard shape.count != 2 else { throw .other("must be \(words), got 2 numbers") }
            var elements = 1
            for extent in shape {
                let (product, overflows) = elements.multipliedReportingOverflow(by: extent)
                if overflows || product > Ranges.rowElements { throw .other("a row may have at most \(Ranges.rowElements) elements") }
                elements = product
            }
            return shape
        }
    }
}
