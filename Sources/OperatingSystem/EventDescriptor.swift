internal import CLinux
internal import Glibc

/// An eventfd: wakes a poll loop from any thread.
public final class EventDescriptor: Sendable {
    public let descriptor: CInt

    public init() throws(SystemError) {
        descriptor = try check("eventfd") { linux_eventfd() }
    }

    deinit {
        close(descriptor)
    }

    /// Makes the descriptor readable; never blocks.
    ///
    /// A write can only be refused when the counter is at its maximum: then the descriptor is readable anyway.
    public func signal() {
        var one: UInt64 = 1
        while write(descriptor, &one, MemoryLayout<UInt64>.size) < 0 && errno == EINTR {}
    }

    /// Makes the descriptor unreadable again; true if it had been signalled since the last time.
    @discardableResult
    public func drain() -> Bool {
        var count: UInt64 = 0
        while true {
            if read(descriptor, &count, MemoryLayout<UInt64>.size) > 0 { return true }
            if errno != EINTR { return false }
        }
    }
}
