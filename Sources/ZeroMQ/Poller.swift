internal import CZeroMQ
internal import Glibc

/// Waits for sockets and descriptors together; the one place where a loop blocks. Waiting allocates nothing.
///
/// Stays on the thread of its sockets. A socket that is closed meanwhile is waited for no longer.
public struct Poller: ~Copyable {
    public struct Events: OptionSet, Sendable {
        public let rawValue: Int16

        public init(rawValue: Int16) {
            self.rawValue = rawValue
        }

        public static let readable = Events(rawValue: Int16(ZMQ_POLLIN))
        public static let writable = Events(rawValue: Int16(ZMQ_POLLOUT))
        /// For descriptors only; reported also when not asked for.
        public static let failed = Events(rawValue: Int16(ZMQ_POLLERR))
    }

    /// A place in the poller's list.
    public struct Item: Hashable, Sendable {
        let index: Int
    }

    private var items: [zmq_pollitem_t] = []
    /// The socket of each item, nil for a descriptor.
    private var sockets: [SocketHandle?] = []

    public init() {}

    public mutating func add(_ socket: borrowing Socket, _ events: Events = .readable) -> Item {
        add(zmq_pollitem_t(socket: socket.pointer, fd: -1, events: events.rawValue, revents: 0), socket.handle)
    }

    public mutating func add(_ monitor: borrowing Monitor) -> Item {
        add(monitor.events)
    }

    public mutating func add(_ authenticator: borrowing Authenticator) -> Item {
        add(authenticator.requests)
    }

    /// The descriptor must stay open while it is in the list.
    public mutating func add(descriptor: CInt, _ events: Events = .readable) -> Item {
        precondition(descriptor >= 0, "no descriptor")
        return add(zmq_pollitem_t(socket: nil, fd: descriptor, events: events.rawValue, revents: 0), nil)
    }

    /// What to wait for from now on; nothing if empty.
    public mutating func setEvents(_ events: Events, of item: Item) {
        items[item.index].events = events.rawValue
    }

    /// Frees the item's place.
    public mutating func remove(_ item: Item) {
        items[item.index] = Self.vacant
        sockets[item.index] = nil
    }

    /// Waits until something is ready or the time is over (rounded up to milliseconds; nil: for ever).
    /// - Returns: how many items are ready; 0 after the time, and after a signal.
    @discardableResult
    public mutating func wait(timeout: Duration?) throws(ZMQError) -> Int {
        for index in items.indices where sockets[index].map({ $0.pointer == nil }) ?? false {
            remove(Item(index: index))
        }
        for index in items.indices {
            items[index].revents = 0
        }
        let milliseconds = timeout.map { max(0, Int($0.milliseconds)) } ?? -1
        let ready = items.withUnsafeMutableBufferPointer { zmq_poll($0.baseAddress, CInt($0.count), milliseconds) }
        if ready >= 0 { return Int(ready) }
        let code = zmq_errno()
        if code == EINTR { return 0 }
        throw ZMQError(code: .init(rawValue: code), call: "zmq_poll")
    }

    /// What the last wait found.
    public func events(of item: Item) -> Events {
        Events(rawValue: items[item.index].revents)
    }

    public func isReadable(_ item: Item) -> Bool {
        events(of: item).contains(.readable)
    }

    public func isWritable(_ item: Item) -> Bool {
        events(of: item).contains(.writable)
    }

    /// A place that zmq_poll passes over.
    private static var vacant: zmq_pollitem_t { zmq_pollitem_t(socket: nil, fd: -1, events: 0, revents: 0) }

    private mutating func add(_ item: zmq_pollitem_t, _ socket: SocketHandle?) -> Item {
        if let free = items.indices.first(where: { items[$0].socket == nil && items[$0].fd == -1 }) {
            items[free] = item
            sockets[free] = socket
            return Item(index: free)
        }
        items.append(item)
        sockets.append(socket)
        return Item(index: items.count - 1)
    }
}
