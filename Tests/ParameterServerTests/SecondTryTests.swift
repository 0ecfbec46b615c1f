import Exactness
import Kernels
import NeuralNet
import Optimization
import ParameterServer
import Testing

/// What is not finite is computed twice before it is believed.
@Suite struct SecondTryTests {
    struct Setting: Sendable, CustomTestStringConvertible {
        var name: String
        var treatment = GradientTreatment()
        var policy = NonFinitePolicy.stop
        var threads = 0

        var testDescription: String { name }
    }

    static let settings = [
        Setting(name: "one phase"), Setting(name: "one phase, threads", threads: 2),
        Setting(name: "two phases", treatment: GradientTreatment(clipNorm: 0.5)),
        Setting(name: "two phases, threads", treatment: GradientTreatment(clipNorm: 0.5), threads: 2),
        Setting(name: "skipping", policy: .skip), Setting(name: "row limits", treatment: GradientTreatment(maxNorm: 2)),
    ]

    private func serve(_ setting: Setting) throws -> (harness: ServerHarness, reference: ReferenceRun) {
        let problem = try Problem(.adam(), shardCount: 4, treatment: setting.treatment, policy: setting.policy)
        let harness = try ServerHarness(problem, threads: setting.threads)
        harness.server.recomputes = true
        return (harness, ReferenceRun(problem, steps: 2))
    }

    private func offerAll(
        _ nodes: [TreeNode], _ harness: ServerHarness, _ sums: StepSums, wild: (TreeNode, Int) -> Bool = { _, _ in false }
    ) {
        for chunk in (0..<harness.server.chunks.count).reversed() {
            for node in nodes {
                if wild(node, chunk) {
                    harness.offer(node, chunk, of: sums) { $0[77] = .nan }
                } else {
                    harness.offer(node, chunk, of: sums)
                }
            }
        }
    }

    /// Leaf 1 is broken in every chunk; whoever computes it again sends it in a larger node.
    @Test(arguments: settings)
    func aFaultThatIsNotThereAgainLeavesNoTrace(_ setting: Setting) throws {
        let (harness, reference) = try serve(setting)
        let tree = harness.problem.tree
        offerAll([tree.leaf(0), tree.leaf(1), tree.root.right], harness, reference.sums[0]) { node, _ in node == tree.leaf(1) }
        func suspicions() -> Int { harness.progress.count { if case .suspicious = $0 { true } else { false } } }
        harness.drain { suspicions() == harness.server.chunks.count }
        #expect(harness.server.suspectShards == ShardSet([1]))
        #expect(harness.server.uncoveredShards == ShardSet([1]))
        #expect(harness.server.version == 0)
        offerAll([tree.root.left], harness, reference.sums[0])
        harness.drain { harness.server.version == 1 }
        #expect(reference.states[0].isEqual(to: harness.server))
        offerAll([tree.root], harness, reference.sums[1])
        harness.drain { harness.server.version == 2 }
        #expect(reference.states[1].isEqual(to: harness.server))
        #expect(harness.server.skippedSteps == 0)
        #expect(harness.outstandingTokens == 0 && !harness.hasBrokenTokens)
    }

    /// What had come of other chunks goes as well: one computation, one suspicion.
    @Test func whatElseCameOfTheSameComputationIsTakenOff() throws {
        let (harness, reference) = try serve(Setting(name: "one phase"))
        let tree = harness.problem.tree
        let last = harness.server.chunks.count - 1
        for chunk in 0..<last { harness.offer(tree.leaf(1), chunk, of: reference.sums[0]) { $0[77] = .nan } }
        for node in [tree.leaf(0), tree.root.right] { harness.offer(node, last, of: reference.sums[0]) }
        harness.offer(tree.leaf(1), last, of: reference.sums[0]) { $0[77] = .nan }
        harness.drain()
        #expect(harness.progress == [.suspicious(element: harness.server.chunks.range(last).lowerBound + 77)])
        offerAll([tree.root], harness, reference.sums[0])
        harness.drain()
        #expect(harness.server.version == 1 && reference.states[0].isEqual(to: harness.server))
        #expect(harness.outstandingTokens == 0 && !harness.hasBrokenTokens)
    }

    @Test(arguments: settings)
    func aFaultThatIsThereAgainIsBelieved(_ setting: Setting) throws {
        let (harness, reference) = try serve(setting)
        let tree = harness.problem.tree
        for _ in 0..<2 {
            offerAll([tree.leaf(0), tree.leaf(1), tree.root.right], harness, reference.sums[0]) { node, chunk in
                node == tree.leaf(1) && chunk == 1
            }
            harness.drain {
                harness.progress.contains { if case .suspicious = $0 { true } else { false } }
            }
        }
        let element = harness.server.chunks.range(1).lowerBound + 77
        if setting.policy == .skip {
            harness.drain { harness.server.version == 1 }
            #expect(harness.server.skippedSteps == 1)
        } else {
            harness.drain { harness.progress.contains(.notFinite(element: element)) }
            #expect(harness.server.version == 0)
        }
        #expect(harness.server.suspectShards == ShardSet([1]))
        #expect(harness.progress.count { $0 == .suspicious(element: element) } == 1)
        #expect(!harness.hasBrokenTokens)
    }

    @Test func aSumThatOverflowsWouldDoSoAgain() throws {
        let (harness, reference) = try serve(Setting(name: "one phase"))
        let tree = harness.problem.tree
        for node in [tree.root.left, tree.root.right] {
            harness.offer(node, 2, of: reference.sums[0]) { $0[5] = .greatestFiniteMagnitude }
        }
        harness.drain()
        #expect(harness.progress == [.notFinite(element: harness.server.chunks.range(2).lowerBound + 5)])
        #expect(harness.server.suspectShards.isEmpty)
    }
}
