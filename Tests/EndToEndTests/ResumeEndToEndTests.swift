import Foundation
import OperatingSystem
import Testing

/// K3: a run that is killed, at whatever moment, goes on to the same bits, and leaves the same history.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ResumeEndToEndTests {
    private static let settings = ["--set", "training.epochs=30", "--set", "training.checkpoint.every_seconds=0"]

    /// An undisturbed run with its history, `seconds` left out.
    private struct Reference {
        var result: Result
        var history: [String]
    }

    private static let reference = try? undisturbed(settings)

    private static func undisturbed(_ arguments: [String]) throws -> Reference {
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(in: folder, arguments)
        let program = try run.train(["--workers", "1"])
        guard program.end() == 0 else { throw RunningProgram.Failure(description: program.text) }
        return Reference(result: try run.result, history: try run.history)
    }

    private func expectSame(_ run: ResumableRun, as reference: Reference) throws {
        let result = try run.result
        #expect(result.outcome == "completed" && result.steps == reference.result.steps)
        #expect(result.weightsSha256 == reference.result.weightsSha256)
        #expect(result.stateSha256 == reference.result.stateSha256)
        #expect(result.bestEpoch == reference.result.bestEpoch)
        #expect(try run.history == reference.history)
    }

    /// With other workers, threads, transport and chunks at every start; checkpoints are written all the time, so kills hit them as well.
    @Test func aRunThatIsKilledAgainAndAgainHasTheSameHash() throws {
        let reference = try #require(Self.reference)
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(in: folder, Self.settings)
        var program = try run.train(["--workers", "2"])
        let ways = [
            ["--workers", "1"], ["--workers", "3", "--set", "cluster.transport=messages"], ["--set", "cluster.chunk_bytes=65536"],
        ]
        for (epoch, way) in zip([2, 9, 17], ways) {
            try program.line(containing: "epoch \(epoch)/")
            program.kill(SIGKILL)
            #expect(program.end() == 128 + SIGKILL)
            program = try run.resume(way)
            try program.line(containing: "from the checkpoint of step ")
        }
        #expect(program.end() == 0, "\(program.text)")
        try expectSame(run, as: reference)
    }

    /// What has been seen of the validations and which step it is decide the rate; the norm of all gradients needs two phases.
    @Test func schedulesGoOnWhereTheyWere() throws {
        for schedule in ["{reduce_on_plateau: {patience: 1, factor: 0.5}}", "{cosine: {}}"] {
            let settings = Self.settings + ["--set", "optimizer.schedule=\(schedule)", "--set", "optimizer.clip={global_norm: 1}"]
            let reference = try Self.undisturbed(settings)
            let folder = try ResumableRun.makeFolder()
            let run = try ResumableRun(in: folder, settings)
            let program = try run.train(["--workers", "2"])
            try program.line(containing: "epoch 21/")
            program.kill(SIGKILL)
            _ = program.end()
            let next = try run.resume(["--workers", "1"])
            try next.line(containing: "from the checkpoint of step ")
            #expect(next.end() == 0, "\(next.text)")
            try expectSame(run, as: reference)
        }
    }

    /// The search's vectors and numbers come back, as many of them as there are by then.
    @Test(arguments: ["{lbfgs: {history: 4, max_evaluations: 5}}", "{conjugate_gradient: {max_evaluations: 5}}"])
    func aSearchGoesOnFromItsLastStep(rule: String) throws {
        let settings = Self.settings + ["--set", "optimizer.rule=\(rule)"]
        let reference = try Self.undisturbed(settings)
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(in: folder, settings)
        var program = try run.train(["--workers", "2"])
        for epoch in [2, 11] {
            try program.line(containing: "epoch \(epoch)/")
            program.kill(SIGKILL)
            _ = program.end()
            program = try run.resume(["--workers", "1"])
            try program.line(containing: "from the checkpoint of step ")
        }
        #expect(program.end() == 0, "\(program.text)")
        try expectSame(run, as: reference)
    }

    @Test func aRunWhoseScheduleEndsWithItKeepsItsEpochs() throws {
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(in: folder, Self.settings + ["--set", "optimizer.schedule=cosine"])
        try run.interrupt(atEpoch: 1)
        let next = try run.resume(["--set", "training.epochs=31"])
        #expect(next.end() == 2)
        #expect(next.text.contains("training.epochs: was 30, is 31, and optimizer.schedule goes by "), "\(next.text)")
    }

    /// Killed while files of a checkpoint lie under its hidden name.
    @Test func aKillInTheMiddleOfACheckpointLosesNothing() throws {
        let reference = try #require(Self.reference)
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(in: folder, Self.settings)
        let program = try run.train(["--workers", "1"])
        try program.line(containing: "epoch 3/")
        // Checkpoints are written one after the other: one is half written before long, unless the run has ended.
        while !run.names("checkpoints").contains(where: { $0.hasSuffix(".partial") }), run.names(".").contains("result.json") == false {}
        program.kill(SIGKILL)
        #expect(program.end() == 128 + SIGKILL)
        let next = try run.resume(["--workers", "1"])
        #expect(next.end() == 0, "\(next.text)")
        #expect(!run.names("checkpoints").contains { $0.hasSuffix(".partial") })
        try expectSame(run, as: reference)
    }

    @Test func aBrokenNewestCheckpointFallsBackToTheOneBefore() throws {
        let reference = try #require(Self.reference)
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(in: folder, Self.settings)
        let program = try run.train(["--workers", "1"])
        try program.line(containing: "epoch 4/")
        program.kill(SIGINT)
        #expect(program.end() == 130)
        let steps = run.checkpointSteps
        let newest = try #require(steps.last)
        try run.damage("checkpoints/step-\(newest)/weights.safetensors")
        let next = try run.resume(["--workers", "1"])
        let warning = try next.line(containing: "warning: the checkpoint of step \(newest) can't be used, the one before is taken")
        #expect(warning.contains("its SHA-256 is"))
        try next.line(containing: "from the checkpoint of step \(try #require(steps.dropLast().last)),")
        #expect(next.end() == 0, "\(next.text)")
        try expectSame(run, as: reference)
    }

    @Test func onlyBrokenCheckpointsAreAllNamed() throws {
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(in: folder, Self.settings)
        try run.interrupt(atEpoch: 2)
        for step in run.checkpointSteps { try run.damage("checkpoints/step-\(step)/slots.safetensors") }
        let next = try run.resume()
        #expect(next.end() == 2)
        for step in run.checkpointSteps { #expect(next.text.contains("step \(step): "), "\(next.text)") }
    }

    @Test func withoutACheckpointItStartsAtTheBeginning() throws {
        let settings = ["--set", "training.epochs=8", "--set", "training.checkpoint.every_seconds=3600"]
        let reference = try Self.undisturbed(settings)
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(in: folder, settings)
        let program = try run.train(["--workers", "1"])
        try program.line(containing: "epoch 3/")
        program.kill(SIGKILL)
        _ = program.end()
        let next = try run.resume()
        try next.line(containing: "there is no checkpoint yet")
        #expect(next.end() == 0, "\(next.text)")
        try expectSame(run, as: reference)
    }

    @Test func aFinishedRunShowsItsResult() throws {
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(in: folder, ["--set", "training.epochs=2"])
        #expect(try run.train(["--workers", "1"]).end() == 0)
        let before = try run.result
        let again = try run.resume(["--json"])
        #expect(again.end() == 0)
        #expect(again.text.contains("the run is over: completed after 2 epochs") && again.text.contains(before.weightsSha256))
        #expect(again.output == (try String(contentsOfFile: run.path("result.json"), encoding: .utf8)))
    }

    @Test func moreEpochsGoOnAsIfTheyHadBeenThereFromTheStart() throws {
        let reference = try Self.undisturbed(["--set", "training.epochs=7"])
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(in: folder, ["--set", "training.epochs=3"])
        #expect(try run.train(["--workers", "1"]).end() == 0)
        let next = try run.resume(["--set", "training.epochs=7"])
        #expect(next.end() == 0, "\(next.text)")
        try expectSame(run, as: reference)
    }

    @Test(arguments: [
        (["--set", "training.batch_size=48"], "training.batch_size: was 96, is 48"),
        (["--set", "optimizer.rule.adam.learning_rate=0.01"], "optimizer.rule.adam.learning_rate: was 0.001, is 0.01"),
        (["--set", "training.epochs=1"], "training.epochs: must be at least "),
    ])
    func anotherRunIsRefusedWithBothValues(arguments: [String], text: String) throws {
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(in: folder, Self.settings)
        try run.interrupt(atEpoch: 2)
        let before = run.names("checkpoints")
        let next = try run.resume(arguments)
        #expect(next.end() == 2)
        #expect(next.text.contains("can't be resumed") && next.text.contains(text), "\(next.text)")
        #expect(run.names("checkpoints") == before && run.names(".").contains("result.json"))
    }

    @Test func dataWhoseBytesHaveChangedIsRefused() throws {
        let folder = try ResumableRun.makeFolder()
        func write(_ last: String) throws {
            let rows = (0..<200).map { "\($0 % 7),\($0 % 3),\($0 % 2 == 0 ? "a" : "b")\n" }.joined() + last
            try Data(("x,y,label\n" + rows).utf8).write(to: URL(fileURLWithPath: folder.appending("rows.csv")))
        }
        try write("1,2,a\n")
        let text = RunFiles.digits.replacingOccurrences(of: "builtin: digits", with: "csv: {path: rows.csv, target: label}")
            .replacingOccurrences(of: "{scale: [0, 16]}", with: "none").replacingOccurrences(of: "flatten, ", with: "")
        let run = try ResumableRun(in: folder, ["--set", "training.epochs=100000"], runFile: text)
        try run.interrupt(atEpoch: 1)
        try write("1,2,b\n")
        let next = try run.resume()
        #expect(next.end() == 2)
        #expect(next.text.contains("data: the SHA-256 of its bytes was "), "\(next.text)")
        try write("1,2,a\n")
        let again = try run.resume()
        try again.line(containing: "from the checkpoint of step ")
        again.kill(SIGINT)
        #expect(again.end() == 130)
    }

    @Test func aFolderInUseIsRefused() throws {
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(in: folder, ["--set", "training.epochs=100000"])
        let program = try run.train(["--workers", "1"])
        try program.line(containing: "epoch 1/")
        // Stopped or not: it holds the lock.
        program.kill(SIGSTOP)
        for second in [try run.resume(), try run.train()] {
            #expect(second.end() == 2)
            #expect(second.text.contains("in use by another coordinator (process \(program.processID))"), "\(second.text)")
        }
        program.kill(SIGCONT)
        program.kill(SIGINT)
        #expect(program.end() == 130)
    }

    /// Where the lock does not hold, such as over a network file system, the number of the start does.
    @Test func aZombieWritesNothingMore() throws {
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(in: folder, ["--set", "training.epochs=100000", "--set", "training.checkpoint.every_seconds=0"])
        let program = try run.train(["--workers", "1"])
        try program.line(containing: "epoch 1/")
        try run.takeOver()
        #expect(program.end() == 1)
        #expect(program.text.contains("another coordinator has taken over this run folder"), "\(program.text)")
        #expect(!run.names(".").contains("result.json"))
    }

    @Test func whatHoldsNoRunIsRefused() throws {
        let folder = try ResumableRun.makeFolder()
        let program = try RunningProgram("dnn-coord", ["resume", folder.appending("nothing")], in: folder)
        #expect(program.end() == 2)
        #expect(program.text.contains("holds no run"))
        #expect(!FileManager.default.fileExists(atPath: folder.appending("nothing")))
    }
}
