/// Reads the part of JSON (RFC 8259) that headers are made of, strictly: objects, strings, arrays of whole numbers.
///
/// A general decoder would let a repeated key pass.
struct JSONScanner {
    private let text: [UInt8]
    private var position = 0

    init(_ text: [UInt8]) {
        self.text = text
    }

    /// Calls `member` for every key, standing at its value; the closure must read exactly that value.
    mutating func object(
        _ member: (inout JSONScanner, String) throws(SafetensorsFile.Defect) -> Void
    ) throws(SafetensorsFile.Defect) {
        var keys: Set<String> = []
        try sequence(from: "{", to: "}", "an object") { (scanner) throws(SafetensorsFile.Defect) in
            let key = try scanner.string()
            guard keys.insert(key).inserted else { throw .duplicateKey(key) }
            guard scanner.takeToken(":") else { throw scanner.expected("“:”") }
            try member(&scanner, key)
        }
    }

    /// An array of numbers without sign, fraction or exponent.
    mutating func wholeNumbers(exactly count: Int? = nil) throws(SafetensorsFile.Defect) -> [Int] {
        var numbers: [Int] = []
        try sequence(from: "[", to: "]", "an array") { (scanner) throws(SafetensorsFile.Defect) in
            numbers.append(try scanner.wholeNumber())
        }
        if let count, numbers.count != count { throw expected("\(count) numbers before this, not \(numbers.count)") }
        return numbers
    }

    /// Nothing but white space may follow.
    mutating func end() throws(SafetensorsFile.Defect) {
        skipSpace()
        guard position == text.count else { throw expected("the end") }
    }

    mutating func string() throws(SafetensorsFile.Defect) -> String {
        guard takeToken("\"") else { throw expected("a string") }
        var bytes: [UInt8] = []
        while let byte = next, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw expected("no control character within a string") }
            position += 1
            if byte == UInt8(ascii: "\\") {
                bytes += try escaped().utf8
            } else {
                bytes.append(byte)
            }
        }
        guard take("\"") else { throw expected("the end of a string") }
        guard let string = String(validating: bytes, as: UTF8.self) else { throw expected("UTF-8 before this") }
        return string
    }
}

extension JSONScanner {
    private var next: UInt8? { position < text.count ? text[position] : nil }

    private func expected(_ what: String) -> SafetensorsFile.Defect {
        .badHeader(offset: position, expected: what)
    }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func takeToken(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        return take(character)
    }

    private mutating func sequence(
        from open: Unicode.Scalar, to close: Unicode.Scalar, _ what: String,
        _ element: (inout JSONScanner) throws(SafetensorsFile.Defect) -> Void
    ) throws(SafetensorsFile.Defect) {
        guard takeToken(open) else { throw expected(what) }
        if takeToken(close) { return }
        repeat { try element(&self) } while takeToken(",")
        guard takeToken(close) else { throw expected("“,” or “\(close)”") }
    }

    private mutating func wholeNumber() throws(SafetensorsFile.Defect) -> Int {
        skipSpace()
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        let digits = text[start..<position]
        guard let number = Int(String(decoding: digits, as: UTF8.self)), digits.count == 1 || digits.first != UInt8(ascii: "0") else {
            position = start
            throw expected("a whole number below 2^63")
        }
        return number
    }

    /// What stands behind a backslash.
    private mutating func escaped() throws(SafetensorsFile.Defect) -> String {
        let simple: [(Unicode.Scalar, String)] = [
            ("\"", "\""), ("\\", "\\"), ("/", "/"), ("b", "\u{8}"), ("f", "\u{C}"), ("n", "\n"), ("r", "\r"), ("t", "\t"),
        ]
        for (character, meaning) in simple where take(character) { return meaning }
        guard take("u") else { throw expected("one of \" \\ / b f n r t u behind a backslash") }
        let first = try codeUnit()
        guard UTF16.isLeadSurrogate(first) else {
            guard let scalar = Unicode.Scalar(first) else { throw expected("the first half of a pair before this") }
            return String(scalar)
        }
        guard take("\\"), take("u") else { throw expected("the second half of a pair") }
        let second = try codeUnit()
        guard UTF16.isTrailSurrogate(second) else { throw expected("the second half of a pair before this") }
        return String(decoding: [first, second], as: UTF16.self)
    }

    private mutating func codeUnit() throws(SafetensorsFile.Defect) -> UInt16 {
        let digits = text[position..<min(position + 4, text.count)]
        let letters = String(decoding: digits, as: UTF8.self)
        guard digits.count == 4, let value = UInt16(letters, radix: 16), letters.first != "+" else {
            throw expected("four hexadecimal digits")
        }
        position += 4
        return value
    }
}
