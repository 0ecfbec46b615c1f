internal import Foundation

/// A line of `order.jsonl`; see `OrderLog`.
enum OrderLogEntry: Equatable {
    struct Order: Equatable {
        /// First and last.
        var chunks: ClosedRange<Int>
        var nodes: [UInt32]
    }

    struct Update: Equatable {
        var number: UInt64
        var clock: UInt64
        var shards: [Int]
        /// The version that it was computed with.
        var read: UInt64
    }

    case start(mode: String, at: UInt64, chunkBytes: Int)
    case step(UInt64, rate: Double?, orders: [Order])
    case update(Update, rate: Double?)
    case reached(UInt64)
}

/// The log of a run can't be followed: it is damaged, or not all there.
struct OrderLogError: Error, CustomStringConvertible {
    var path: String
    /// nil: the file as a whole.
    var line: Int?
    var problem: String

    var description: String { "\(path)\(line.map { ":\($0)" } ?? ""): \(problem)" }
}

/// The entries of an `order.jsonl`, one after the other; the file stays on disk.
struct OrderLogReader {
    private struct Line: Decodable {
        struct Order: Decodable {
            var chunks: [Int]
            var nodes: [UInt32]
        }

        var log: String?
        var version: Int?
        var mode: String?
        var at: UInt64?
        var chunkBytes: Int?
        var step: UInt64?
        var update: UInt64?
        var clock: UInt64?
        var shards: [Int]?
        var read: UInt64?
        var rate: Double?
        var orders: [Order]?
        var reached: UInt64?
    }

    let path: String
    private let decoder: JSONDecoder
    private var rest: Data
    /// The number of the line that was read last.
    private(set) var line = 0

    init(path: String) throws(OrderLogError) {
        self.path = path
        decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            rest = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
        } catch {
            throw OrderLogError(path: path, problem: "can't be read: \((error as NSError).localizedDescription)")
        }
    }

    /// The next entry; nil at the end. A last line that was cut off by the end of a process is an error as any other that can't be read.
    mutating func next() throws(OrderLogError) -> OrderLogEntry? {
        guard !rest.isEmpty else { return nil }
        let end = rest.firstIndex(of: 10) ?? rest.endIndex
        let text = rest[rest.startIndex..<end]
        rest = end < rest.endIndex ? rest[(end + 1)...] : Data()
        line += 1
        guard let line = try? decoder.decode(Line.self, from: text), let entry = try entry(of: line) else {
            throw failure("is no entry of this log")
        }
        return entry
    }

    func failure(_ problem: String) -> OrderLogError { OrderLogError(path: path, line: line, problem: problem) }

    private func entry(of line: Line) throws(OrderLogError) -> OrderLogEntry? {
        if let name = line.log {
            guard name == OrderLog.format, line.version == OrderLog.version, let mode = line.mode, let at = line.at,
                let chunkBytes = line.chunkBytes, chunkBytes > 0, chunkBytes.isMultiple(of: 65_536)
            else { throw failure("is no log of version \(OrderLog.version); replay it with the release that trained the run") }
            return .start(mode: mode, at: at, chunkBytes: chunkBytes)
        }
        if let reached = line.reached { return .reached(reached) }
        if let step = line.step {
            var orders: [OrderLogEntry.Order] = []
            for order in line.orders ?? [] {
                guard order.chunks.count == 2, !order.nodes.isEmpty, 0 <= order.chunks[0], order.chunks[0] <= order.chunks[1] else {
                    return nil
                }
                orders.append(OrderLogEntry.Order(chunks: order.chunks[0]...order.chunks[1], nodes: order.nodes))
            }
            return .step(step, rate: line.rate, orders: orders)
        }
        if let number = line.update, let clock = line.clock, let shards = line.shards, let read = line.read {
            guard !shards.isEmpty, read <= number else { return nil }
            return .update(OrderLogEntry.Update(number: number, clock: clock, shards: shards, read: read), rate: line.rate)
        }
        return nil
    }
}
