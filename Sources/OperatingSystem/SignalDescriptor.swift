internal import CLinux
internal import Glibc

/// A signal that programs of ours take part in.
public enum Signal: CInt, CaseIterable, Sendable {
    case hangUp = 1
    case interrupt = 2
    case quit = 3
    case kill = 9
    case terminate = 15
    case childEnded = 17
    case resume = 18
    case stop = 19
}

/// Signals as readable events: blocked as signals, read from a descriptor in the poll loop.
///
/// Make it first in `main`, before any thread exists: the mask belongs to the calling thread and threads inherit it.
/// Children do not: `ChildProcess` empties their mask.
public final class SignalDescriptor: Sendable {
    public let descriptor: CInt

    /// Blocks `signals` in the calling thread and those it will start.
    public init(_ signals: [Signal] = [.interrupt, .terminate, .childEnded]) throws(SystemError) {
        var mask = sigset_t()
        sigemptyset(&mask)
        for signal in signals {
            sigaddset(&mask, signal.rawValue)
        }
        try checkReturned("pthread_sigmask", pthread_sigmask(SIG_BLOCK, &mask, nil))
        descriptor = try check("signalfd") { linux_signalfd(&mask) }
    }

    deinit {
        close(descriptor)
    }

    /// The next pending signal, nil if there is none. Signals of one kind that arrive together count once.
    public func next() throws(SystemError) -> Signal? {
        Signal(rawValue: try check("read", path: "signalfd") { linux_signalfd_next(descriptor) })
    }
}
