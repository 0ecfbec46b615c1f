extension String {
    /// The index of a line's column; both count from 1, columns in Unicode scalars.
    func index(line: Int, column: Int) -> String.Index? {
        let scalars = unicodeScalars
        var index = scalars.startIndex
        for _ in 1..<max(line, 1) {
            guard let end = scalars[index...].firstIndex(where: Self.isLineBreak) else { return nil }
            let next = scalars.index(after: end)
            let isPair = scalars[end] == "\r" && next < scalars.endIndex && scalars[next] == "\n"
            index = isPair ? scalars.index(after: next) : next
        }
        guard let result = scalars.index(index, offsetBy: max(column, 1) - 1, limitedBy: scalars.endIndex) else { return nil }
        return result < scalars.endIndex ? result : nil
    }

    func character(line: Int, column: Int) -> Unicode.Scalar? {
        index(line: line, column: column).map { unicodeScalars[$0] }
    }

    func position(ofByte offset: Int) -> (line: Int, column: Int) {
        let before = utf8.prefix(max(offset, 0))
        let line = before.count { $0 == UInt8(ascii: "\n") }
        let lastLine = before.suffix { $0 != UInt8(ascii: "\n") }
        // A scalar's later bytes are 10xxxxxx.
        return (line + 1, lastLine.count { $0 & 0xC0 != 0x80 } + 1)
    }

    /// Where an alias, a list or a map seems to serve as a key in a text that has aliases.
    ///
    /// The parser hashes keys with all that their aliases stand for, which takes forever where aliases of aliases are stacked.
    /// So such texts do not reach it. The search is coarse: it looks into comments and quotes, too.
    var positionOfComplexKeyBesideAliases: (line: Int, column: Int)? {
        let bytes = Array(utf8)
        guard bytes.contains(UInt8(ascii: "*")) else { return nil }
        let blanks = Set(" \t\r\n".utf8), openers = Set(" \t\r\n[{,".utf8), closers = Set("]}".utf8)
        for (i, byte) in bytes.enumerated() {
            var next = i + 1
            if byte == UInt8(ascii: "?") {
                let startsToken = i == 0 || openers.contains(bytes[i - 1])
                if startsToken && (next == bytes.count || blanks.contains(bytes[next])) { return position(ofByte: i) }
                continue
            }
            if byte == UInt8(ascii: "*") {
                while next < bytes.count, Self.isAliasByte(bytes[next]) { next += 1 }
                if next == i + 1 { continue }
            } else if !closers.contains(byte) {
                continue
            }
            while next < bytes.count, blanks.contains(bytes[next]) { next += 1 }
            if next < bytes.count, bytes[next] == UInt8(ascii: ":") { return position(ofByte: i) }
        }
        return nil
    }

    private static func isAliasByte(_ byte: UInt8) -> Bool {
        UnicodeScalar(byte).properties.isAlphabetic || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }

    private static func isLineBreak(_ scalar: Unicode.Scalar) -> Bool {
        ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"].contains(scalar)
    }
}

extension BidirectionalCollection {
    fileprivate func suffix(while matches: (Element) -> Bool) -> SubSequence {
        var start = endIndex
        while start > startIndex, matches(self[index(before: start)]) { start = index(before: start) }
        return self[start...]
    }
}
