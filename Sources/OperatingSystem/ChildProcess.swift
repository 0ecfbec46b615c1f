internal import CLinux
internal import Glibc
internal import Synchronization

/// A process of ours, in a process group of its own, so that Ctrl-C on the terminal does not reach it.
///
/// It starts with an empty signal mask, default handlers, /dev/null as standard input, and no descriptor but those asked for.
/// Started by posix_spawn, never by fork: libzmq aborts after a fork.
public final class ChildProcess: Sendable {
    /// How a process ended.
    public enum Exit: Equatable, Sendable, CustomStringConvertible {
        case exited(CInt)
        case signalled(CInt)

        public var description: String {
            switch self {
            case .exited(let code): "exit code \(code)"
            case .signalled(let number): "killed by signal \(number) (\(String(cString: strsignal(number))))"
            }
        }
    }

    /// Where an output of the child goes.
    public enum Output: Sendable {
        /// Where ours goes.
        case inherit
        case discard
        case descriptor(CInt)
        /// Appended to a file, which is made if missing.
        case file(String)
    }

    /// A descriptor handed down: ours is `source`, the child finds it as `target` (3 or more).
    public struct Inheritance: Sendable {
        public let source: CInt
        public let target: CInt

        public init(_ source: CInt, as target: CInt) {
            precondition(target >= 3, "0, 1 and 2 are the standard streams")
            self.source = source
            self.target = target
        }
    }

    public let pid: CInt
    private let exit = Mutex<Exit?>(nil)

    private init(pid: CInt) {
        self.pid = pid
    }

    /// Starts `executable`, a path. `arguments` do not hold the program's name; `environment` nil is ours.
    ///
    /// A parent-death signal follows the spawning thread: spawn from the main thread.
    /// - Parameter cores: those that it is kept on; nil: ours. Where the system refuses, as for a core that is not there, it has ours.
    public static func spawn(
        executable: String, arguments: [String] = [], environment: [String: String]? = nil,
        standardOutput: Output = .inherit, standardError: Output = .inherit, descriptors: [Inheritance] = [], cores: [Int]? = nil
    ) throws(SystemError) -> ChildProcess {
        let pid = try Machine.onCores(cores) { () throws(SystemError) in
            let plan = try SpawnPlan(output: standardOutput, error: standardError, descriptors: descriptors)
            return try plan.run(executable: executable, arguments: arguments, environment: environment)
        }
        return ChildProcess(pid: pid)
    }

    /// How it ended, nil while it runs; never waits. Later calls return the same.
    public func reap() throws(SystemError) -> Exit? {
        try exit.withLock { (exit) throws(SystemError) in
            if let known = exit { return known }
            var status: CInt = 0
            guard try check("waitpid", { waitpid(pid, &status, WNOHANG) }) == pid else { return nil }
            var detail: CInt = 0
            exit = linux_exit_kind(status, &detail) == 1 ? .exited(detail) : .signalled(detail)
            return exit
        }
    }

    /// Waits, without a deadline, until it has ended: for a child that has just been killed.
    public func waitForExit() throws(SystemError) -> Exit {
        while true {
            if let known = try reap() { return known }
            try check("waitid") { linux_await_exit(pid) }
        }
    }

    /// Sends a signal; false if it has been reaped, so that a recycled number is never hit.
    @discardableResult
    public func kill(_ signal: Signal) -> Bool {
        exit.withLock { exit in
            exit == nil && Glibc.kill(pid, signal.rawValue) == 0
        }
    }

    /// As `kill`, for the child and those it started.
    @discardableResult
    public func killGroup(_ signal: Signal) -> Bool {
        exit.withLock { exit in
            exit == nil && Glibc.kill(-pid, signal.rawValue) == 0
        }
    }
}
