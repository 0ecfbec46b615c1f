public import NeuralNet

/// Everything under `cluster`.
public struct ClusterSettings: Codable, Equatable, Sendable {
    /// A cap on what every worker computes with.
    public enum InstructionSet: String, Codable, Equatable, Sendable, CaseIterable {
        /// The first worker admitted decides.
        case auto
        case avx2
        case avx512
    }

    /// How payload travels to workers on the coordinator's host.
    public enum Transport: String, Codable, Equatable, Sendable, CaseIterable {
        /// In shared memory for workers that the coordinator starts, in messages for others.
        case auto
        /// As `auto`; it is an error if there is none.
        case sharedMemory = "shared_memory"
        /// Inside the ZeroMQ messages.
        case messages
    }

    /// Training starts when so many are there.
    public var minimumWorkers: Int
    /// How long to wait for them.
    public var joinTimeoutSeconds: Double
    /// How long to wait for a worker when all are gone.
    public var idleTimeoutSeconds: Double
    /// A worker is dead after 5 missed.
    public var heartbeatMilliseconds: Int
    public var instructionSet: InstructionSet
    public var transport: Transport
    /// A multiple of 65,536.
    public var chunkBytes: Int
    /// What weights and gradients are rounded to before they travel, wherever they lie.
    public var wire: Precision
    /// The coordinator's own included.
    public var parameterServers: Int
}

extension ClusterSettings {
    static func read(_ s: Section) -> ClusterSettings {
        let settings = ClusterSettings(
            minimumWorkers: s.value("minimum_workers", .whole(in: 1...Ranges.virtualShards), default: 1),
            joinTimeoutSeconds: s.value("join_timeout_seconds", .number(.within(0...Ranges.seconds)), default: 60),
            idleTimeoutSeconds: s.value("idle_timeout_seconds", .number(.within(0...Ranges.seconds)), default: 600),
            heartbeatMilliseconds: s.value("heartbeat_ms", .whole(in: Ranges.heartbeatMilliseconds), default: 1_000),
            instructionSet: s.value("instruction_set", .choice(Names()), default: .auto),
            transport: s.value("transport", .choice(Names()), default: .auto),
            chunkBytes: s.value("chunk_bytes", .chunkBytes, default: 1_048_576),
            wire: s.value("wire", .choice(Names()), default: .f32),
            parameterServers: s.value("parameter_servers", .whole(in: 1...Ranges.parameterServers), default: 1))
        return settings
    }

    var outline: Outline {
        .map([
            .init("minimum_workers", .whole(minimumWorkers)),
            .init("join_timeout_seconds", .number(joinTimeoutSeconds)),
            .init("idle_timeout_seconds", .number(idleTimeoutSeconds)),
            .init("heartbeat_ms", .whole(heartbeatMilliseconds)),
            .init("instruction_set", .word(instructionSet.rawValue), .bits),
            .init("transport", .word(transport.rawValue)),
            .init("chunk_bytes", .whole(chunkBytes)),
            .init("wire", .word(wire.rawValue), .bits),
            .init("parameter_servers", .whole(parameterServers)),
        ])
    }
}

extension ValueKind where Value == Int {
    fileprivate static var chunkBytes: Self {
        let whole = ValueKind.whole(in: Ranges.chunkMultiple...Ranges.chunkBytes)
        return ValueKind("a multiple of \(Ranges.chunkMultiple) in \(Ranges.chunkMultiple)…\(Ranges.chunkBytes)") { tree throws(Mismatch) in
            let count = try whole.read(tree)
            if count.isMultiple(of: Ranges.chunkMultiple) { return count }
            let below = max(count / Ranges.chunkMultiple, 1) * Ranges.chunkMultiple
            throw .unexpected(hint: "the nearest are \(below) and \(below + Ranges.chunkMultiple)")
        }
    }
}
