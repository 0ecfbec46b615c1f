internal import Datasets
internal import Wire

/// What workers are told of the run's files where they read them by themselves.
struct DataFiles: Codable, Equatable, Sendable {
    var specification: DataSpecification
    /// As the coordinator has read them, in order.
    var digests: [FileDigest]
}

/// Why a worker can take no part in a run, though it understands it.
struct UnfitWorker: Error, CustomStringConvertible {
    var description: String
}

/// Rows that a worker reads by itself (`data.ship: false`): the ones that the coordinator would send, in the same packets.
///
/// The files are read once, whole, and hashed as they are read, so what is used is what was verified; splits and shards follow from the
/// seed.
final class FileRows {
    private let deals: PartDeals

    /// - Throws: `UnfitWorker`, naming every file that can't be used, with both hashes.
    init(_ files: DataFiles, run: RunDescription) throws {
        let data: PreparedData
        do {
            data = try PreparedData(files.specification, seed: run.seed, folder: "/", listsFiles: true)
        } catch {
            // A file that is another one is the better reason, but of one that can't be understood no hash is known.
            throw UnfitWorker(description: "data.ship is false, and this worker can't use the run's data: \(error)")
        }
        try Self.verify(data.files, against: files.digests)
        let parts: [(PartID, DataPart?)] = [(.train, data.train), (.validation, data.validation), (.test, data.test)]
        var sharded: [PartID: ShardedPart] = [:]
        for (part, rows) in parts {
            let (own, expected) = (rows?.rowCount ?? 0, run.rowCount(of: part))
            guard own == expected else {
                throw UnfitWorker(description: "the run has \(expected) rows of part \(part), this worker reads \(own)")
            }
            sharded[part] = rows.map { ShardedPart($0, shardCount: run.shardCount, seed: run.seed) }
        }
        guard data.train.format == run.rowFormat else {
            throw UnfitWorker(description: "this worker reads rows of another format than the run's")
        }
        deals = PartDeals(sharded, shardCount: run.shardCount, seed: run.seed, dealCount: .max)
    }

    private static func verify(_ own: [FileDigest], against expected: [FileDigest]) throws(UnfitWorker) {
        var differences: [String] = []
        for (file, other) in zip(own, expected) where file.sha256 != other.sha256 {
            differences.append("\(file.path) is another file: its SHA-256 is \(file.sha256) here, \(other.sha256) in the run")
        }
        if own.count != expected.count { differences.append("\(own.count) files are read here, \(expected.count) in the run") }
        guard differences.isEmpty else {
            throw UnfitWorker(
                description: "data.ship is false, and " + differences.joined(separator: "; ")
                    + "; give this worker the run's files under the same paths, or set data.ship: true")
        }
    }

    /// The packet that answers a request.
    func packet(for request: RowRequest) throws(WireError) -> [UInt8] {
        guard let rows = deals.rows(of: request.key.part, deal: request.key.deal) else {
            throw .malformed("a request for rows of part \(request.key.part), dealing \(request.key.deal)")
        }
        var packet: [UInt8] = []
        rows.gather(shard: request.key.shard, positions: request.positions[...], appendingTo: &packet)
        return packet
    }
}
