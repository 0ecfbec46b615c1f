internal import Foundation
internal import OperatingSystem
internal import Synchronization

/// A run in a temporary folder, timed step by step: the real coordinator in this process, real workers in others.
struct BenchmarkRun {
    var workers: Int
    var threads = 1
    var transport = BenchmarkTransport.local
    /// nil: `dnn-worker`.
    var program: WorkerProgram?
    var servers = 1
    var takesNormsEverySecondStep = false

    /// When the first lease was given, then when every step was complete; nil if the run failed, which has then been said on standard
    /// error.
    func completions(of runFile: String, in folder: TemporaryFolder) throws -> [FiguresMeasurement.Completion]? {
        try Data(runFile.utf8).write(to: URL(fileURLWithPath: folder.appending("run.yaml")))
        let completions = Mutex<[FiguresMeasurement.Completion]>([])
        completions.withLock { $0.reserveCapacity(1 << 16) }
        var options = CoordinatorOptions(workers: workers, threads: threads, isQuiet: true, servers: servers - 1, workerProgram: program)
        let remote = try transport.startWorkers(workers, threads: threads, in: folder, &options)
        defer { remote.end() }
        let command = TrainCommand(
            runFile: folder.appending("run.yaml"), overrides: [], output: folder.appending("run"), options: options, printsJSON: false)
        let observer = { (version: UInt64, now: Duration) in
            completions.withLock { $0.append(.init(version: version, wall: now, processor: Machine.processorTime)) }
        }
        let code = command.run(stepObserver: observer, takesNormsEverySecondStep: takesNormsEverySecondStep)
        return code == TrainCommand.ExitCode.completed ? completions.withLock { $0 } : nil
    }
}

/// Random rows of bytes in the IDX format, with labels 0…9 in turn.
struct RandomImages {
    var rows: Int
    /// Of one row.
    var shape: [Int]

    func write(to folder: TemporaryFolder) throws {
        func header(_ dimensions: [Int]) -> [UInt8] {
            [0, 0, 8, UInt8(dimensions.count)] + dimensions.flatMap { size in [24, 16, 8, 0].map { UInt8(size >> $0 & 255) } }
        }
        var words = [UInt64](repeating: 0, count: (rows * shape.reduce(1, *) + 7) / 8)
        var generator = SystemRandomNumberGenerator()
        for index in words.indices { words[index] = generator.next() }
        var features = Data(header([rows] + shape))
        words.withUnsafeBytes { features.append(contentsOf: $0[..<(rows * shape.reduce(1, *))]) }
        try features.write(to: URL(fileURLWithPath: folder.appending("features.idx")))
        try Data(header([rows]) + (0..<rows).map { UInt8($0 % 10) }).write(to: URL(fileURLWithPath: folder.appending("labels.idx")))
    }
}
