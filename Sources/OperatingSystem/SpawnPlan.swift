internal import CLinux
internal import Glibc

/// The attributes and file actions of one posix_spawn, freed when done.
struct SpawnPlan: ~Copyable {
    private var actions = posix_spawn_file_actions_t()
    private var attributes = posix_spawnattr_t()
    /// Copies of the descriptors to hand down, above every target, so that no dup2 of the child overwrites a later source.
    private var sources: [CInt] = []

    init(output: ChildProcess.Output, error: ChildProcess.Output, descriptors: [ChildProcess.Inheritance]) throws(SystemError) {
        try checkReturned("posix_spawn_file_actions_init", posix_spawn_file_actions_init(&actions))
        try checkReturned("posix_spawnattr_init", posix_spawnattr_init(&attributes))
        let beyond = (descriptors.map(\.target).max() ?? 2) + 1
        try checkReturned("open", posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0))
        try place(output, as: 1, beyond: beyond)
        try place(error, as: 2, beyond: beyond)
        for each in descriptors {
            try duplicate(each.source, as: each.target, beyond: beyond)
        }
        for gap in 3..<beyond where !descriptors.contains(where: { $0.target == gap }) {
            try checkReturned("close", posix_spawn_file_actions_addclose(&actions, gap))
        }
        try checkReturned("posix_spawn_file_actions_addclosefrom_np", linux_spawn_close_from(&actions, beyond))
        try setAttributes()
    }

    deinit {
        var actions = self.actions
        var attributes = self.attributes
        posix_spawn_file_actions_destroy(&actions)
        posix_spawnattr_destroy(&attributes)
        for source in sources {
            close(source)
        }
    }

    private mutating func place(_ output: ChildProcess.Output, as target: CInt, beyond: CInt) throws(SystemError) {
        switch output {
        case .inherit: break
        case .discard:
            try checkReturned("open", posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_WRONLY, 0))
        case .descriptor(let source):
            try duplicate(source, as: target, beyond: beyond)
        case .file(let path):
            let file = try check("open", path: path) { open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666) }
            defer { close(file) }
            try duplicate(file, as: target, beyond: beyond)
        }
    }

    private mutating func duplicate(_ source: CInt, as target: CInt, beyond: CInt) throws(SystemError) {
        let copy = try check("fcntl", path: "descriptor \(source)") { linux_duplicate_from(source, beyond) }
        sources.append(copy)
        try checkReturned("dup2", posix_spawn_file_actions_adddup2(&actions, copy, target))
    }

    private mutating func setAttributes() throws(SystemError) {
        var signals = sigset_t()
        sigemptyset(&signals)
        try checkReturned("posix_spawnattr_setsigmask", posix_spawnattr_setsigmask(&attributes, &signals))
        sigfillset(&signals)
        try checkReturned("posix_spawnattr_setsigdefault", posix_spawnattr_setsigdefault(&attributes, &signals))
        try checkReturned("posix_spawnattr_setpgroup", posix_spawnattr_setpgroup(&attributes, 0))
        let flags = Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
        try checkReturned("posix_spawnattr_setflags", posix_spawnattr_setflags(&attributes, flags))
    }

    /// `environment` nil is ours.
    consuming func run(executable: String, arguments: [String], environment: [String: String]?) throws(SystemError) -> pid_t {
        var vector = CStrings([executable] + arguments)
        defer { vector.free() }
        var pid: pid_t = 0
        let code: CInt
        if let environment {
            var variables = CStrings(environment.map { "\($0.key)=\($0.value)" }.sorted())
            defer { variables.free() }
            code = posix_spawn(&pid, executable, &actions, &attributes, &vector.pointers, &variables.pointers)
        } else {
            code = posix_spawn(&pid, executable, &actions, &attributes, &vector.pointers, linux_environment())
        }
        try checkReturned("posix_spawn", path: executable, code)
        return pid
    }
}

/// A C vector of strings, ended by a null.
private struct CStrings {
    var pointers: [UnsafeMutablePointer<CChar>?]

    init(_ strings: [String]) {
        pointers = strings.map { strdup($0) } + [nil]
    }

    func free() {
        for pointer in pointers {
            Glibc.free(pointer)
        }
    }
}
