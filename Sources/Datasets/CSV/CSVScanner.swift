/// Cuts UTF-8 text into rows and fields (RFC 4180, with any delimiter and any of the three line ends).
struct CSVScanner {
    /// One field of a row, still in the file's bytes.
    struct Field {
        /// Without the quotes, or without the blanks around an unquoted text.
        var range: Range<Int>
        /// Whether doubled quotes inside stand for one.
        var hasDoubledQuotes = false
        /// Counted from 1; a quoted field may have line ends inside.
        var line: Int
    }

    enum Problem: Error, Equatable {
        case unclosedQuote(line: Int, column: Int)
        case textAfterQuote(line: Int, column: Int)
    }

    private let bytes: [UInt8]
    let delimiter: UInt8
    private var offset: Int
    /// The line that the next row starts at, counted from 1.
    private(set) var line = 1

    private static let quote = UInt8(ascii: "\"")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    init(_ bytes: [UInt8], delimiter: UInt8) {
        self.bytes = bytes
        self.delimiter = delimiter
        offset = bytes.starts(with: Self.byteOrderMark) ? Self.byteOrderMark.count : 0
    }

    /// Replaces `fields` by those of the next row; false at the end, where blank lines do not count.
    mutating func nextRow(_ fields: inout [Field]) throws(Problem) -> Bool {
        guard !isBlankToTheEnd else { return false }
        fields.removeAll(keepingCapacity: true)
        repeat {
            fields.append(try nextField(column: fields.count))
        } while !takeSeparator()
        return true
    }

    func text(_ field: Field) -> String {
        let text = String(decoding: bytes[field.range], as: UTF8.self)
        guard field.hasDoubledQuotes else { return text }
        var undoubled = ""
        var isSecond = false
        for scalar in text.unicodeScalars {
            isSecond = scalar == "\"" && !isSecond
            if !isSecond { undoubled.unicodeScalars.append(scalar) }
        }
        return undoubled
    }

    func number(_ field: Field) -> DecimalNumber {
        DecimalNumber(bytes, field.range)
    }

    private mutating func nextField(column: Int) throws(Problem) -> Field {
        if offset < bytes.count && bytes[offset] == Self.quote { return try quotedField(column: column) }
        var end = offset
        while end < bytes.count && bytes[end] != delimiter && !Self.endsLine(bytes[end]) { end += 1 }
        var range = offset..<end
        offset = end
        while let first = range.first, isBlank(bytes[first]) { range = range.dropFirst() }
        while let last = range.last, isBlank(bytes[last]) { range = range.dropLast() }
        return Field(range: range, line: line)
    }

    private mutating func quotedField(column: Int) throws(Problem) -> Field {
        var field = Field(range: offset + 1..<offset + 1, line: line)
        offset += 1
        while true {
            guard offset < bytes.count else { throw .unclosedQuote(line: field.line, column: column) }
            let byte = bytes[offset]
            offset += 1
            if byte == Self.quote {
                guard offset < bytes.count && bytes[offset] == Self.quote else { break }
                field.hasDoubledQuotes = true
                offset += 1
            } else if byte == Self.lineFeed || byte == Self.carriageReturn && !startsWithLineFeed {
                line += 1
            }
        }
        field.range = field.range.lowerBound..<offset - 1
        while offset < bytes.count && isBlank(bytes[offset]) { offset += 1 }
        guard offset == bytes.count || bytes[offset] == delimiter || Self.endsLine(bytes[offset]) else {
            throw .textAfterQuote(line: line, column: column)
        }
        return field
    }

    /// Steps over what ends a field; true if it ends the row too.
    private mutating func takeSeparator() -> Bool {
        guard offset < bytes.count else { return true }
        let byte = bytes[offset]
        offset += 1
        if byte == delimiter { return false }
        if byte == Self.carriageReturn && startsWithLineFeed { offset += 1 }
        line += 1
        return true
    }

    private var startsWithLineFeed: Bool { offset < bytes.count && bytes[offset] == Self.lineFeed }

    private var isBlankToTheEnd: Bool {
        var at = offset
        while at < bytes.count && (Self.endsLine(bytes[at]) || isBlank(bytes[at])) { at += 1 }
        return at == bytes.count
    }

    private func isBlank(_ byte: UInt8) -> Bool {
        (byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")) && byte != delimiter
    }

    private static func endsLine(_ byte: UInt8) -> Bool {
        byte == lineFeed || byte == carriageReturn
    }
}
