internal import Exactness
internal import Foundation
internal import OperatingSystem
internal import ParameterServer

/// `order.jsonl` in the run folder of an inexact run: all that its weights depend on beside the run file, for `dnn-coord replay`.
///
/// Lines of JSON, whole numbers and rates in their shortest exact form:
///
///     {"log":"dnn-order","version":1,"mode":"fast","start":1,"at":0,"chunk_bytes":1048576}     a start of the run, after `at` steps
///     {"step":7,"rate":0.001,"orders":[{"chunks":[0,22],"nodes":[3,2]}]}   mode fast: what is other than in the step before
///     {"update":17,"clock":5,"shards":[0,1],"read":15,"rate":0.001}        modes ssp, async: version 17 → 18, computed with version 15
///     {"reached":120}                                                      so many steps (ssp, async: updates) are complete
///
/// A step without a line is as the one before it; a rate stands only where it changes. Every checkpoint is preceded by a line of what it
/// has reached, behind which a resumed run cuts. Belongs to the coordinator's one thread.
final class OrderLog {
    static let name = "order.jsonl"
    static let format = "dnn-order"
    static let version = 1
    /// Bytes that are gathered before they are written.
    private static let flushedFrom = 65_536

    let path: String
    private let file: FileHandle
    private var text: [UInt8] = []
    private var rate: Double?
    private var lastMark: UInt64?
    /// By chunk, the nodes in the order of the step before.
    private var orders: [[UInt32]] = []
    /// Why nothing can be written any more; told once.
    private var failure: String?
    /// Whether the file did not know of the checkpoint that the run goes on from: it can't be replayed.
    let hasGap: Bool

    /// - Parameters:
    ///   - count: the complete steps or updates that the run goes on from; what the file holds of later ones is cut off.
    ///   - start: the number of this start of the run.
    init(folder: String, mode: TrainingMode, start: UInt32, at count: UInt64, chunkBytes: Int) throws {
        path = "\(folder)/\(Self.name)"
        let former = (try? Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)) ?? Data()
        let kept = count == 0 ? Data() : Self.cut(former, at: count)
        hasGap = kept == nil
        try AtomicFile.writeDurably(Array(kept ?? Data()), to: path)
        guard let file = FileHandle(forWritingAtPath: path) else {
            throw RunFolderError.unusable(folder, reason: "\(Self.name) can't be written")
        }
        try file.seekToEnd()
        self.file = file
        lastMark = count
        text.reserveCapacity(Self.flushedFrom * 2)
        append(
            "{\"log\":\"\(Self.format)\",\"version\":\(Self.version),\"mode\":\"\(mode.keyword)\",\"start\":\(start),\"at\":\(count),"
                + "\"chunk_bytes\":\(chunkBytes)}\n")
        flush()
    }

    /// The part of a log up to the mark of `count`; nil if it has none.
    static func cut(_ log: Data, at count: UInt64) -> Data? {
        guard let mark = log.range(of: Data("\n{\"reached\":\(count)}\n".utf8), options: .backwards) else { return nil }
        return log[..<mark.upperBound]
    }

    /// What went wrong since the last call.
    func takeFailure() -> String? {
        defer { if failure != nil { failure = "" } }
        return failure?.isEmpty == false ? failure : nil
    }

    /// Makes the lines so far survive a power cut; to be called from any thread.
    var sync: @Sendable () -> Void {
        { [file] in try? file.synchronize() }
    }

    /// Notes that so much is complete, and writes everything out.
    func mark(_ count: UInt64) {
        if lastMark != count {
            lastMark = count
            append("{\"reached\":")
            append(count)
            append("}\n")
        }
        flush()
    }

    // MARK: Entries

    /// A step of mode fast, when it is complete and `server.version` is still the one before.
    func noteArrivals(_ server: ParameterServer) {
        var isOpen = false
        func open() {
            append(isOpen ? "," : "{\"step\":")
            if !isOpen { append(server.version) }
            if !isOpen { append(",") }
            isOpen = true
        }
        if let new = newRate(server.lastLearningRate) {
            open()
            append("\"rate\":\(new)")
        }
        while orders.count < server.chunksInArrivalOrder.count { orders.append([]) }
        var run: Range<Int>?
        var hasOrders = false
        func close() {
            guard let run else { return }
            if !hasOrders { open() }
            append(hasOrders ? "," : "\"orders\":[")
            hasOrders = true
            append("{\"chunks\":[")
            append(UInt64(run.lowerBound))
            append(",")
            append(UInt64(run.upperBound - 1))
            append("],\"nodes\":")
            append(orders[run.lowerBound])
            append("}")
        }
        for chunk in server.chunksInArrivalOrder where takeOrder(ofChunk: chunk, server) {
            if let current = run, current.upperBound == chunk, orders[current.lowerBound] == orders[chunk] {
                run = current.lowerBound..<chunk + 1
            } else {
                close()
                run = chunk..<chunk + 1
            }
        }
        close()
        if hasOrders { append("]") }
        if isOpen { append("}\n") }
        if text.count >= Self.flushedFrom { flush() }
    }

    /// An update of mode ssp or async.
    func note(_ update: StaleServer.Update) {
        append("{\"update\":")
        append(update.number)
        append(",\"clock\":")
        append(update.clock)
        append(",\"shards\":")
        append(update.shards)
        append(",\"read\":")
        append(update.read)
        if let new = newRate(update.learningRate) { append(",\"rate\":\(new)") }
        append("}\n")
        if text.count >= Self.flushedFrom { flush() }
    }

    /// Takes over a chunk's order; whether it is another one.
    private func takeOrder(ofChunk chunk: Int, _ server: ParameterServer) -> Bool {
        let count = server.arrivalCount(ofChunk: chunk)
        var isSame = orders[chunk].count == count
        for index in 0..<count where isSame { isSame = server.arrival(index, ofChunk: chunk).number == orders[chunk][index] }
        guard !isSame else { return false }
        orders[chunk].removeAll(keepingCapacity: true)
        for index in 0..<count { orders[chunk].append(server.arrival(index, ofChunk: chunk).number) }
        return true
    }

    private func newRate(_ rate: Double?) -> Double? {
        guard let rate, rate != self.rate else { return nil }
        self.rate = rate
        return rate
    }

    // MARK: Bytes

    private func append(_ string: String) { text.append(contentsOf: string.utf8) }

    private func append(_ number: UInt64) {
        let first = text.count
        var rest = number
        repeat {
            text.append(UInt8(48 + rest % 10))
            rest /= 10
        } while rest > 0
        text[first...].reverse()
    }

    private func append(_ numbers: [some FixedWidthInteger]) {
        append("[")
        for (index, number) in numbers.enumerated() {
            if index > 0 { append(",") }
            append(UInt64(number))
        }
        append("]")
    }

    private func flush() {
        defer { text.removeAll(keepingCapacity: true) }
        guard failure == nil, !text.isEmpty else { return }
        do {
            try file.write(contentsOf: Data(text))
        } catch {
            failure = "\(path) can't be written, so the run can't be replayed: \((error as NSError).localizedDescription)"
        }
    }
}
