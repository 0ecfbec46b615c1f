import Testing
import Wire

/// Bytes that nobody meant: decoding says no, it never traps; what it lets through means what it says.
@Suite struct HostileBytesTests {
    static let rounds = 20_000

    @Test func randomHeadersAreRefusedOrExact() throws {
        var random = RandomBytes(seed: 1)
        var accepted = 0
        for round in 0..<Self.rounds {
            var bytes = random.bytes(round.isMultiple(of: 4) ? random.below(130) : 64)
            // Noise alone never gets past the magic: most rounds begin as a message does, half of them with a kind near the known ones.
            if !round.isMultiple(of: 4) {
                bytes.replaceSubrange(0..<6, with: DataHeader(kind: .rows).bytes[..<6])
                if round.isMultiple(of: 2) { (bytes[6], bytes[7]) = (UInt8(random.below(19)), UInt8(random.below(2))) }
            }
            guard let header = try? decodeHeader(bytes) else { continue }
            accepted += 1
            if header.bytes != bytes { Issue.record("another header than its bytes: \(bytes)") }
        }
        #expect(accepted > Self.rounds / 20)
    }

    @Test func damagedControlMessagesNeverTrap() {
        var random = RandomBytes(seed: 2)
        let messages = ControlCodecTests.encoded
        var refused = 0
        for _ in 0..<Self.rounds {
            var bytes = messages[random.below(messages.count)]
            for _ in 0...random.below(4) {
                let place = random.below(bytes.count)
                switch random.below(4) {
                case 0: bytes[place] ^= 1 << UInt8(random.below(8))
                case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
                default: bytes.removeSubrange(place..<min(bytes.count - 1, place + 1 + random.below(8)))
                }
            }
            do throws(WireError) {
                _ = try decodeControl(WorkerMessage.self, bytes)
            } catch {
                refused += 1
            }
            do throws(WireError) {
                _ = try decodeControl(CoordinatorMessage.self, bytes)
            } catch {
                refused += 1
            }
        }
        #expect(refused > Self.rounds)
    }

    @Test func randomJSONNeverTraps() {
        var random = RandomBytes(seed: 3)
        let alphabet = Array(#"{}[]",:\0123456789.eE-+nulltruefalse heartbeatsessionsteplease_0é"#.utf8) + [0, 0x7F, 0x80, 0xC0, 0xFF]
        for _ in 0..<Self.rounds {
            let json = (0..<random.below(60)).map { _ in alphabet[random.below(alphabet.count)] }
            let bytes = controlMessage("") + json
            #expect(throws: WireError.self) { try decodeControl(WorkerMessage.self, bytes) }
        }
    }

    @Test func randomFiguresAreRefusedOrAsExpected() {
        var random = RandomBytes(seed: 4)
        var accepted = 0
        for _ in 0..<Self.rounds {
            let expected = (0..<random.below(4)).map { _ in random.below(3) }
            var bytes = random.bytes(random.below(4) * 32 + (random.below(8) == 0 ? 1 : 0))
            for word in stride(from: 0, to: bytes.count - 31, by: 32) {
                let counts: [UInt8] = (0..<12).map { $0 % 4 == 0 ? UInt8(random.below(3)) : 0 } + [0, 0, 0, 0]
                bytes.replaceSubrange(word..<word + 16, with: counts)
            }
            guard let blocks = try? decodeFigures(bytes, expectedRows: expected), !blocks.isEmpty else { continue }
            accepted += 1
            #expect(blocks.map { Int($0.rows) } == expected)
            #expect(blocks.allSatisfy { $0.correct <= $0.rows && $0.topFive <= $0.rows })
        }
        #expect(accepted > Self.rounds / 100)
    }
}
