internal import ArgumentParser

/// What is mistyped in a command line that was refused: the parser complains of what is missing before it looks at what is there.
enum Mistyping {
    /// The message about the first unknown command or option; nil if there is none.
    static func find(in arguments: [String], of program: any ParsableCommand.Type) -> String? {
        let subcommands: [any ParsableCommand.Type] = program.configuration.subcommands
        guard let first = arguments.first, !first.hasPrefix("-"), first != "help", !subcommands.isEmpty else {
            return option(in: arguments, known: options(in: help(program)), of: name(of: program))
        }
        guard let chosen = subcommands.first(where: { name(of: $0) == first }) else {
            let names = subcommands.map { name(of: $0) }.joined(separator: ", ")
            return "Error: unknown command \(first); commands are \(names)\n  See '\(name(of: program)) --help' for more information."
        }
        return option(in: arguments, known: options(in: help(chosen)), of: "\(name(of: program)) \(first)")
    }

    private static func option(in arguments: [String], known: [String], of name: String) -> String? {
        for argument in arguments.prefix(while: { $0 != "--" }) where argument.hasPrefix("--") {
            let option = String(argument.prefix { $0 != "=" })
            if known.contains(option) { continue }
            let names = known.joined(separator: ", ")
            return "Error: unknown option \(option); options are \(names)\n  See '\(name) --help' for more information."
        }
        return nil
    }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? "\(command)".lowercased()
    }

    private static func help(_ command: any ParsableCommand.Type) -> String {
        func text<Command: ParsableCommand>(_ type: Command.Type) -> String { type.helpMessage(columns: 1_000) }
        return text(command)
    }

    /// The options that a help text names at the start of its lines, in order.
    private static func options(in help: String) -> [String] {
        help.split(separator: "\n").flatMap { line -> [String] in
            let words = line.split { $0 == " " || $0 == "," }
            return words.prefix { $0.hasPrefix("-") }.filter { $0.hasPrefix("--") }.map { String($0) }
        }
    }
}
