/// Where each value of a run file was written, for problems that show only later, such as shapes that do not fit.
public struct SourceMap: Equatable, Sendable {
    private let file: String
    private let places: [SettingPath: Place]

    init(file: String, places: [SettingPath: Place] = [:]) {
        self.file = file
        self.places = places
    }

    /// The place of a value, or of the nearest thing around it that was written.
    public func place(of path: SettingPath) -> Place {
        var path = path
        while true {
            if let place = places[path] { return place }
            if path.isRoot { return .file(file) }
            path = path.parent
        }
    }

    /// A problem with a value that was read without complaint.
    public func problem(at path: SettingPath, _ text: String) -> Problem {
        Problem(place: place(of: path), path: path, text: text)
    }

    /// Always equal: where things were written is no part of what they mean.
    public static func == (a: SourceMap, b: SourceMap) -> Bool { true }
}
