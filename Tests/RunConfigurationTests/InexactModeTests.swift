import Exactness
import RunConfiguration
import Testing

@Suite struct InexactModeTests {
    @Test(arguments: [
        ("exact", TrainingMode.exact), ("fast", .fast), ("async", .async), ("ssp", .ssp(staleness: 2)),
        ("{ssp: {staleness: 0}}", .ssp(staleness: 0)),
    ])
    func modesAreReadAndWritten(text: String, mode: TrainingMode) throws {
        let configuration = try RunFile("training: {mode: \(text)}").load()
        #expect(configuration.training.mode == mode)
        #expect(try RunFile.load(configuration.effectiveYAML).training.mode == mode)
    }

    @Test func exactIsTheDefault() throws {
        #expect(try RunFile("").load().bitRelevantCanonical == RunFile("training: {mode: exact}").load().bitRelevantCanonical)
    }

    @Test(arguments: ["lbfgs", "conjugate_gradient"])
    func aSearchIsExact(rule: String) {
        let found = problems(in: RunFile("optimizer: {rule: \(rule)}\ntraining: {mode: async}").text)
        #expect(found.contains { $0.contains("training.mode: does not go with rule \(rule)") }, "\(found)")
    }

    @Test(arguments: ["ssp", "async"])
    func weightsThatAreReadForLongTravelInMessages(mode: String) throws {
        let found = problems(in: RunFile("training: {mode: \(mode)}\ncluster: {transport: shared_memory}").text)
        #expect(found.count == 1)
        #expect(found.first?.contains("cluster.transport: does not go with training.mode \(mode): ") == true, "\(found)")
        #expect(found.first?.hasSuffix("only auto, messages is allowed") == true, "\(found)")
        _ = try RunFile("training: {mode: \(mode)}\ncluster: {transport: messages}").load()
        _ = try RunFile("training: {mode: fast}\ncluster: {transport: shared_memory}").load()
    }

    @Test(arguments: ["fast", "ssp", "async"])
    func whatGoesWithoutSayingIsAllowed(mode: String) throws {
        _ = try RunFile("training: {mode: \(mode)}\ncluster: {transport: auto, parameter_servers: 1, wire: f32}").load()
    }
}
