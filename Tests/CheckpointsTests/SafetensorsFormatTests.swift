import Foundation
import Testing

@testable import Checkpoints

/// Every rule of https://github.com/huggingface/safetensors, "Format", broken once.
@Suite struct SafetensorsFormatTests {
    private typealias Defect = SafetensorsFile.Defect

    private static func tensor(_ name: String, _ shape: String, _ offsets: String, type: String = "F32") -> String {
        #""\#(name)":{"dtype":"\#(type)","shape":[\#(shape)],"data_offsets":[\#(offsets)]}"#
    }

    private static let brokenHeaders: [(String, Int, Defect)] = [
        ("", 0, .badHeader(offset: 0, expected: "“{”, without white space before it")),
        (" {}", 0, .badHeader(offset: 0, expected: "“{”, without white space before it")),
        ("[]", 0, .badHeader(offset: 0, expected: "“{”, without white space before it")),
        ("{", 0, .badHeader(offset: 1, expected: "a string")),
        ("{} x", 0, .badHeader(offset: 3, expected: "the end")),
        (#"{"a"}"#, 0, .badHeader(offset: 4, expected: "“:”")),
        (#"{"a":1}"#, 0, .badHeader(offset: 5, expected: "an object")),
        (#"{"__metadata__":{"a":1}}"#, 0, .badHeader(offset: 21, expected: "a string")),
        (#"{"__metadata__":{"a":"1","a":"1"}}"#, 0, .duplicateKey("a")),
        (#"{"__metadata__":{},"__metadata__":{}}"#, 0, .duplicateKey("__metadata__")),
        ("{" + tensor("a", "1", "0,4") + "," + tensor("a", "1", "4,8") + "}", 8, .duplicateKey("a")),
        (#"{"a":{"dtype":"F32","dtype":"F32"}}"#, 0, .duplicateKey("dtype")),
        (#"{"a":{"dtype":"F32","shape":[1]}}"#, 4, .missingKey(tensor: "a", key: "data_offsets")),
        (#"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#, 4, .missingKey(tensor: "a", key: "shape")),
        (#"{"a":{"shape":[1],"data_offsets":[0,4]}}"#, 4, .missingKey(tensor: "a", key: "dtype")),
        (#"{"a":{"order":"C"}}"#, 0, .unknownKey(tensor: "a", key: "order")),
        ("{" + tensor("a", "1", "0,1", type: "F8") + "}", 1, .unknownType(tensor: "a", type: "F8")),
        ("{" + tensor("a", "-1", "0,4") + "}", 4, .badHeader(offset: 29, expected: "a whole number below 2^63")),
        ("{" + tensor("a", "1.0", "0,4") + "}", 4, .badHeader(offset: 30, expected: "“,” or “]”")),
        ("{" + tensor("a", "01", "0,4") + "}", 4, .badHeader(offset: 29, expected: "a whole number below 2^63")),
        (
            "{" + tensor("a", "9223372036854775808", "0,4") + "}", 4,
            .badHeader(offset: 29, expected: "a whole number below 2^63")
        ),
        ("{" + tensor("a", "1,", "0,4") + "}", 4, .badHeader(offset: 31, expected: "a whole number below 2^63")),
        ("{" + tensor("a", "1", "0,4,8") + "}", 8, .badHeader(offset: 54, expected: "2 numbers before this, not 3")),
        ("{" + tensor("a", "4611686018427387904", "0,4") + "}", 4, .tooLarge(tensor: "a", shape: [1 << 62])),
        ("{" + tensor("a", "4294967296,4294967296", "0,4") + "}", 4, .tooLarge(tensor: "a", shape: [1 << 32, 1 << 32])),
        ("{" + tensor("a", "2", "0,4") + "}", 4, .wrongByteCount(tensor: "a", found: 4, expected: 8)),
        ("{" + tensor("a", "1", "4,0") + "}", 4, .wrongByteCount(tensor: "a", found: -4, expected: 4)),
        ("{" + tensor("a", "1", "4,8") + "}", 8, .gapOrOverlap(tensor: "a", begin: 4, expected: 0)),
        (
            "{" + tensor("a", "1", "0,4") + "," + tensor("b", "1", "8,12") + "}", 12,
            .gapOrOverlap(tensor: "b", begin: 8, expected: 4)
        ),
        (
            "{" + tensor("a", "2", "0,8") + "," + tensor("b", "1", "4,8") + "}", 8,
            .gapOrOverlap(tensor: "b", begin: 4, expected: 8)
        ),
        ("{" + tensor("a", "2", "0,8") + "}", 7, .truncated(found: 7, needed: 8)),
        ("{" + tensor("a", "2", "0,8") + "}", 9, .trailingBytes(1)),
        ("{}", 1, .trailingBytes(1)),
        ("{\"a", 0, .badHeader(offset: 3, expected: "the end of a string")),
        ("{\"\n\":", 0, .badHeader(offset: 2, expected: "no control character within a string")),
        (#"{"\x":"#, 0, .badHeader(offset: 3, expected: "one of \" \\ / b f n r t u behind a backslash")),
        (#"{"\u12"#, 0, .badHeader(offset: 4, expected: "four hexadecimal digits")),
        (#"{"\u+123":"#, 0, .badHeader(offset: 4, expected: "four hexadecimal digits")),
        (#"{"\ud800":"#, 0, .badHeader(offset: 8, expected: "the second half of a pair")),
        (#"{"\ud800\u0041":"#, 0, .badHeader(offset: 14, expected: "the second half of a pair before this")),
        (#"{"\udc00":"#, 0, .badHeader(offset: 8, expected: "the first half of a pair before this")),
    ]

    @Test(arguments: brokenHeaders.indices)
    func aBrokenHeaderIsRefused(index: Int) throws {
        let (header, dataByteCount, defect) = Self.brokenHeaders[index]
        #expect(throws: defect) { try SafetensorsHeader(parsing: Array(header.utf8), dataByteCount: dataByteCount) }
        #expect(!defect.description.isEmpty)
    }

    @Test func bytesThatAreNoTextAreRefused() {
        #expect(throws: Defect.badHeader(offset: 4, expected: "UTF-8 before this")) {
            try SafetensorsHeader(parsing: Array("{\"".utf8) + [0xFF] + Array("\":".utf8), dataByteCount: 0)
        }
    }

    @Test func whiteSpaceOrderAndEscapesAreFree() throws {
        let text = """
            { "b" : {"data_offsets":[ 4 , 8 ], "dtype":"I32" ,\t"shape":[ ]},
              "none": {"dtype":"U8","shape":[0],"data_offsets":[4,4]},
              "\\u00e9\\ud83d\\uDC0B\\/": {"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}, "__metadata__": {"k":"\\b\\f\\n\\r\\t"} }
            """
        let header = try SafetensorsHeader(parsing: Array(text.utf8), dataByteCount: 8)
        #expect(header.entries.map(\.name) == ["é\u{1F40B}/", "none", "b"])
        #expect(header.entries.map(\.byteRange) == [0..<4, 4..<4, 4..<8])
        #expect(header.entries.map(\.type) == [.f32, .u8, .i32])
        #expect(header.metadata == ["k": "\u{8}\u{C}\n\r\t"])
    }

    @Test(
        arguments: [
            ([], .truncated(found: 0, needed: 8)),
            ([1, 0, 0, 0, 0, 0, 0], .truncated(found: 7, needed: 8)),
            ([3, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D], .truncated(found: 10, needed: 11)),
            ([0, 0xE1, 0xF5, 0x05, 0, 0, 0, 0], .truncated(found: 8, needed: 100_000_008)),
            ([1, 0xE1, 0xF5, 0x05, 0, 0, 0, 0], .headerTooLong(100_000_001)),
            ([255, 255, 255, 255, 255, 255, 255, 255], .headerTooLong(.max)),
        ] as [([UInt8], SafetensorsFile.Defect)])
    func aBrokenLengthIsRefused(bytes: [UInt8], defect: SafetensorsFile.Defect) throws {
        let folder = try TemporaryFolder()
        try write(bytes, to: folder("a"))
        #expect(throws: CheckpointError.malformed(path: folder("a"), defect: defect)) { try SafetensorsFile(path: folder("a")) }
    }

    @Test func aFileCutAnywhereIsRefused() throws {
        let folder = try TemporaryFolder()
        let whole = try bytes(ofFile: try fixture("reference.safetensors"))
        for count in 0..<whole.count {
            try write(whole[..<count], to: folder("a"))
            #expect(throws: CheckpointError.self, "cut after \(count) bytes") { try SafetensorsFile(path: folder("a")) }
        }
    }
}
