import Testing

@testable import RunConfiguration

@Suite struct ScalarTests {
    /// YAML 1.2, chapter 10.3.2.
    @Test(arguments: [
        ("0", "integer 0"), ("-0", "integer -0"), ("+12", "integer 12"), ("007", "integer 7"),
        ("0x1F", "integer 31"), ("0o17", "integer 15"),
        ("18446744073709551615", "integer 18446744073709551615"), ("18446744073709551616", "integer of more than 64 bits"),
        ("1e3", "number 1000.0"), ("1e-3", "number 0.001"), ("1E+3", "number 1000.0"), ("-1.5", "number -1.5"), (".5", "number 0.5"),
        ("5.", "number 5.0"), ("+.5e1", "number 5.0"), ("true", "flag true"), ("False", "flag false"), ("~", "null"), ("", "null"),
        ("NULL", "null"), (".inf", "not finite"), ("-.INF", "not finite"), (".NaN", "not finite"), ("1e999", "not finite"),
        ("yes", "text"), ("off", "text"), ("1_000", "text"), ("1,000", "text"), ("0x", "text"), ("0xg", "text"), ("0o8", "text"),
        ("-0x1", "text"), ("0x+1", "text"), ("1e", "text"), ("1e+", "text"), (".", "text"), ("-", "text"), ("+", "text"), ("--1", "text"),
        ("1.2.3", "text"), ("inf", "text"), ("nan", "text"), ("tRUE", "text"), ("１", "text"), ("1 ", "text"),
        ("0b1", "text"), (".e3", "text"),
    ])
    func plainScalarsMeanWhatTheCoreSchemaSays(written: String, meaning: String) {
        #expect(words(Scalar(text: written, isPlain: true).meaning) == meaning)
        #expect(words(Scalar(text: written, isPlain: false).meaning) == "text")
    }

    private func words(_ meaning: Scalar.Meaning) -> String {
        switch meaning {
        case .null: "null"
        case .flag(let flag): "flag \(flag)"
        case .integer(_, nil): "integer of more than 64 bits"
        case .integer(let isNegative, let magnitude?): "integer \(isNegative ? "-" : "")\(magnitude)"
        case .number(let number): "number \(number)"
        case .notFinite: "not finite"
        case .text: "text"
        }
    }

    @Test(arguments: [
        "", " ", "a", "none", "\"\\\n\t\r", "\u{0}\u{7F}\u{85}\u{A0}\u{2028}\u{FEFF}", "\u{E000}é漢😀", "${X}: [#]", "'", "a\u{301}",
        "\u{FFFE}\u{FFFF}",
    ])
    func quotedTextReadsBackUnchanged(text: String) {
        let reader = YAMLReader(origin: .file("f"), top: SettingPath(), diagnostics: Diagnostics(file: "f"))
        guard case .scalar(let scalar)? = reader.read(Scalar.quoted(text))?.content else {
            Issue.record("\(reader.diagnostics.problems)")
            return
        }
        #expect(Array(scalar.text.unicodeScalars) == Array(text.unicodeScalars))
        #expect(!scalar.isPlain)
    }

    @Test(
        arguments: [
            (0, "0"), (-0.0, "0"), (5, "5"), (-5, "-5"), (0.1, "0.1"), (1e-8, "1e-08"), (1e15, "1000000000000000"), (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (1 / 3.0, "0.3333333333333333"),
        ] as [(Double, String)])
    func numbersAreWrittenShortAndReadBackAsTheSame(value: Double, written: String) {
        #expect(Scalar.decimal(value) == written)
        switch Scalar(text: written, isPlain: true).meaning {
        case .integer(let isNegative, let magnitude?): #expect((isNegative ? -1 : 1) * Double(magnitude) == value)
        case .number(let number): #expect(number == value)
        default: Issue.record("\(written) is no number")
        }
    }
}
