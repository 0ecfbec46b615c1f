import Exactness
import Foundation
import OperatingSystem
import ParameterServer
import Testing

@testable import Runtime

@Suite struct OrderLogTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder(prefix: "dnn-test-")
    }

    private func log(at count: UInt64 = 0, start: UInt32 = 1) throws -> OrderLog {
        try OrderLog(folder: folder.path, mode: .async, start: start, at: count, chunkBytes: 65_536)
    }

    private func update(_ number: UInt64, rate: Double = 0.1) -> StaleServer.Update {
        StaleServer.Update(number: number, clock: number / 2, shards: [0, 3], read: number == 0 ? 0 : number - 1, learningRate: rate)
    }

    private func entries() throws -> [OrderLogEntry] {
        var reader = try OrderLogReader(path: folder.appending(OrderLog.name))
        var all: [OrderLogEntry] = []
        while let entry = try reader.next() { all.append(entry) }
        return all
    }

    private func entry(_ number: UInt64, rate: Double? = nil) -> OrderLogEntry {
        .update(
            OrderLogEntry.Update(number: number, clock: number / 2, shards: [0, 3], read: number == 0 ? 0 : number - 1), rate: rate)
    }

    @Test func whatIsWrittenIsRead() throws {
        let written = try log()
        for number in 0..<3 as Range<UInt64> { written.note(update(number, rate: number == 2 ? 1e-7 / 3 : 0.1)) }
        written.mark(3)
        written.mark(3)
        #expect(
            try entries() == [
                .start(mode: "async", at: 0, chunkBytes: 65_536), entry(0, rate: 0.1), entry(1), entry(2, rate: 1e-7 / 3), .reached(3),
            ])
    }

    /// What a coordinator has done behind its last checkpoint is done anew by the next one.
    @Test func aResumedRunCutsBehindItsCheckpoint() throws {
        let first = try log()
        for number in 0..<5 as Range<UInt64> {
            first.note(update(number))
            if number == 1 || number == 3 { first.mark(number + 1) }
        }
        first.mark(5)
        let second = try log(at: 2, start: 2)
        #expect(!second.hasGap)
        second.note(update(2, rate: 0.2))
        second.mark(3)
        #expect(
            try entries() == [
                .start(mode: "async", at: 0, chunkBytes: 65_536), entry(0, rate: 0.1), entry(1), .reached(2),
                .start(mode: "async", at: 2, chunkBytes: 65_536), entry(2, rate: 0.2), .reached(3),
            ])
    }

    @Test func aCheckpointThatTheLogDoesNotKnowIsAGap() throws {
        let first = try log()
        first.note(update(0))
        first.mark(1)
        #expect(try log(at: 2, start: 2).hasGap)
        #expect(try entries() == [.start(mode: "async", at: 2, chunkBytes: 65_536)])
    }

    @Test func aRunFromTheBeginningBeginsALog() throws {
        let first = try log()
        first.note(update(0))
        first.mark(1)
        #expect(try log(at: 0, start: 2).hasGap == false)
        #expect(try entries() == [.start(mode: "async", at: 0, chunkBytes: 65_536)])
    }

    @Test(arguments: [
        "{\"step\":1", "[]", "{}", "{\"update\":1,\"clock\":0,\"shards\":[],\"read\":0}",
        "{\"update\":1,\"clock\":0,\"shards\":[0],\"read\":2}",
        "{\"step\":1,\"orders\":[{\"chunks\":[1,0],\"nodes\":[1]}]}", "{\"step\":1,\"orders\":[{\"chunks\":[0,0],\"nodes\":[]}]}",
        "{\"log\":\"dnn-order\",\"version\":2,\"mode\":\"fast\",\"at\":0,\"chunk_bytes\":65536}",
    ])
    func whatIsNoEntryIsNamedWithItsLine(text: String) throws {
        try Data("{\"reached\":0}\n\(text)\n".utf8).write(to: URL(fileURLWithPath: folder.appending(OrderLog.name)))
        var reader = try OrderLogReader(path: folder.appending(OrderLog.name))
        #expect(try reader.next() == .reached(0))
        do {
            let entry = try reader.next()
            Issue.record("\(text) is read as \(String(describing: entry))")
        } catch {
            #expect("\(error)".contains("order.jsonl:2: "))
        }
    }
}
