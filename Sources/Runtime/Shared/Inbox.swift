internal import Exactness
internal import Kernels
internal import NeuralNet
internal import Wire
internal import ZeroMQ

/// Places for contributions that wait until their chunk is complete.
final class Inbox {
    /// Stands for memory that is nobody's place here, such as a shared segment.
    static let noPlace = -1

    private let chunks: ChunkMap
    private let wire: Precision
    private var store: FrameStore
    private var free: [Int]
    /// By place: what came as halves, as floats; made at the place's first use and kept.
    private var widened: [FloatBlock?]

    init(count: Int, chunks: ChunkMap, wire: Precision) {
        self.chunks = chunks
        self.wire = wire
        store = FrameStore(count: count)
        free = Array((0..<count).reversed())
        widened = Array(repeating: nil, count: wire == .bf16 ? count : 0)
    }

    /// Bytes that the values of a chunk take in a message.
    func byteCount(ofChunk chunk: Int) -> Int {
        chunks.range(chunk).count * wire.byteCount(isTail: chunks.isTail(chunk))
    }

    /// - Throws: unless the message's third part can hold the values of the chunk that its header names.
    func check(_ header: DataHeader, of message: borrowing Message) throws(WireError) {
        guard header.chunk < UInt32(chunks.count) else { throw .malformed("a gradient of chunk \(header.chunk)") }
        guard message.count == 3, message.byteCount(at: 2) == byteCount(ofChunk: Int(header.chunk)) else {
            throw .malformed("a gradient of chunk \(header.chunk) without its values")
        }
    }

    /// Moves the body of a message into a place; nil if all are taken, which no worker that keeps to its window can bring about.
    func keep(part: Int, of message: inout Message) -> Int? {
        guard let place = free.popLast() else { return nil }
        store.store(part: part, of: &message, at: place)
        return place
    }

    /// The values of a chunk whose body lies at `place`.
    func floats(at place: Int, chunk: Int) -> FloatView {
        let bytes = store.bytes(at: place), count = chunks.range(chunk).count
        precondition(bytes.count == byteCount(ofChunk: chunk), "a body of another chunk")
        guard wire.byteCount(isTail: chunks.isTail(chunk)) < MemoryLayout<Float>.stride else { return floats(at: place) }
        let block = widened[place] ?? FloatBlock(count: chunks.largestByteCount / MemoryLayout<Float>.stride)
        widened[place] = block
        ElementwiseKernels.widen(bf16: bytes, into: block.mutableView[0..<count])
        return block.view[0..<count]
    }

    private func floats(at place: Int) -> FloatView {
        let bytes = store.bytes(at: place)
        guard let base = bytes.baseAddress else { preconditionFailure("an empty place was asked for its floats") }
        return FloatView(base: base, count: bytes.count / 4)
    }

    func bytes(at place: Int) -> UnsafeRawBufferPointer {
        store.bytes(at: place)
    }

    func release(_ place: Int) {
        guard place != Self.noPlace else { return }
        store.clear(at: place)
        free.append(place)
    }
}
