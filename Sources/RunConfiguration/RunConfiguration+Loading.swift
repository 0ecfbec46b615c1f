internal import Foundation

extension RunConfiguration {
    /// Reads and validates the text of a run file.
    /// - Parameters:
    ///   - file: the name that problems print; without folder and suffix it is the default of `name`.
    ///   - folder: what relative paths are relative to, itself an absolute path.
    ///   - environment: where `${NAME}` in paths comes from.
    ///   - overrides: `KEY=VALUE`, applied in order before anything is validated.
    /// - Throws: every problem that was found.
    public static func load(
        text: String, file: String, folder: String, environment: [String: String] = [:], overrides: [String] = []
    ) throws(ProblemList) -> RunConfiguration {
        let diagnostics = Diagnostics(file: file)
        let reader = YAMLReader(origin: .file(file), top: SettingPath(), diagnostics: diagnostics)
        guard var tree = reader.read(text) else { throw ProblemList(diagnostics.problems) }
        switch tree.content {
        case .map: break
        case .scalar where tree.isNull:
            diagnostics.report(reader.place(nil), SettingPath(), "the file is empty; a run file has at least \(requiredKeys)")
            throw ProblemList(diagnostics.problems)
        case .scalar, .list:
            diagnostics.report(tree.place, SettingPath(), "a run file is a map of keys, got \(tree.summary)")
            throw ProblemList(diagnostics.problems)
        }
        for override in overrides { Override.apply(override, to: &tree, diagnostics) }
        var places: [SettingPath: Place] = [:]
        tree.collectPlaces(at: SettingPath(), into: &places)
        diagnostics.sourceMap = SourceMap(file: file, places: places)
        let paths = PathContext(folder: folder, environment: environment)
        guard let configuration = read(tree, file: file, paths: paths, diagnostics) else { throw ProblemList(diagnostics.problems) }
        return configuration
    }

    /// Reads and validates a run file. Relative paths in it are relative to its folder.
    public static func load(
        path: String, environment: [String: String] = [:], overrides: [String] = []
    ) throws(ProblemList) -> RunConfiguration {
        let text = try read(path: path)
        let current = FileManager.default.currentDirectoryPath
        let absolute = path.hasPrefix("/") ? path : (current == "/" ? "/" : current + "/") + path
        let folder = absolute.lastIndex(of: "/").map { String(absolute[..<$0]) } ?? ""
        return try load(text: text, file: path, folder: folder.isEmpty ? "/" : folder, environment: environment, overrides: overrides)
    }

    private static let requiredKeys = "data.train, model.layers, model.loss and optimizer.rule"

    private static func read(path: String) throws(ProblemList) -> String {
        func problem(_ text: String) -> ProblemList {
            ProblemList([Problem(place: .file(path), path: SettingPath(), text: text)])
        }
        let bytes: Data
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            // One byte more than allowed, so that the reader sees that there is more.
            bytes = try file.read(upToCount: Limits.fileByteCount + 1) ?? Data()
        } catch {
            throw problem("cannot be read: \(reason(error))")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw problem("is not UTF-8 text, so it is no run file")
        }
        return text
    }

    private static func reason(_ error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        let code = [underlying, error as NSError].compactMap(\.self).first { $0.domain == NSPOSIXErrorDomain }?.code
        return code.map { String(cString: strerror(Int32($0))) } ?? error.localizedDescription
    }
}
