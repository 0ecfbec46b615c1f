import Glibc
import Kernels

/// Whether two views hold the same bytes.
func isEqual(_ a: FloatView, _ b: FloatView) -> Bool {
    a.count == b.count && memcmp(a.base, b.base, a.bytes.count) == 0
}

/// A copy, beginning at an odd address as bodies of messages may.
final class Body {
    private let bytes: UnsafeMutableRawPointer
    private let byteCount: Int
    let view: FloatView

    init(_ source: FloatView) {
        byteCount = source.bytes.count + 1
        bytes = .allocate(byteCount: byteCount, alignment: 64)
        (bytes + 1).copyMemory(from: source.base, byteCount: source.bytes.count)
        view = FloatView(base: UnsafeRawPointer(bytes + 1), count: source.count)
    }

    deinit {
        bytes.deallocate()
    }

    /// Fills it with NaN: whoever still reads it shows.
    func poison() {
        memset(bytes, 0xFF, byteCount)
    }
}
