internal import Foundation

/// Figures as they stand in sentences.
enum Words {
    static func figure(_ value: Double?) -> String {
        guard let value else { return "unknown" }
        return String(format: "%.3g", value)
    }

    static func percent(_ share: Double) -> String {
        let percent = share * 100
        return String(format: abs(percent) < 10 ? "%.1f %%" : "%.0f %%", percent)
    }
}
