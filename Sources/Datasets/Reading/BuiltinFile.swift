internal import Foundation

/// Finds the files of the built-in data sets.
///
/// Not by `Bundle.module`, which ends the program if they are not there and knows the folder of the build.
enum BuiltinFile {
    static func path(of dataset: BuiltinDataset, in searched: [String] = folders) throws(DatasetError) -> String {
        for folder in searched {
            // `<package>_<target>.resources`, laid there by the package manager.
            let bundles = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            for bundle in bundles.sorted() where bundle.hasSuffix("_Datasets.resources") {
                let path = "\(folder)/\(bundle)/\(fileName(of: dataset))"
                if FileManager.default.isReadableFile(atPath: path) { return path }
            }
        }
        throw .builtinMissing(name: dataset.rawValue, searched: searched)
    }

    private static func fileName(of dataset: BuiltinDataset) -> String {
        switch dataset {
        case .digits: "digits.csv.gz"
        }
    }

    /// Beside the program, links resolved or not.
    private static var folders: [String] {
        let program = Bundle.main.executableURL ?? Bundle.main.bundleURL
        let candidates = [
            Bundle.main.bundleURL, program.deletingLastPathComponent(), program.resolvingSymlinksInPath().deletingLastPathComponent(),
        ]
        var folders: [String] = []
        for path in candidates.map({ $0.standardizedFileURL.path }) where !folders.contains(path) { folders.append(path) }
        return folders
    }
}
