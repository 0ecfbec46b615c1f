/// 64-byte-aligned memory for labels, sample numbers and masks.
package final class AlignedBlock<Element: BitwiseCopyable & ExpressibleByIntegerLiteral>: @unchecked Sendable {  // as FloatBlock
    let base: UnsafeMutablePointer<Element>
    package let count: Int

    /// `count` zeros.
    package init(count: Int) {
        let size = max(count, 1)
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: size * MemoryLayout<Element>.stride, alignment: 64)
        base = bytes.bindMemory(to: Element.self, capacity: size)
        base.initialize(repeating: 0, count: size)
        self.count = count
    }

    deinit {
        UnsafeMutableRawPointer(base).deallocate()
    }

    package subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count, "index out of the block")
            return base[index]
        }
        set {
            precondition(index >= 0 && index < count, "index out of the block")
            base[index] = newValue
        }
    }
}
