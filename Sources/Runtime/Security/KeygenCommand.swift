internal import Foundation
internal import OperatingSystem
internal import ZeroMQ

/// `dnn-coord keygen`: makes the keys of a coordinator and of its workers. No secret leaves the files.
public enum KeygenCommand {
    /// - Parameter workers: hosts that get a key of their own, so that each can be let in and revoked alone.
    public static func run(folder path: String, workers: [String]) -> Int32 {
        do {
            for line in try make(folder: path, workers: workers) { printError(line) }
            return TrainCommand.ExitCode.completed
        } catch {
            printError("dnn-coord: \(error)")
            return TrainCommand.ExitCode.badInput
        }
    }

    /// - Returns: what to say about it.
    static func make(folder path: String, workers: [String]) throws -> [String] {
        for name in workers where !isName(name) { throw KeyError.badName(name) }
        let folder = KeyFolder(path: path)
        let isNew = FileStamp(of: folder.serverSecret) == nil
        let taken = workers.map(folder.allowed) + (isNew || !workers.isEmpty ? [] : [folder.serverSecret])
        for file in taken where FileStamp(of: file) != nil { throw KeyError.taken(path: file) }
        try PrivateFile.makeFolder(path)
        try PrivateFile.makeFolder(folder.allowList)
        var lines: [String] = []
        if isNew {
            let server = try CurveKeyPair.generate()
            try write(server.secretKey, to: folder.serverSecret)
            try write(server.publicKey, to: folder.serverPublic)
            let worker = try CurveKeyPair.generate()
            try write(worker.secretKey, to: folder.workerSecret)
            try write(worker.publicKey, to: folder.allowed("worker"))
            lines = [
                "\(path): keys of a coordinator and of its workers",
                "  here:          dnn-coord train RUN.yaml --bind tcp://ADDRESS:PORT --keys \(path)",
                "  other hosts:   copy worker.key and server.pub into a folder with mode 0700; server.key stays here",
                "                 dnn-worker --connect tcp://ADDRESS:PORT --keys FOLDER",
            ]
        }
        let server = try KeyFolder.readPublic(folder.serverPublic)
        if !workers.isEmpty { try PrivateFile.makeFolder(path + "/hosts") }
        for name in workers {
            let worker = try CurveKeyPair.generate()
            try PrivateFile.makeFolder(folder.host(name))
            try write(worker.secretKey, to: folder.host(name) + "/worker.key")
            try write(server, to: folder.host(name) + "/server.pub")
            try write(worker.publicKey, to: folder.allowed(name))
            lines.append("\(folder.host(name)): move this folder to \(name); revoke it by removing \(folder.allowed(name))")
        }
        return lines
    }

    private static func isName(_ name: String) -> Bool {
        let isSpelled = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: "-_.".utf8.contains(byte)
            }
        }
        return isSpelled && !name.isEmpty && name.utf8.count <= 100 && !"-_.".contains(name.prefix(1))
    }

    private static func write(_ key: CurveSecretKey, to path: String) throws {
        try PrivateFile.create(path, Array((key.revealedZ85 + "\n").utf8))
    }

    private static func write(_ key: CurvePublicKey, to path: String) throws {
        try PrivateFile.create(path, Array((key.z85 + "\n").utf8))
    }
}
