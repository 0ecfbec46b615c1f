import Foundation
import Testing

@testable import Optimization

@Suite struct ScheduleTests {
    /// Doubles in another order of operations, relative to the largest rate.
    private static let tolerance = 1e-14

    @Test(arguments: ScheduleCase.all)
    func ratesFollowPyTorch(_ oracle: ScheduleCase) throws {
        let schedule = try oracle.schedule()
        let largest = oracle.rates.max() ?? 0
        for (step, rate) in oracle.rates.enumerated() {
            #expect(abs(schedule.rate(step: UInt64(step)) - rate) <= ScheduleCase.tolerance * largest, "step \(step)")
        }
    }

    @Test func theOracleHasEverySchedule() {
        #expect(
            Set(ScheduleCase.all.map(\.name))
                == ["step", "exponential", "cosine", "one_cycle", "linear_warmup", "polynomial"])
    }

    @Test func cosinesAreThoseOfTheDefinition() {
        for index in 0...2_000 {
            let x = Double(index) / 1_000
            #expect(abs(x.cosineOfHalfTurns - cos(.pi * x)) <= 1e-15)
        }
        #expect([0, 0.5, 1, 1.5, 2].map { Double($0).cosineOfHalfTurns } == [1, 0, -1, 0, 1])
    }

    @Test func powersAreThoseOfTheDefinition() {
        for exponent in [0.5, 1, 1.7, 2, 3.25] {
            for index in 1...100 {
                let x = Double(index) / 100
                let exact = pow(x, exponent)
                #expect(abs(x.power(exponent) - exact) <= Self.tolerance * exact)
            }
        }
        #expect(0.0.power(0.5) == 0)
    }

    @Test func warmUpComesFirstAndThenTheScheduleStarts() {
        let schedule = LearningRateSchedule(
            base: 0.5, specification: .exponential(gamma: 0.5), warmupSteps: 4, warmupStartFactor: 0.2, horizon: 100)
        let rates = (0..<7).map { schedule.rate(step: $0) }
        for (rate, expected) in zip(rates, [0.1, 0.2, 0.3, 0.4, 0.5, 0.25, 0.125]) {
            #expect(abs(rate - expected) <= Self.tolerance)
        }
    }

    @Test func missingLengthsAreTheHorizon() {
        let pairs: [(ScheduleSpecification, ScheduleSpecification)] = [
            (.cosine(), .cosine(steps: 40)), (.polynomial(power: 1.5), .polynomial(steps: 40, power: 1.5)),
            (.oneCycle(maxRate: 2), .oneCycle(maxRate: 2, totalSteps: 40)),
        ]
        for (open, closed) in pairs {
            #expect(open.dependsOnHorizon && !closed.dependsOnHorizon)
            for step in 0..<60 as Range<UInt64> {
                let rates = [open, closed].map { LearningRateSchedule(base: 0.3, specification: $0, horizon: 40).rate(step: step) }
                #expect(rates[0] == rates[1])
            }
        }
    }

    @Test func everyScheduleStaysInItsRangeFarBeyondItsEnd() {
        let specifications: [ScheduleSpecification] = [
            .step(stepSize: 3), .exponential(gamma: 0.99), .cosine(steps: 7, minRate: 0.01), .polynomial(steps: 9, power: 0.5),
            .oneCycle(maxRate: 1, totalSteps: 1), .oneCycle(maxRate: 1, totalSteps: 3), .reduceOnPlateau(),
        ]
        for specification in specifications {
            let schedule = LearningRateSchedule(base: 0.5, specification: specification, horizon: 1)
            for step in [0, 1, 2, 3, 10, 1_000, 1 << 40] as [UInt64] {
                #expect((0...1).contains(schedule.rate(step: step)), "\(specification), step \(step)")
            }
        }
    }

    // MARK: reduce_on_plateau

    /// Five validations without gain are let pass, the sixth reduces, as PyTorch's.
    @Test func aPlateauReducesTheRateWhenPatienceIsOver() throws {
        let schedule = LearningRateSchedule(base: 1, specification: .reduceOnPlateau(factor: 0.5, patience: 2, minDelta: 0.1, minRate: 0.2))
        var plateau = PlateauState()
        let losses = [3, 2, 1.95, 2, .nan, 1.9, 1.5, 1.45, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5]
        let rates = losses.enumerated().map { index, loss in
            _ = schedule.observe(validationLoss: loss, after: UInt64(index + 1), &plateau)
            return schedule.rate(step: UInt64(index + 1), plateau: plateau)
        }
        #expect(rates == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2])
        #expect(plateau.best == 1.5)
        let copy = try JSONDecoder().decode(PlateauState.self, from: JSONEncoder().encode(plateau))
        #expect(copy == plateau)
    }

    @Test func validationsDuringWarmUpDoNotCount() {
        let schedule = LearningRateSchedule(base: 1, specification: .reduceOnPlateau(patience: 0), warmupSteps: 10)
        var plateau = PlateauState()
        for step in 1...10 { #expect(!schedule.observe(validationLoss: 1, after: UInt64(step), &plateau)) }
        #expect(plateau == PlateauState())
        #expect(!schedule.observe(validationLoss: 1, after: 11, &plateau))
        #expect(schedule.observe(validationLoss: 1, after: 12, &plateau))
        #expect(schedule.rate(step: 12, plateau: plateau) == 0.1)
    }

    @Test func otherSchedulesCountNoValidations() {
        var plateau = PlateauState()
        let schedule = LearningRateSchedule(base: 1, specification: .cosine(steps: 3))
        #expect(!schedule.observe(validationLoss: .nan, after: 5, &plateau) && plateau == PlateauState())
    }
}

/// A schedule of `schedules.json`.
struct ScheduleCase: Decodable, Sendable, CustomTestStringConvertible {
    /// The issue's bound, relative to the largest rate.
    static let tolerance = 1e-5

    let name: String
    let options: [String: Double]
    let base: Double
    let rates: [Double]

    private enum CodingKeys: String, CodingKey {
        case name = "schedule"
        case options
        case base = "base_lr"
        case rates = "learning_rates"
    }

    static let all = OracleFiles.cases("schedules", ScheduleCase.self)

    var testDescription: String { "\(name) \(options)" }

    func schedule() throws -> LearningRateSchedule {
        func option(_ name: String) throws -> Double { try #require(options[name], "\(name) of \(name)") }
        let specification: ScheduleSpecification
        switch name {
        case "step": specification = .step(stepSize: Int(try option("step_size")), gamma: try option("gamma"))
        case "exponential": specification = .exponential(gamma: try option("gamma"))
        case "cosine": specification = .cosine(steps: Int(try option("steps")), minRate: options["min_lr"] ?? 0)
        case "polynomial": specification = .polynomial(steps: Int(try option("steps")), power: options["power"] ?? 1)
        case "one_cycle": specification = .oneCycle(maxRate: try option("max_lr"), totalSteps: Int(try option("total_steps")))
        case "linear_warmup":
            return LearningRateSchedule(
                base: base, warmupSteps: Int(try option("steps")), warmupStartFactor: try option("start_factor"))
        default: throw OptimizationError.option("schedule", problem: "unknown, got \(name)")
        }
        return LearningRateSchedule(base: base, specification: specification)
    }
}

/// Files of cases: those of this package, then those of the folder `DNN_ORACLES` names.
enum OracleFiles {
    private struct File<Case: Decodable>: Decodable {
        let cases: [Case]
    }

    static var folders: [URL] {
        var folders = [Bundle.module.resourceURL?.appending(path: "Fixtures")].compactMap { $0 }
        if let more = ProcessInfo.processInfo.environment["DNN_ORACLES"] { folders.append(URL(filePath: more)) }
        return folders
    }

    /// The cases of all files whose names begin with `prefix`.
    static func cases<Case: Decodable>(_ prefix: String, _ type: Case.Type) -> [Case] {
        folders.flatMap { folder in
            let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
            return files.filter { $0.lastPathComponent.hasPrefix(prefix) && $0.pathExtension == "json" }
                .sorted { $0.path < $1.path }
                .flatMap { file -> [Case] in
                    do {
                        return try JSONDecoder().decode(File<Case>.self, from: Data(contentsOf: file)).cases
                    } catch {
                        Issue.record("\(file.path): \(error)")
                        return []
                    }
                }
        }
    }
}
