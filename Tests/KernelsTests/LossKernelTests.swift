import Foundation
import Kernels
import Testing

@Suite struct LossKernelTests {
    /// Rounding of Float exponentials and shares.
    static let tolerance = 1e-6

    @Test(arguments: runnableSets, [2, 5, 8, 19])
    func softmaxAgreesWithItsDefinition(set: InstructionSet, classes: Int) {
        let rows = 6, z = numbers(rows * classes, seed: 1, spread: 30), labels = AlignedBlock<Int32>(count: rows)
        for row in 0..<rows { labels[row] = Int32(row % classes) }
        let gradient = zeros(z.count)
        let figures = NetKernels(set).softmaxCrossEntropy(
            logits: block(z).view, labels: labels, rows: rows, classes: classes, gradient: gradient.mutableView, wanted: true)
        var loss = 0.0
        var correct = 0
        for row in 0..<rows {
            let logits = z[(row * classes)..<((row + 1) * classes)].map(Double.init)
            let largest = logits.max() ?? 0
            let sum = logits.reduce(0) { $0 + exp($1 - largest) }
            loss += log(sum) + largest - logits[Int(labels[row])]
            if logits.firstIndex(of: largest) == Int(labels[row]) { correct += 1 }
            for column in 0..<classes {
                let expected = exp(logits[column] - largest) / sum - (column == Int(labels[row]) ? 1 : 0)
                #expect(abs(Double(gradient.view[row * classes + column]) - expected) <= Self.tolerance)
            }
        }
        #expect(abs(figures.loss - loss) <= Self.tolerance * loss)
        #expect(figures.correct == correct)
    }

    @Test func tiesCountForTheLowestIndex() {
        let labels = AlignedBlock<Int32>(count: 2), scratch = zeros(6)
        labels[1] = 1
        let figures = NetKernels(.effective).softmaxCrossEntropy(
            logits: block([1, 1, 0, 2, 2, 2]).view, labels: labels, rows: 2, classes: 3, gradient: scratch.mutableView, wanted: false)
        #expect(figures.correct == 1)
    }

    /// A label from a damaged file must neither read beyond the row nor pass unnoticed.
    @Test(arguments: runnableSets, [Int32(-1), 3, .max])
    func labelsOutsideTheClassesGiveNaN(set: InstructionSet, label: Int32) {
        let labels = AlignedBlock<Int32>(count: 1), gradient = zeros(3)
        labels[0] = label
        let figures = NetKernels(set).softmaxCrossEntropy(
            logits: block([1, 2, 3]).view, labels: labels, rows: 1, classes: 3, gradient: gradient.mutableView, wanted: true)
        #expect(figures.loss.isNaN && figures.correct == 0)
        #expect(values(gradient).allSatisfy { $0.isNaN })
    }

    @Test(arguments: runnableSets)
    func binaryCrossEntropyIsStableForLargeLogits(set: InstructionSet) {
        let z: [Float] = [0, 0.7, -0.7, 40, -40, 200, -200, 0], t: [Float] = [1, 1, 0, 0, 1, 1, 0, 0]
        let gradient = zeros(z.count)
        let figures = NetKernels(set).binaryCrossEntropy(
            logits: block(z).view, targets: block(t).view, rows: z.count, gradient: gradient.mutableView, wanted: true)
        var loss = 0.0
        for (logit, target) in zip(z, t) {
            loss += max(Double(logit), 0) - Double(logit) * Double(target)
            loss += log1p(exp(-abs(Double(logit))))
        }
        #expect(abs(figures.loss - loss) <= Self.tolerance)
        #expect(figures.correct == 5, "0 counts as the negative class")
        for (index, logit) in z.enumerated() {
            let expected = 1 / (1 + exp(-Double(logit))) - Double(t[index])
            #expect(abs(Double(gradient.view[index]) - expected) <= Self.tolerance)
        }
    }

    @Test(arguments: runnableSets)
    func meanSquaredErrorAveragesOverARowOnly(set: InstructionSet) {
        let y: [Float] = [1, 2, 3, 4, 5, 6], t: [Float] = [1, 1, 1, 2, 2, 2], gradient = zeros(6)
        let figures = NetKernels(set).meanSquaredError(
            block(y).view, targets: block(t).view, rows: 2, width: 3, gradient: gradient.mutableView, wanted: true)
        #expect(figures.squaredError == 34)
        #expect(abs(figures.loss - (5.0 / 3 + 29.0 / 3)) <= Self.tolerance)
        let factor = Float(2) / 3
        #expect(values(gradient) == [0, factor, 2 * factor, 2 * factor, 3 * factor, 4 * factor])
    }

    @Test(arguments: runnableSets)
    func smoothingMovesAShareOfTheTargetToAllClasses(set: InstructionSet) {
        let z: [Float] = [2, -1, 0.5, 3], smoothing: Float = 0.2, labels = AlignedBlock<Int32>(count: 1), gradient = zeros(4)
        labels[0] = 2
        let figures = NetKernels(set).softmaxCrossEntropy(
            logits: block(z).view, labels: labels, rows: 1, classes: 4, smoothing: smoothing, gradient: gradient.mutableView, wanted: true)
        let sum = z.reduce(0) { $0 + exp(Double($1)) }
        let targets = [0.05, 0.05, 0.85, 0.05]
        let loss = zip(z, targets).reduce(0) { $0 + $1.1 * (log(sum) - Double($1.0)) }
        #expect(abs(figures.loss - loss) <= Self.tolerance * loss)
        for index in 0..<4 {
            #expect(abs(Double(gradient.view[index]) - (exp(Double(z[index])) / sum - targets[index])) <= Self.tolerance)
        }
    }

    /// The label counts if fewer than five logits come before it; among equal ones the lower index comes first.
    @Test(arguments: runnableSets)
    func topFiveCountsTiesFromTheLowestIndex(set: InstructionSet) {
        let z: [Float] = [1, 1, 1, 1, 1, 1, 1], labels = AlignedBlock<Int32>(count: 7), classified = AlignedBlock<Int32>(count: 7)
        for row in 0..<7 { labels[row] = Int32(row) }
        let rows = (0..<7).flatMap { _ in z }
        let figures = NetKernels(set).softmaxCrossEntropy(
            logits: block(rows).view, labels: labels, rows: 7, classes: 7, gradient: zeros(49).mutableView, wanted: false,
            classified: classified)
        #expect(figures.topFive == 5 && figures.correct == 1)
        #expect((0..<7).allSatisfy { classified[$0] == 0 })
        let few = NetKernels(set).softmaxCrossEntropy(
            logits: block([3, 2, 1]).view, labels: labels, rows: 1, classes: 3, gradient: zeros(3).mutableView, wanted: false)
        #expect(few.topFive == 1)
        let spoiled = NetKernels(set).softmaxCrossEntropy(
            logits: block([.nan, 2, 1]).view, labels: labels, rows: 1, classes: 3, gradient: zeros(3).mutableView, wanted: false)
        #expect(spoiled.topFive == 0 && spoiled.loss.isNaN)
    }

    @Test(arguments: runnableSets)
    func absoluteErrorAndHuberAreAsDefined(set: InstructionSet) {
        let y: [Float] = [1, 2, 3, 0, -1, 5], t: [Float] = [1, 0, 3.5, 3, -1, 4.5], gradient = zeros(6)
        let absolute = NetKernels(set).meanAbsoluteError(
            block(y).view, targets: block(t).view, rows: 2, width: 3, gradient: gradient.mutableView, wanted: true)
        let share = Float(1) / 3
        #expect(absolute.squaredError == 4 + 0.25 + 9 + 0.25)
        #expect(abs(absolute.loss - (2.5 / 3 + 3.5 / 3)) <= Self.tolerance)
        #expect(values(gradient) == [0, share, -share, -share, 0, share])
        let huber = NetKernels(set).huber(
            block(y).view, targets: block(t).view, rows: 2, width: 3, delta: 1, gradient: gradient.mutableView, wanted: true)
        #expect(huber.squaredError == absolute.squaredError)
        #expect(abs(huber.loss - ((1.5 + 0.125) / 3 + (2.5 + 0.125) / 3)) <= Self.tolerance)
        #expect(values(gradient) == [0, share, -0.5 * share, -share, 0, 0.5 * share])
    }

    @Test(arguments: runnableSets)
    func lossesOfValuesShowNaN(set: InstructionSet) {
        let y = block([.nan, 1]), t = block([0, 0])
        for loss in 0..<2 {
            let gradient = zeros(2)
            let figures =
                loss == 0
                ? NetKernels(set).meanAbsoluteError(
                    y.view, targets: t.view, rows: 1, width: 2, gradient: gradient.mutableView, wanted: true)
                : NetKernels(set).huber(
                    y.view, targets: t.view, rows: 1, width: 2, delta: 1, gradient: gradient.mutableView, wanted: true)
            #expect(figures.loss.isNaN && gradient.view[0].isNaN && gradient.view[1] == 0.5)
        }
    }

    @Test func everyInstructionSetGivesTheSameBits() {
        let rows = 9, classes = 11, z = numbers(rows * classes, seed: 4, spread: 20), t = numbers(rows * classes, seed: 5)
        let labels = AlignedBlock<Int32>(count: rows)
        let all = runnableSets.map { set in
            let kernels = NetKernels(set)
            let a = zeros(z.count), b = zeros(z.count), c = zeros(z.count), d = zeros(z.count), e = zeros(z.count), f = zeros(z.count)
            let figures = [
                kernels.softmaxCrossEntropy(
                    logits: block(z).view, labels: labels, rows: rows, classes: classes, gradient: a.mutableView, wanted: true),
                kernels.meanSquaredError(
                    block(z).view, targets: block(t).view, rows: rows, width: classes, gradient: b.mutableView, wanted: true),
                kernels.binaryCrossEntropy(
                    logits: block(z).view, targets: block(t).view, rows: z.count, gradient: c.mutableView, wanted: true),
                kernels.softmaxCrossEntropy(
                    logits: block(z).view, labels: labels, rows: rows, classes: classes, smoothing: 0.1, gradient: d.mutableView,
                    wanted: true),
                kernels.meanAbsoluteError(
                    block(z).view, targets: block(t).view, rows: rows, width: classes, gradient: e.mutableView, wanted: true),
                kernels.huber(
                    block(z).view, targets: block(t).view, rows: rows, width: classes, delta: 0.7, gradient: f.mutableView, wanted: true),
            ]
            return (figures, [a, b, c, d, e, f].flatMap(bits))
        }
        #expect(all.allSatisfy { $0.0 == all[0].0 && $0.1 == all[0].1 })
    }
}
