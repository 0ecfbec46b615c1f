import Glibc
import OperatingSystem
import Synchronization
import Testing

/// Runs `body` on a thread of its own, so that signal masks and the like end with it.
func onAThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) throws -> R {
    let result = Box(Mutex<Result<R, any Error>?>(nil))
    let thread = try WorkerThread.start(name: "test") {
        let outcome = Result { try body() }
        result.value.withLock { $0 = outcome }
    }
    thread.join()
    return try #require(result.value.withLock { $0 }).get()
}

/// Something that cannot be copied, shared by reference.
final class Box<Value: ~Copyable & Sendable>: Sendable {
    let value: Value

    init(_ value: consuming Value) {
        self.value = value
    }
}

/// The longest that a test waits for another process: only a failure takes so long.
let patience = Duration.seconds(30)

/// Whether `descriptor` becomes readable, or reaches its end, within `patience`.
func becomesReadable(_ descriptor: CInt) -> Bool {
    var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&item, 1, CInt(patience.components.seconds * 1000)) == 1
}

func contents(of path: String) throws -> String {
    let file = Descriptor(adopting: open(path, O_RDONLY))
    return String(decoding: try file.readAll(), as: UTF8.self)
}

func names(in path: String) -> Set<String> {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: Set<String> = []
    while let entry = readdir(folder) {
        withUnsafeBytes(of: entry.pointee.d_name) { bytes in
            _ = names.insert(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
        }
    }
    return names.subtracting([".", ".."])
}

func write(_ text: String, to number: CInt) throws(SystemError) {
    let bytes = Array(text.utf8)
    guard Glibc.write(number, bytes, bytes.count) == bytes.count else {
        throw SystemError(code: .init(rawValue: errno), call: "write")
    }
}
