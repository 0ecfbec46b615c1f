public import ArgumentParser
internal import Foundation

extension ParsableCommand {
    /// The whole of a program's `main`: runs the command and exits; a bad command line exits with 2 (definitions.md).
    public static func runAsProgram() -> Never {
        do {
            var command = try parseAsRoot()
            try command.run()
            Foundation.exit(0)
        } catch {
            let code = exitCode(for: error)
            var message = fullMessage(for: error)
            if code == .validationFailure, let found = Mistyping.find(in: Array(CommandLine.arguments.dropFirst()), of: self) {
                message = found
            }
            if !message.isEmpty {
                try? (code == .success ? FileHandle.standardOutput : .standardError).write(contentsOf: Data((message + "\n").utf8))
            }
            Foundation.exit(code == .validationFailure ? 2 : code.rawValue)
        }
    }
}
