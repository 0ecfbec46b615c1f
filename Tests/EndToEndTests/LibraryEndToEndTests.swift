import Datasets
import Foundation
import Hashing
import NeuralNet
import Optimization
import Testing

/// The loop in one process gives what a run with one virtual shard gives, to the last bit.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct LibraryEndToEndTests {
    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func data() throws -> PreparedData {
        try PreparedData(
            DataSpecification(
                train: .builtin(.digits), test: .fraction(0.2), limit: 500, preprocessing: .scale(low: 0, high: 16)), seed: 7)
    }

    private static func runFile(layers: String, optimizer: String, more: String = "") -> String {
        """
        seed: 7
        data: {train: {builtin: digits}, test: {fraction: 0.2}, limit: 500, preprocessing: {scale: [0, 16]}}
        model:
          layers: \(layers)
          loss: softmax_cross_entropy
        optimizer:
        \(optimizer)
        training: {batch_size: 64, epochs: 3, virtual_shards: 1}
        \(more)
        """
    }

    private static func train(_ model: Model, _ optimizer: Optimizer, on data: PreparedData, epochs: Int = 3) throws {
        let batches = try data.batches(.train, size: 64)
        for epoch in 0..<epochs {
            for batch in batches.epoch(epoch) {
                optimizer.zeroGradient()
                try model.forward(batch.features, .training(step: optimizer.stepCount), samples: batch.samples)
                _ = try model.loss(classes: batch.classes)
                try model.backward()
                try optimizer.step()
            }
        }
    }

    @Test func dropoutGroupsScheduleAndClippingGiveTheWeightsOfARun() throws {
        let data = try Self.data()
        let model = try Model(
            ModelSpecification(
                inputShape: data.inputShape,
                layers: [
                    LayerSpecification(.flatten), LayerSpecification(.dense(units: 40)), LayerSpecification(.relu),
                    LayerSpecification(.dropout(rate: 0.3)), LayerSpecification(.dense(units: 10), name: "head"),
                ], loss: .softmaxCrossEntropy), seed: 7)
        let rule = RuleSpecification.adam(learningRate: 2e-3)
        let optimizer = try Optimizer(
            rule, for: model, treatment: GradientTreatment(clipNorm: 1, l2: 1e-3),
            groups: [ParameterGroup(match: "layers.head.*", rule: .adam(learningRate: 1e-2))],
            schedule: LearningRateSchedule(base: rule.learningRate, specification: .exponential(gamma: 0.99), warmupSteps: 5))
        try Self.train(model, optimizer, on: data)
        let result = try RunFiles.train(
            ["--workers", "1"],
            runFile: Self.runFile(
                layers: "[flatten, {dense: {units: 40}}, relu, {dropout: {rate: 0.3}}, {dense: {units: 10, name: head}}]",
                optimizer: """
                      rule: {adam: {learning_rate: 2e-3}}
                      schedule: {exponential: {gamma: 0.99}}
                      warmup_steps: 5
                      clip: {global_norm: 1}
                      groups: [{match: "layers.head.*", learning_rate: 1e-2}]
                    """, more: "regularization: {l2: 1e-3}"))
        #expect(model.weightsSHA256.description == result.weightsSha256)
        #expect(optimizer.stepCount == result.steps)
        var right = 0
        for batch in try data.batches(.test, size: 100).inOrder {
            right += zip(try model.predictedClasses(batch.features), batch.classes).count { $0 == $1 }
        }
        let accuracy = try #require(result.test?.accuracy)
        #expect(Double(right) / 359 == accuracy)
    }

    @Test func imagesWithBatchNormGiveTheWeightsOfARun() throws {
        let data = try Self.data()
        let model = try Model(
            inputShape: data.inputShape,
            layers: [
                .conv2d(ConvolutionOptions(filters: 6, kernel: Extent(3))), .batchNorm(), .relu,
                .maxPool2d(PoolingOptions(kernel: Extent(2))), .flatten, .dense(units: 10),
            ], loss: .softmaxCrossEntropy, seed: 7)
        let optimizer = try Optimizer(.momentum(learningRate: 0.05), for: model)
        try Self.train(model, optimizer, on: data)
        let result = try RunFiles.train(
            ["--workers", "1"],
            runFile: Self.runFile(
                layers: "[{conv2d: {filters: 6, kernel: 3}}, batch_norm, relu, {max_pool2d: {kernel: 2}}, flatten, {dense: {units: 10}}]",
                optimizer: "  rule: {momentum: {learning_rate: 0.05}}"))
        #expect(model.weightsSHA256.description == result.weightsSha256)
        // The running values have gone the same way: the figures of inference are the run's.
        var right = 0
        for batch in try data.batches(.test, size: 64).inOrder {
            right += zip(try model.predictedClasses(batch.features), batch.classes).count { $0 == $1 }
        }
        let accuracy = try #require(result.test?.accuracy)
        #expect(Double(right) / 359 == accuracy)
    }

    /// One batch is the training set, so the closure is what a run's full pass is. (A penalty would be added to the mean gradient here,
    /// to the sum there, and be rounded in another place.)
    @Test func aClosureGivesTheWeightsOfARunThatSearches() throws {
        let data = try Self.data()
        let model = try Model(
            inputShape: data.inputShape, layers: [.flatten, .dense(units: 20), .tanh, .dropout(rate: 0.2), .dense(units: 10)],
            loss: .softmaxCrossEntropy, seed: 7)
        let optimizer = try Optimizer(
            .lbfgs(LBFGSOptions(history: 4, limits: ClosureLimits(maxEvaluations: 6))), for: model)
        let batches = try data.batches(.train, size: 500)
        for epoch in 0..<4 {
            for batch in batches.epoch(epoch) {
                try optimizer.step {
                    optimizer.zeroGradient()
                    try model.forward(batch.features, .training(step: optimizer.stepCount), samples: batch.samples)
                    let loss = try model.loss(classes: batch.classes)
                    try model.backward()
                    return loss
                }
            }
        }
        let result = try RunFiles.train(
            ["--workers", "1", "--set", "training.batch_size=500", "--set", "training.epochs=4"],
            runFile: Self.runFile(
                layers: "[flatten, {dense: {units: 20}}, tanh, {dropout: {rate: 0.2}}, {dense: {units: 10}}]",
                optimizer: "  rule: {lbfgs: {history: 4, max_evaluations: 6}}"))
        #expect(optimizer.stepCount == result.steps)
        #expect(model.weightsSHA256.description == result.weightsSha256)
    }

    /// What the README shows is the program that `deploy/examples/library/check` builds and runs.
    @Test func theReadmeShowsTheVeryExample() throws {
        func text(_ path: String) throws -> String {
            try String(contentsOf: Self.repository.appendingPathComponent(path), encoding: .utf8)
        }
        let readme = try text("README.md")
        let program = try text("deploy/examples/library/Sources/digits/main.swift")
        #expect(readme.contains("```swift\n" + program + "```\n"))
    }
}
