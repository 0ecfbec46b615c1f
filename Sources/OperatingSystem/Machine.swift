internal import CLinux
internal import Glibc

/// This process and the machine it runs on.
public enum Machine {
    /// The cores that this process may use, by its affinity.
    public static var coreCount: Int {
        let count = cores.count
        return count > 0 ? count : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    /// Their numbers, ascending; empty if the system does not say.
    public static var cores: [Int] {
        var numbers = [CInt](repeating: 0, count: 1024)
        let count = linux_affinity(&numbers, CInt(numbers.count))
        return numbers.prefix(Int(max(0, count))).map(Int.init)
    }

    /// Does something while the calling thread is kept on some cores, if any are given: what it starts meanwhile stays on them.
    static func onCores<Result, Failure: Error>(_ chosen: [Int]?, _ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        let before = cores.map { CInt($0) }
        guard let numbers = chosen?.map({ CInt(clamping: $0) }), !before.isEmpty, linux_set_affinity(numbers, CInt(numbers.count)) == 0
        else { return try body() }
        defer { linux_set_affinity(before, CInt(before.count)) }
        return try body()
    }

    /// Lets the calling thread and those that it starts go on for long when it is their turn, at an unchanged share of the processor: threads
    /// that pass messages come in between at once instead of waiting for the end of a turn. Kernels before 6.12 take no notice.
    public static func takeLongTurns() {
        _ = linux_ask_for_turns(20_000_000)
    }

    /// The largest resident memory this process ever had, in bytes.
    public static var peakMemory: Int? { memoryFigure("VmHWM:") }

    /// The resident memory this process has now, in bytes.
    public static var residentMemory: Int? { memoryFigure("VmRSS:") }

    /// Time since an arbitrary start (CLOCK_MONOTONIC): never set back.
    public static var monotonicTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
    }

    /// What all threads of this process have computed so far.
    public static var processorTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
    }

    public static var processIdentifier: CInt { getpid() }
    public static var parentProcessIdentifier: CInt { getppid() }

    public static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        return gethostname(&name, name.count - 1) == 0 ? text(name) : "localhost"
    }

    /// The path of the running program.
    public static func executablePath() throws(SystemError) -> String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        try check("readlink", path: "/proc/self/exe") { readlink("/proc/self/exe", &path, path.count - 1) }
        return text(path)
    }

    public static func isTerminal(_ descriptor: CInt) -> Bool {
        isatty(descriptor) == 1
    }

    /// The columns of the terminal behind `descriptor`, nil if it is none or does not say.
    public static func terminalWidth(_ descriptor: CInt) -> Int? {
        let width = linux_terminal_width(descriptor)
        return width > 0 ? Int(width) : nil
    }

    /// Raises the limit of open descriptors as far as allowed and returns it: libzmq aborts when it runs out of them.
    @discardableResult
    public static func raiseDescriptorLimit() throws(SystemError) -> Int {
        var limit = rlimit()
        try check("getrlimit") { getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
        limit.rlim_cur = limit.rlim_max
        try check("setrlimit") { setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
        return Int(clamping: limit.rlim_cur)
    }

    private static func memoryFigure(_ name: String) -> Int? {
        let descriptor = open("/proc/self/status", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        let file = Descriptor(adopting: descriptor)
        guard let bytes = try? file.readAll() else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix(name) }) else { return nil }
        let kibibytes = line.dropFirst(name.count).split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
        return kibibytes.map { $0 * 1024 }
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension Machine {
    /// Lets freed memory stay with the process, up to a bound, instead of going back to the kernel: libzmq takes a new buffer for
    /// every big message, and faulting in fresh pages costs more than copying into them.
    public static func keepFreedMemory() {
        linux_keep_freed_memory(64 << 20, 256 << 20)
    }
}
