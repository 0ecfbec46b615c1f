internal import Exactness
internal import Foundation
internal import OperatingSystem
internal import Training

/// What a person sees of a run: on a terminal a bar with rate and ETA that is drawn over, elsewhere plain lines.
struct ProgressReporter {
    private let isQuiet: Bool
    private let isTerminal: Bool
    private let width: Int
    private let totalSteps: UInt64
    private let stepsPerEpoch: Int
    private let samplesPerStep: Double
    private var isBarShown = false
    private var lastDrawn = Duration.zero
    private var rate = RateMeter()

    init(isQuiet: Bool, plan: RunPlan) {
        self.isQuiet = isQuiet
        isTerminal = Machine.isTerminal(2)
        width = Machine.terminalWidth(2) ?? 80
        totalSteps = plan.totalSteps
        stepsPerEpoch = plan.stepsPerEpoch
        samplesPerStep = Double(plan.train.rowCount) / Double(plan.stepsPerEpoch)
    }

    mutating func line(_ text: String) {
        guard !isQuiet else { return }
        clearBar()
        printError(text)
    }

    /// Warnings are said even when quiet.
    mutating func warning(_ text: String) {
        clearBar()
        printError("warning: \(text)")
    }

    /// Draws the bar again, at most 10 times a second.
    /// - Parameter evaluations: of a closure rule, whose steps take several.
    mutating func update(step: UInt64, evaluations: UInt64?, loss: Double, workers: Int, now: Duration) {
        guard isTerminal, !isQuiet, now - lastDrawn >= .milliseconds(100) else { return }
        lastDrawn = now
        rate.note(step: step, at: now)
        let share = Double(step) / Double(max(totalSteps, 1))
        var tail = " epoch \(min(Int(step) / stepsPerEpoch + 1, Int(totalSteps) / stepsPerEpoch))"
        tail += "  \(Int(share * 100)) %"
        if let evaluations { tail += "  step \(step), \(evaluations) evaluations" }
        if evaluations == nil, let speed = rate.stepsPerSecond, speed > 0 {
            tail += "  \(Int(speed * samplesPerStep)) samples/s"
            tail += "  ETA " + Self.clock(Double(totalSteps - step) / speed)
        }
        if loss.isFinite { tail += "  loss " + loss.formatted(digits: 4) }
        tail += "  \(workers) worker\(workers == 1 ? "" : "s")"
        let room = max(width - tail.count - 3, 5)
        let filled = Int(share * Double(room))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: room - filled)
        printError("\r\u{1B}[K" + bar + tail, terminator: "")
        isBarShown = true
    }

    private mutating func clearBar() {
        guard isBarShown else { return }
        printError("\r\u{1B}[K", terminator: "")
        isBarShown = false
    }

    private static func clock(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        let (hours, minutes) = (whole / 3600, whole / 60 % 60)
        return hours > 0 ? String(format: "%d:%02d:%02d", hours, minutes, whole % 60) : String(format: "%d:%02d", minutes, whole % 60)
    }
}

/// Steps per second over the last few seconds.
private struct RateMeter {
    private var marks: [(step: UInt64, at: Duration)] = []

    mutating func note(step: UInt64, at now: Duration) {
        marks.append((step, now))
        while let first = marks.first, now - first.at > .seconds(5), marks.count > 2 { marks.removeFirst() }
    }

    var stepsPerSecond: Double? {
        guard let first = marks.first, let last = marks.last, last.at > first.at else { return nil }
        return Double(last.step - first.step) / (last.at - first.at).seconds
    }
}

extension Duration {
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
