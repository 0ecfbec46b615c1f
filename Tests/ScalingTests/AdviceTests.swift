import Testing

@testable import Scaling

@Suite struct AdviceTests {
    private static let costs = Costs(
        leavesFixed: 1e-4, perLeaf: 1e-3, crowding: 1, updatePerElement: 1e-10, updatePerElementAndSum: 1e-10, perMessage: 5e-6,
        perByte: 1e-10, wakeUp: 2e-5)

    private static func advice(workers: Int, bandwidth: Double?, shards: Int = 8, costs: Costs = costs) -> [Advice] {
        let model = ClusterModel(
            workers: workers, virtualShards: shards, parameters: 4_000_000, coresPerHost: 4,
            placement: bandwidth.map { .hosts(.init(bandwidth: $0)) } ?? .oneHost)
        return Advice.all(for: model, costs: costs)
    }

    @Test func onASlowNetworkMoreServersAndHalfTheBytesHelp() {
        let changes = Self.advice(workers: 8, bandwidth: 12.5e6).map(\.change)
        #expect(changes.contains(.halfWire))
        #expect(changes.contains { if case .moreServers = $0 { true } else { false } })
    }

    @Test func noMoreServersAreAdvisedThanThereAreChunks() {
        func servers(chunkLength: Int) -> [Int] {
            let model = ClusterModel(
                workers: 8, virtualShards: 8, parameters: 4_000_000, chunkLength: chunkLength, coresPerHost: 4,
                placement: .hosts(.init(bandwidth: 12.5e6)))
            return Advice.all(for: model, costs: Self.costs).compactMap { advice in
                if case .moreServers(let count) = advice.change { count } else { nil }
            }
        }
        #expect(servers(chunkLength: 1_000_000).allSatisfy { $0 <= 4 } && !servers(chunkLength: 1_000_000).isEmpty)
        #expect(servers(chunkLength: 4_000_000).isEmpty)
    }

    @Test func whereOneWorkerIsFasterThanManyFewerAreAdvised() {
        #expect(Self.advice(workers: 8, bandwidth: 1e6).contains { $0.change == .fewerWorkers(1) })
    }

    @Test func whoeverCannotShareAStepIsToldOf() {
        #expect(Self.advice(workers: 12, bandwidth: nil).contains { $0.change == .moreShards(16) })
    }

    @Test func aRunThatOnlyComputesGetsNoAdviceOnNetworks() {
        var costs = Self.costs
        costs.perLeaf = 10
        let changes = Self.advice(workers: 8, bandwidth: 1.25e9, costs: costs).map(\.change)
        #expect(changes.isEmpty)
    }

    @Test func theBestAdviceComesFirst() {
        let gains = Self.advice(workers: 8, bandwidth: 12.5e6).map(\.gain)
        #expect(gains == gains.sorted(by: >))
    }
}
