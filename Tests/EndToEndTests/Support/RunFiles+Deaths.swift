import Foundation
import OperatingSystem
import Testing

extension RunFiles {
    /// Trains to the end while a local worker is killed as soon as each of these epochs is over; all workers are there from the beginning.
    static func trainKilling(
        at epochs: [Int], workers: Int, _ arguments: [String], runFile text: String = digits
    ) throws -> Result {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try write(text, to: folder)
        let coordinator = try RunningProgram(
            "dnn-coord",
            ["train", file, "--output", folder.appending("run"), "--workers", "\(workers)", "--set", "cluster.minimum_workers=\(workers)"]
                + arguments, in: folder)
        for epoch in epochs {
            try coordinator.line(containing: "epoch \(epoch)/")
            kill(try #require(try coordinator.children().first), SIGKILL)
        }
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        return try Result(folder: folder.appending("run"))
    }

    /// Trains over tcp with one worker, which is killed after the second epoch, and with another one that then comes.
    static func trainTakingOver(_ arguments: [String], runFile text: String = digits) throws -> Result {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try write(text, to: folder)
        let coordinator = try RunningProgram(
            "dnn-coord",
            ["train", file, "--output", folder.appending("run"), "--workers", "0", "--bind", "tcp://127.0.0.1:0", "--insecure"] + arguments,
            in: folder)
        let endpoint = try coordinator.invitation()
        let first = try RunningProgram("dnn-worker", ["--connect", endpoint, "--insecure", "--name", "first"], in: folder)
        try coordinator.line(containing: "epoch 2/")
        first.kill(SIGKILL)
        #expect(first.end() == 128 + SIGKILL)
        let second = try RunningProgram("dnn-worker", ["--connect", endpoint, "--insecure", "--name", "second"], in: folder)
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        #expect(second.end() == 0)
        return try Result(folder: folder.appending("run"))
    }
}
