import Testing

@testable import Runtime

/// Who may stay on a socket that strangers can reach.
@Suite struct ConnectionBookTests {
    private func book(_ descriptors: some Sequence<Int32>) -> ConnectionBook {
        var book = ConnectionBook(maximumFrameByteCount: 1 << 20)
        for descriptor in descriptors { book.began(descriptor, peer: "host:\(descriptor)", now: .milliseconds(Int64(descriptor))) }
        return book
    }

    @Test func theOldestStrangersGoPastTheLimit() {
        let surplus: Int32 = 3
        var book = book(1...Int32(ConnectionBook.mostStrangers) + surplus + 1)
        #expect(book.claim(1, for: 7) == true)
        let cuts = book.overdue(now: .seconds(1)) { _ in nil }
        #expect(cuts == (2...surplus + 1).map { ConnectionBook.Cut(descriptor: $0, reason: .tooManyStrangers) })
        #expect(book.strangerCount == ConnectionBook.mostStrangers + Int(surplus))
    }

    @Test func aStrangerThatNeverBecomesAWorkersGoes() {
        var book = book(1...2)
        #expect(book.claim(2, for: 7) == true)
        #expect(book.overdue(now: ConnectionBook.strangersTime) { _ in nil } == [])
        let later = ConnectionBook.strangersTime + .seconds(1)
        #expect(book.overdue(now: later) { _ in nil } == [.init(descriptor: 1, reason: .silentStranger)])
        book.unclaim(2, now: later)
        #expect(book.overdue(now: later) { _ in nil }.map(\.descriptor) == [1])
    }

    @Test func aMessageWithoutAnEndIsCut() {
        var book = book(1...2)
        #expect(book.claim(2, for: 7) == true)
        var received: [Int32: UInt64] = [1: ConnectionBook.strangersBytes, 2: book.sessionBytes]
        #expect(book.overdue(now: .seconds(1)) { received[$0] } == [])
        received = received.mapValues { $0 + 1 }
        let cuts = book.overdue(now: .seconds(1)) { received[$0] }
        #expect(cuts.map(\.descriptor) == [1, 2])
        #expect(cuts.map(\.reason) == [1, 2].map { .endlessMessage(byteCount: received[$0] ?? 0) })
    }

    @Test func aMessageThatArrivesStartsTheCountAgain() {
        var book = book([1])
        #expect(book.claim(1, for: 7) == true)
        for turn in 1...10 {
            book.heard(1)
            #expect(book.overdue(now: .seconds(Int64(turn))) { _ in UInt64(turn) * 1 << 30 } == [])
        }
        let limit = 10 << 30 + book.sessionBytes
        #expect(book.overdue(now: .seconds(11)) { _ in limit } == [])
        #expect(book.overdue(now: .seconds(11)) { _ in limit + 1 }.map(\.descriptor) == [1])
    }

    @Test func whatHasEndedIsKnownOnceAndClaimedNoMore() {
        var book = book([5])
        #expect(book.claim(5, for: 3) == true)
        #expect(book.ended(5)?.worker == 3)
        #expect(book.ended(5) == nil)
        #expect(book.claim(5, for: 3) == false)
        book.heard(5)
        #expect(book.entries.isEmpty)
    }
}

@Suite struct RepeatedNoticesTests {
    @Test func theFirstIsSaidAndTheOthersAreCounted() {
        var notices = RepeatedNotices()
        #expect(notices.note("a", now: .zero) == "a")
        for second in 1...9 { #expect(notices.note("a", now: .seconds(Int64(second))) == nil) }
        #expect(notices.note("b", now: .seconds(5)) == "b")
        #expect(notices.note("a", now: .seconds(10)) == "a (9 more times before)")
        #expect(notices.note("a", now: .seconds(20)) == "a")
    }

    @Test func kindsThatStrangersMakeUpAreBounded() {
        var notices = RepeatedNotices()
        let said = (0..<1_000).compactMap { notices.note("kind \($0)", now: .zero) }
        #expect(said.count == RepeatedNotices.mostKinds)
        #expect(notices.note("new", now: .seconds(11)) == "new")
    }
}
