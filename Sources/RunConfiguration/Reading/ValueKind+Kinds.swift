extension ValueKind where Value == Int {
    /// A whole number. Values such as `1e6` count as whole.
    static func whole(in range: ClosedRange<Int>) -> Self {
        ValueKind("a whole number in \(range.lowerBound)…\(range.upperBound)") { tree throws(Mismatch) in
            guard let value = try tree.wholeNumber(Int.self, Mismatch.self), range.contains(value) else { throw .unexpected }
            return value
        }
    }
}

extension ValueKind where Value == UInt64 {
    static var unsigned64: Self {
        ValueKind("a whole number in 0…\(UInt64.max)") { tree throws(Mismatch) in
            guard let value = try tree.wholeNumber(UInt64.self, Mismatch.self) else { throw .unexpected }
            return value
        }
    }
}

extension ValueKind where Value == Double {
    /// A finite number that 32-bit floats can hold.
    static func number(_ range: NumberRange) -> Self {
        ValueKind("a number\(range.words)") { tree throws(Mismatch) in
            guard case .scalar(let scalar) = tree.content else { throw .unexpected }
            let value: Double
            switch scalar.meaning {
            case .integer(let isNegative, let magnitude?): value = isNegative ? -Double(magnitude) : Double(magnitude)
            case .number(let number): value = number
            case .notFinite, .integer(_, nil): throw .unexpected(hint: "numbers must be finite and fit 32-bit floats")
            default: throw .unexpected(hint: scalar.numberHint)
            }
            guard range.contains(value) else { throw .unexpected }
            let size = abs(value)
            if size > 0 && size < Double(Float.leastNormalMagnitude) { throw .unexpected(hint: "it is too small for 32-bit floats") }
            if size > Double(Float.greatestFiniteMagnitude) { throw .unexpected(hint: "it is too large for 32-bit floats") }
            // -0 is written and hashed as 0.
            return value == 0 ? 0 : value
        }
    }
}

/// Which numbers are allowed, with the words that follow "a number".
struct NumberRange {
    let words: String
    let contains: (Double) -> Bool

    static var any: Self { .init(words: "") { _ in true } }
    static var positive: Self { .init(words: " > 0") { $0 > 0 } }
    static var nonNegative: Self { .init(words: " ≥ 0") { $0 >= 0 } }
    /// 0 ≤ x < 1, as a 32-bit float, too.
    static var belowOne: Self { .init(words: " ≥ 0 and < 1") { $0 >= 0 && Float($0) < 1 } }
    /// 0 < x < 1.
    static var properFraction: Self { .init(words: " > 0 and < 1") { $0 > 0 && $0 < 1 } }
    /// 0 < x ≤ 1.
    static var positiveUpToOne: Self { .init(words: " > 0 and ≤ 1") { $0 > 0 && $0 <= 1 } }

    static func within(_ range: ClosedRange<Double>) -> Self {
        .init(words: " in \(Scalar.decimal(range.lowerBound))…\(Scalar.decimal(range.upperBound))") { range.contains($0) }
    }
}

extension ValueKind where Value == Bool {
    static var flag: Self {
        ValueKind("true or false") { tree throws(Mismatch) in
            guard case .scalar(let scalar) = tree.content else { throw .unexpected }
            if case .flag(let flag) = scalar.meaning { return flag }
            switch scalar.text.lowercased() {
            case "yes", "on", "true", "1": throw .unexpected(hint: "did you mean true?")
            case "no", "off", "false", "0": throw .unexpected(hint: "did you mean false?")
            default: throw .unexpected
            }
        }
    }
}

extension ValueKind where Value == String {
    static func text(_ expectation: String = "text") -> Self {
        ValueKind(expectation) { tree throws(Mismatch) in
            guard case .scalar(let scalar) = tree.content else { throw .unexpected }
            switch scalar.meaning {
            case .text(let text): return text
            case .null: throw .unexpected
            default: throw .unexpected(hint: "to have it as text, write \(Scalar.quoted(scalar.text)) with the quotes")
            }
        }
    }
}

extension ValueKind where Value: Sendable {
    /// One of the supported names.
    static func choice(_ names: Names<Value>) -> Self {
        ValueKind((names.supported.count == 1 ? "" : "one of ") + names.list) { tree throws(Mismatch) in
            guard case .scalar(let scalar) = tree.content, case .text(let name) = scalar.meaning else {
                if case .map(let entries) = tree.content, entries.count == 1 { throw .other(names.complaint(about: entries[0].key)) }
                throw .unexpected
            }
            guard let value = names[name] else { throw .other(names.complaint(about: name)) }
            return value
        }
    }
}

extension ValueKind {
    /// A list. `words` describes it as a whole, items included.
    static func list<Item>(of item: ValueKind<Item>, counts: ClosedRange<Int>, _ words: String) -> Self where Value == [Item] {
        ValueKind(words) { tree throws(Mismatch) in
            guard case .list(let items) = tree.content, counts.contains(items.count) else { throw .unexpected }
            var values: [Item] = []
            for (index, tree) in items.enumerated() {
                do throws(ValueKind<Item>.Mismatch) { values.append(try item.read(tree)) } catch {
                    throw .other("must be \(words); item \(index) " + error.text(item, tree))
                }
            }
            return values
        }
    }
}

extension Tree {
    /// nil where the number is whole but does not fit.
    fileprivate func wholeNumber<Whole: FixedWidthInteger, Kind>(
        _ type: Whole.Type, _ mismatch: ValueKind<Kind>.Mismatch.Type
    ) throws(ValueKind<Kind>.Mismatch) -> Whole? {
        guard case .scalar(let scalar) = content else { throw .unexpected }
        switch scalar.meaning {
        case .integer(let isNegative, let magnitude?):
            if isNegative { return Whole(exactly: -Double(magnitude)) }
            return Whole(exactly: magnitude)
        case .integer(_, nil): return nil
        case .number(let value): return Whole(exactly: value)
        default: throw .unexpected(hint: scalar.numberHint)
        }
    }
}

extension Scalar {
    /// What somebody who wrote this text for a number may have meant.
    fileprivate var numberHint: String? {
        guard case .text(let text) = meaning else { return nil }
        let bare = text.filter { $0 != "_" && $0 != "," && $0 != " " }
        switch Scalar(text: bare, isPlain: true).meaning {
        case .integer, .number: return isPlain || bare != text ? "write \(bare)" : "remove the quotes"
        default: return nil
        }
    }
}
