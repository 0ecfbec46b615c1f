import Hashing
import Testing

@Suite struct ChecksumTests {
    /// One length on each side of every change of method within XXH3; figures of python-xxhash 4.1.0 (xxHash 0.8.4), seed 0.
    @Test(
        arguments: [
            (0, 0x2D06_8005_38D3_94C2), (1, 0x4C5C_CA45_D0F4_811F), (3, 0x15F7_093B_173D_005C), (4, 0xDCA0_12F9_5811_B6B9),
            (8, 0xDEC6_A9A4_3575_982E), (9, 0xCBE3_9339_9F17_FFBD), (16, 0x7E48_4C18_D748_95D0), (17, 0x208B_DE5E_E2BE_D407),
            (128, 0xF92B_70EA_A21A_6288), (129, 0xF8F7_6713_F2BB_60FA), (240, 0xCCC7_3751_72C4_1F03), (241, 0x0B3B_6309_48CE_4A00),
            (1024, 0x23BC_880E_BF0D_29C6), (1025, 0xC09F_DFBC_398C_7D82), (65_536, 0xCF18_8822_0487_98B0),
            (1_000_003, 0x1F74_8A0E_ACF6_46FA),
        ] as [(Int, UInt64)])
    func agreesWithTheReference(byteCount: Int, expected: UInt64) {
        #expect(pattern(byteCount).withUnsafeBytes(checksum) == expected)
    }

    @Test func doesNotDependOnAlignment() {
        let bytes = pattern(5000)
        let expected = Array(bytes[1...]).withUnsafeBytes(checksum)
        #expect(bytes.withUnsafeBytes { checksum(UnsafeRawBufferPointer(rebasing: $0[1...])) } == expected)
    }

    @Test func noticesOneFlippedBit() {
        var bytes = pattern(4096)
        let before = bytes.withUnsafeBytes(checksum)
        bytes[4095] ^= 0x80
        #expect(bytes.withUnsafeBytes(checksum) != before)
    }
}
