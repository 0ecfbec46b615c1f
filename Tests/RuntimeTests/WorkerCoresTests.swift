import Runtime
import Testing

@Suite struct WorkerCoresTests {
    @Test func workersThatFillTheMachineHaveCoresOfTheirOwn() {
        let cores = WorkerCores(workers: 2, threads: 2, available: [0, 1, 4, 7])
        #expect(cores[0] == [0, 1])
        #expect(cores[1] == [4, 7])
        #expect(cores[2] == nil)
    }

    @Test func moreThanThatShareThemInTurn() {
        let cores = WorkerCores(workers: 5, threads: 1, available: [2, 3])
        #expect((0..<6).map { cores[$0] } == [[2], [3], [2], [3], [2], nil])
        #expect(WorkerCores(workers: 2, threads: 2, available: [0, 1, 2])[1] == [2, 0])
    }

    @Test(arguments: [(1, 1), (1, 2), (2, 3), (0, 1)])
    func othersAreLeftToTheKernel(workers: Int, threads: Int) {
        let cores = WorkerCores(workers: workers, threads: threads, available: [0, 1])
        #expect((0..<3).allSatisfy { cores[$0] == nil })
    }
}
