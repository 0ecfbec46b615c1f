import Testing

@testable import Scaling

@Suite struct StepSimulationTests {
    /// A machine whose messages cost nothing.
    static let free = Costs(
        leavesFixed: 0, perLeaf: 4e-3, crowding: 1, updatePerElement: 0, updatePerElementAndSum: 0, perMessage: 0, perByte: 0, wakeUp: 0)

    static func model(
        workers: Int, servers: Int = 1, parameters: Int = 1 << 20, cores: Int = 64, placement: ClusterModel.Placement = .oneHost
    ) -> ClusterModel {
        ClusterModel(
            workers: workers, servers: servers, virtualShards: 8, parameters: parameters, coresPerHost: cores, placement: placement)
    }

    static func seconds(_ model: ClusterModel, _ costs: Costs) -> Double { Prediction(model, costs: costs).secondsPerStep }

    /// Sums of times in floating point.
    static let rounding = 1e-9

    private func isClose(_ a: Double, _ b: Double, within tolerance: Double = rounding) -> Bool { abs(a - b) <= tolerance * max(a, b) }

    @Test(arguments: [1, 2, 3, 4, 8, 11])
    func withoutAnyCostButComputingAStepIsTheMostLeavesOfAWorker(workers: Int) {
        let leaves = (8 + min(workers, 8) - 1) / min(workers, 8)
        #expect(isClose(Self.seconds(Self.model(workers: workers), Self.free), Double(leaves) * 4e-3))
    }

    @Test func workersShareTheCoresOfAHost() {
        // Eight leaves of 4 ms on two cores, whoever has them; a slice of a millisecond may be left over at the end.
        for workers in [2, 3, 4, 5, 8] {
            #expect(isClose(Self.seconds(Self.model(workers: workers, cores: 2), Self.free), 16e-3, within: 0.1))
        }
    }

    @Test func whoSharesACoreHasFewerLeaves() {
        #expect(Self.model(workers: 3, cores: 2).leaves == [2, 4, 2])
        #expect(Self.model(workers: 3, cores: 8).leaves == [3, 3, 2])
        #expect(Self.model(workers: 5, cores: 2).leaves == [2, 2, 1, 2, 1])
    }

    @Test func busyCoresDisturbEachOther() {
        var costs = Self.free
        costs.crowding = 1.5
        #expect(isClose(Self.seconds(Self.model(workers: 1, cores: 2), costs), 32e-3))
        #expect(isClose(Self.seconds(Self.model(workers: 2, cores: 2), costs), 24e-3, within: 0.02))
    }

    @Test func theUpdateOfTheLastChunkIsWaitedFor() {
        var costs = Self.free
        costs.updatePerElement = 1e-9
        costs.updatePerElementAndSum = 1e-9
        // Four chunks; the server has them one after the other while the worker still computes the next.
        let chunk = Double(1 << 18) * 2e-9
        #expect(isClose(Self.seconds(Self.model(workers: 1), costs), 32e-3 + chunk))
    }

    @Test(arguments: [2, 4, 8])
    func aSlowNetworkIsFilledByEverybodysGradientsAndThenWeights(workers: Int) {
        let network = ClusterModel.Network(bandwidth: 12.5e6, latency: 0)
        var costs = Self.free
        costs.perLeaf = 0
        let bytes = Double(workers * 4 << 20)
        let seconds = Self.seconds(Self.model(workers: workers, placement: .hosts(network)), costs)
        // Both directions overlap but for the first and the last chunk.
        #expect(seconds >= bytes / 12.5e6 * (1 - Self.rounding))
        #expect(seconds <= 2 * bytes / 12.5e6)
        #expect(Prediction(Self.model(workers: workers, placement: .hosts(network)), costs: costs).bottleneck == .serverNetwork)
    }

    @Test func halfTheBytesTakeHalfTheTimeOfASlowNetwork() {
        let network = ClusterModel.Network(bandwidth: 12.5e6, latency: 0)
        var costs = Self.free
        costs.perLeaf = 0
        let whole = Self.model(workers: 2, placement: .hosts(network))
        var half = whole
        half.bytesPerElement = 2
        #expect(isClose(Self.seconds(half, costs) * 2, Self.seconds(whole, costs)))
    }

    @Test func moreServersShareTheNetwork() {
        let network = ClusterModel.Network(bandwidth: 125e6, latency: 0)
        var costs = Self.free
        costs.perLeaf = 1e-4
        let one = Self.seconds(Self.model(workers: 8, placement: .hosts(network)), costs)
        let four = Self.seconds(Self.model(workers: 8, servers: 4, placement: .hosts(network)), costs)
        #expect(four < one / 2)
    }

    @Test func aThousandWorkersAreBoundByTheServersMessages() {
        var costs = Self.free
        costs.perLeaf = 1e-6
        costs.perMessage = 1e-5
        let model = ClusterModel(
            workers: 1_000, virtualShards: 1_024, parameters: 10_000, coresPerHost: 4,
            placement: .hosts(.init(bandwidth: 1.25e11, latency: 0)))
        let prediction = Prediction(model, costs: costs)
        // One message in and one out for each.
        #expect(prediction.secondsPerStep >= 2e-2 * (1 - Self.rounding))
        #expect(prediction.bottleneck == .serverThreads)
    }

    @Test func everyThreadOnTheWayOfAMessageWakesUp() {
        var costs = Self.free
        costs.wakeUp = 1e-4
        costs.perWakeUp = 2e-5
        // One chunk: from the worker through two threads that serve sockets to the server, which updates by itself, and back.
        let small = Self.model(workers: 1, parameters: 1_000)
        #expect(isClose(Self.seconds(small, costs), 32e-3 + 6 * 1.2e-4))
    }

    @Test func whatAStepCostsWhateverItsSizeIsPaidOnce() {
        var costs = Self.free
        costs.perStepOfWorker = 1e-3
        #expect(isClose(Self.seconds(Self.model(workers: 1), costs), 33e-3))
        #expect(isClose(Self.seconds(Self.model(workers: 8), costs), 5e-3))
    }

    @Test func aLayersGradientIsFinishedAsAWhole() {
        var costs = Self.free
        costs.updatePerElement = 1e-9
        var model = Self.model(workers: 1, cores: 1)
        let chunk = Double(1 << 18) * 1e-9
        model.layers = [.init(parameters: 3 << 18, forward: 1, backward: 1), .init(parameters: 1 << 18, forward: 1, backward: 2)]
        // On one core nothing overlaps: four updates behind or between the computing.
        #expect(isClose(Self.seconds(model, costs), 32e-3 + 4 * chunk))
        // With cores to spare but one thread that updates, three chunks of the first layer are left when computing ends.
        model.coresPerHost = 2
        #expect(isClose(Self.seconds(model, costs), 32e-3 + 3 * chunk))
    }

    @Test func messagesDoNotWaitForTheEndOfATurn() {
        var costs = Self.free
        costs.perLeaf = 40e-3
        costs.updatePerElement = 1e-9
        let chunk = Double(1 << 18) * 1e-9
        // Each update takes the core from the worker at once, so that only the last is behind it; all are on its core.
        #expect(isClose(Self.seconds(Self.model(workers: 1, cores: 1), costs), 320e-3 + 4 * chunk))
    }

    @Test func theSameModelGivesTheSamePrediction() {
        let network = ClusterModel.Network(bandwidth: 1.25e8)
        let costs = Costs(
            leavesFixed: 1e-3, perLeaf: 2e-3, crowding: 1.2, updatePerElement: 1e-10, updatePerElementAndSum: 1e-10, perMessage: 5e-6,
            perByte: 2e-10, wakeUp: 4e-5)
        let model = Self.model(workers: 3, cores: 2, placement: .oneHostWithNetwork(network))
        #expect(Prediction(model, costs: costs) == Prediction(model, costs: costs))
    }
}
