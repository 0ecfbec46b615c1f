internal import Synchronization

/// Memory that frames refer to without copying it, and the number of bodies that are still out.
///
/// The memory must stay as it is while `outstanding` is not 0. Frames to a peer that has stopped reading stay out until that
/// peer is cut. Reuse one lender per buffer: lending allocates nothing.
public final class Lender: Sendable {
    private let count = Atomic<Int>(0)
    private let owner: (any AnyObject & Sendable)?
    private let whenAllAreBack: (@Sendable () -> Void)?

    /// - Parameters:
    ///   - owner: kept alive until every frame has returned its body.
    ///   - whenAllAreBack: called on a thread of libzmq whenever the last body has come back; it must be quick and must not
    ///     close a socket or release the last reference to a context.
    public init(keeping owner: (any AnyObject & Sendable)? = nil, whenAllAreBack: (@Sendable () -> Void)? = nil) {
        self.owner = owner
        self.whenAllAreBack = whenAllAreBack
    }

    /// Bodies lent and not returned. When it is 0 nobody reads the memory any more.
    public var outstanding: Int { count.load(ordering: .acquiring) }

    /// Counts a body as lent.
    /// - Returns: what the release callback must be given; it holds a reference.
    func lend() -> UnsafeMutableRawPointer {
        count.add(1, ordering: .relaxed)
        return Unmanaged.passRetained(self).toOpaque()
    }

    /// libzmq's callback, once per lent body, on any of its threads or of ours.
    static let takeBack: @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> Void = { _, hint in
        guard let hint else { return }
        let lender = Unmanaged<Lender>.fromOpaque(hint).takeRetainedValue()
        if lender.count.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { lender.whenAllAreBack?() }
    }
}
