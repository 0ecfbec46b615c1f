internal import Kernels
internal import ZeroMQ

/// Places for contributions that wait until their chunk is complete.
final class Inbox {
    /// Stands for memory that is nobody's place here, such as a shared segment.
    static let noPlace = -1

    private var store: FrameStore
    private var free: [Int]

    init(count: Int) {
        store = FrameStore(count: count)
        free = Array((0..<count).reversed())
    }

    /// Moves the body of a message into a place; nil if all are taken, which no worker that keeps to its window can bring about.
    func keep(part: Int, of message: inout Message) -> Int? {
        guard let place = free.popLast() else { return nil }
        store.store(part: part, of: &message, at: place)
        return place
    }

    func floats(at place: Int) -> FloatView {
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
