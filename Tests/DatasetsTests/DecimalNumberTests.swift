import Testing

@testable import Datasets

@Suite struct DecimalNumberTests {
    private func read(_ text: String) -> DecimalNumber {
        let bytes = Array("<\(text)>".utf8)
        return DecimalNumber(bytes, 1..<bytes.count - 1)
    }

    @Test(arguments: [
        "0", "-0", "+1", "1.", ".5", "-.5e1", "007", "1e5", "1E-5", "1e+05", "0.1", "3.4028235e38", "1e-45", "1.17549435e-38",
        // Halfway between two floats, and next to it: rounding a Double to Float would decide wrongly.
        "16777217", "16777217.000000001", "16777216.999999999", "1.00000017881393432617187499", "1.00000017881393432617187500",
        "1.00000017881393432617187501", "7.038531e-26", "9007199254740993", "8.325200080871582", "0.000000000000000000000000000001",
        // Their nearest Double is halfway between two floats, they are not.
        "0.0008997808035928756", "51.15701484680176", "2.543244481086731", "0.6007979214191437", "48.34554862976074",
        "123456789012345678901234567890", "1e-9999", "0e99999999999999999999",
    ])
    func isTheNearestFloat(text: String) throws {
        let expected = try #require(Float(text))
        guard case .finite(let value) = read(text) else {
            Issue.record("\(text) is read as \(read(text))")
            return
        }
        #expect(value.bitPattern == expected.bitPattern)
    }

    @Test func agreesWithTheStandardLibraryOnRandomDecimals() throws {
        var generator = FixedGenerator(state: 7)
        for _ in 0..<20_000 {
            let digits = String(UInt64.random(in: 0..<UInt64(1) << UInt64.random(in: 1..<60, using: &generator), using: &generator))
            let text = "\(digits)e\(Int.random(in: -40...30, using: &generator))"
            let expected = try #require(Float(text))
            #expect(read(text) == (expected.isFinite ? .finite(expected) : .notFinite), "\(text)")
        }
    }

    @Test(arguments: ["nan", "NaN", "-nan", "inf", "-Infinity", "+INF", "1e39", "-1e999999999999999999999"])
    func isNotFinite(text: String) {
        #expect(read(text) == .notFinite)
    }

    @Test(arguments: ["", "-", ".", "e5", "1e", "1e+", "0x10", "1,5", "1 2", "1_000", "--1", "1.2.3", "abc", "nanny", "1f", "٣", "1\u{0}"])
    func isNotANumber(text: String) {
        #expect(read(text) == .notANumber)
    }
}
