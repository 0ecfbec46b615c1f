internal import Foundation
internal import OperatingSystem

/// A program that works for a coordinator, with the arguments that stand before those of `dnn-worker`.
public struct WorkerProgram: Sendable {
    public var executable: String
    public var arguments: [String]
    /// Whether every worker is kept on cores of its own, from core 0 on, whatever the coordinator itself may use; otherwise that hangs on
    /// how many there are, see `WorkerCores`.
    public var isPinned = false

    public init(executable: String, arguments: [String] = []) {
        self.executable = executable
        self.arguments = arguments
    }

    /// `dnn-worker` beside the running program.
    public static var beside: WorkerProgram {
        get throws {
            let own = try Machine.executablePath()
            return WorkerProgram(executable: (own as NSString).deletingLastPathComponent + "/dnn-worker")
        }
    }

    /// The running program with a subcommand.
    public static func running(_ subcommand: String) throws -> WorkerProgram {
        WorkerProgram(executable: try Machine.executablePath(), arguments: [subcommand])
    }
}
