/// What is to happen at which time, earliest first; what is due at the same time happens in the order in which it was noted.
struct EventQueue {
    private struct Entry {
        var time: Double
        var order: Int
        var action: () -> Void

        func isBefore(_ other: Entry) -> Bool { (time, order) < (other.time, other.order) }
    }

    /// A binary heap.
    private var entries: [Entry] = []
    private var nextOrder = 0
    private(set) var now = 0.0

    /// - Parameter delay: from now, in seconds.
    mutating func schedule(after delay: Double, _ action: @escaping () -> Void) {
        entries.append(Entry(time: now + max(0, delay), order: nextOrder, action: action))
        nextOrder += 1
        var child = entries.count - 1
        while child > 0, entries[child].isBefore(entries[(child - 1) / 2]) {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Goes on to the next event and gives what it does; nil at the end.
    mutating func next() -> (() -> Void)? {
        guard let first = entries.first else { return nil }
        now = first.time
        let last = entries.removeLast()
        if !entries.isEmpty {
            entries[0] = last
            var parent = 0
            while true {
                var least = parent
                for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count && entries[child].isBefore(entries[least]) {
                    least = child
                }
                if least == parent { break }
                entries.swapAt(parent, least)
                parent = least
            }
        }
        return first.action
    }
}
