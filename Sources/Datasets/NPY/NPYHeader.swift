/// How one element of a .npy file is stored; the raw value is NumPy's `descr`.
public enum NPYElement: String, Sendable, CaseIterable {
    case f32 = "<f4"
    case f64 = "<f8"
    case u8 = "|u1"
    case i32 = "<i4"
    case i64 = "<i8"

    var byteCount: Int {
        switch self {
        case .u8: 1
        case .f32, .i32: 4
        case .f64, .i64: 8
        }
    }

    var isWhole: Bool { self != .f32 && self != .f64 }
}

/// The header of a .npy file: `93 NUMPY`, a version, a length, and a Python dictionary with the keys descr, fortran_order and shape.
///
/// - Source: NumPy manual, "numpy.lib.format", versions 1.0 to 3.0.
struct NPYHeader: Equatable {
    let element: NPYElement
    let dimensions: [Int]
    /// Of the header, padding included: where the elements start.
    let byteCount: Int

    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    private static let versionByteCount = 2

    /// Of the whole file; nil if it is beyond any limit.
    var fileByteCount: Int? {
        guard let body = checkedProduct(dimensions + [element.byteCount]), body <= DatasetLimits.byteCount else { return nil }
        return byteCount + body
    }

    init(_ bytes: [UInt8]) throws(NPYFault) {
        let magic = Self.magic
        guard bytes.starts(with: magic.prefix(bytes.count)) else { throw .magic(Array(bytes.prefix(magic.count))) }
        let fixed = magic.count + Self.versionByteCount
        guard bytes.count >= fixed + 2 else { throw .headerTruncated(byteCount: bytes.count, expected: fixed + 2) }
        let (major, minor) = (bytes[magic.count], bytes[magic.count + 1])
        guard (1...3).contains(major), minor == 0 else { throw .version(major: major, minor: minor) }
        let start = fixed + (major == 1 ? 2 : 4)
        guard bytes.count >= start else { throw .headerTruncated(byteCount: bytes.count, expected: start) }
        let length = bytes[fixed..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard bytes.count >= start + length else { throw .headerTruncated(byteCount: bytes.count, expected: start + length) }
        byteCount = start + length

        var parser = NPYDictionaryParser(bytes[start..<byteCount])
        let dictionary = try parser.dictionary()
        guard let element = Self.element(dictionary.elementType) else { throw .elementType(dictionary.elementType) }
        // One-dimensional arrays are in both orders; NumPy calls them C.
        guard !dictionary.isFortranOrder else { throw .fortranOrder }
        self.element = element
        dimensions = dictionary.shape
    }

    /// A single byte has no order: any mark in front of it means the same.
    private static func element(_ type: String) -> NPYElement? {
        type.count == 3 && type.hasSuffix("u1") ? .u8 : NPYElement(rawValue: type)
    }

    /// How much of the file at `name` there is to read, from its first bytes.
    static func announcedSize(name: String) -> AnnouncedSize {
        { head throws(DatasetError) in
            do throws(NPYFault) {
                let header = try NPYHeader(head)
                guard let size = header.fileByteCount else { throw header.tooLarge }
                return size
            } catch .headerTruncated {
                return nil
            } catch {
                throw .npy(path: name, error)
            }
        }
    }

    var tooLarge: NPYFault { .tooLarge(dimensions: dimensions, limit: DatasetLimits.byteCount) }
}

/// Reads the Python dictionary of a .npy header, in any order and with any blanks, and nothing else.
struct NPYDictionaryParser {
    struct Dictionary {
        var elementType: String
        var isFortranOrder: Bool
        var shape: [Int]
    }

    private let bytes: ArraySlice<UInt8>
    private var at: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        at = bytes.startIndex
    }

    mutating func dictionary() throws(NPYFault) -> Dictionary {
        var elementType: String?
        var isFortranOrder: Bool?
        var shape: [Int]?
        try expect("{")
        while !take("}") {
            let start = at
            let key = try string("a key in quotes")
            try expect(":")
            switch key {
            case "descr": elementType = try string("an element type such as '<f4' in quotes (structured arrays cannot be read)")
            case "fortran_order": isFortranOrder = try flag()
            case "shape": shape = try tuple()
            default: throw .header(offset: start, expected: "the key 'descr', 'fortran_order' or 'shape'")
            }
            if !take(",") {
                try expect("}")
                break
            }
        }
        let end = at
        skipBlanks()
        guard at == bytes.endIndex else { throw .header(offset: at, expected: "nothing but blanks behind the dictionary") }
        guard let elementType else { throw .header(offset: end, expected: "the key 'descr' before the end of the dictionary") }
        guard let isFortranOrder else { throw .header(offset: end, expected: "the key 'fortran_order' before the end of the dictionary") }
        guard let shape else { throw .header(offset: end, expected: "the key 'shape' before the end of the dictionary") }
        return Dictionary(elementType: elementType, isFortranOrder: isFortranOrder, shape: shape)
    }

    private mutating func string(_ expected: String) throws(NPYFault) -> String {
        skipBlanks()
        guard at < bytes.endIndex, bytes[at] == UInt8(ascii: "'") || bytes[at] == UInt8(ascii: "\"") else {
            throw .header(offset: at, expected: expected)
        }
        guard let end = bytes[(at + 1)...].firstIndex(of: bytes[at]) else { throw .header(offset: at, expected: "a closing quote") }
        let text = String(decoding: bytes[(at + 1)..<end], as: UTF8.self)
        at = end + 1
        return text
    }

    private mutating func flag() throws(NPYFault) -> Bool {
        skipBlanks()
        for (word, value) in [("True", true), ("False", false)] where bytes[at...].starts(with: word.utf8) {
            at += word.utf8.count
            return value
        }
        throw .header(offset: at, expected: "True or False")
    }

    private mutating func tuple() throws(NPYFault) -> [Int] {
        try expect("(")
        var numbers: [Int] = []
        while !take(")") {
            skipBlanks()
            let start = at
            var number = 0
            while at < bytes.endIndex, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) {
                let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
                let (sum, carry) = tens.addingReportingOverflow(Int(bytes[at] - UInt8(ascii: "0")))
                guard !overflow, !carry else { throw .header(offset: start, expected: "a size that fits in 64 bits") }
                number = sum
                at += 1
            }
            guard at > start else { throw .header(offset: start, expected: "a size of the shape") }
            numbers.append(number)
            if !take(",") {
                try expect(")")
                break
            }
        }
        return numbers
    }

    private mutating func take(_ character: Character) -> Bool {
        skipBlanks()
        guard at < bytes.endIndex, bytes[at] == character.asciiValue else { return false }
        at += 1
        return true
    }

    private mutating func expect(_ character: Character) throws(NPYFault) {
        guard take(character) else { throw .header(offset: at, expected: "“\(character)”") }
    }

    private mutating func skipBlanks() {
        while at < bytes.endIndex, [UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t")].contains(bytes[at]) { at += 1 }
    }
}
