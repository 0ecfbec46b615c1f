/// A file of rows to predict, in any of the formats that can be trained on, plain or gzip; labels in it are not looked at.
public struct PredictionFile: Sendable {
    public enum Format: String, Sendable, CaseIterable {
        case csv
        /// The features file.
        case idx
        /// The features file.
        case npy
        case cifar10
        case libsvm
    }

    /// What error texts call it.
    public let name: String
    public let format: Format
    private let bytes: [UInt8]

    /// Reads the whole file.
    /// - Parameters:
    ///   - path: `-` is standard input.
    ///   - format: nil recognises it by content, else by name.
    public init(path: String, format: Format? = nil) throws(DatasetError) {
        var files = SourceFiles(folder: "")
        let name = path == "-" ? "standard input" : path
        let bytes = try path == "-" ? files.contents(of: InputFile(standardInput: name)) : files.contents(of: path)
        try self.init(bytes, name: name, format: format)
    }

    init(_ bytes: [UInt8], name: String, format: Format? = nil) throws(DatasetError) {
        guard let format = format ?? Self.recognise(bytes, name: name) else { throw .unknownFormat(path: name) }
        self.name = name
        self.format = format
        self.bytes = bytes
    }

    /// The rows as a net takes them.
    /// - Parameters:
    ///   - encoding: that of the net's training data.
    ///   - featureCount: the values that the net takes per row.
    public func rows(encoding: TableEncoding, featureCount: Int) throws(DatasetError) -> FeatureRows {
        let rows: FeatureRows
        switch format {
        case .csv:
            do throws(CSVFault) {
                rows = try CSVRowReader.rows(bytes, encoding: encoding, featureCount: featureCount)
            } catch { throw .csv(path: name, error) }
        case .idx:
            do throws(IDXFault) { rows = try IDXReader.rows(bytes) } catch { throw .idx(path: name, error) }
        case .npy:
            do throws(NPYFault) { rows = try NPYReader.rows(bytes) } catch { throw .npy(path: name, error) }
        case .cifar10:
            do throws(CIFAR10Fault) { rows = try CIFAR10Reader.rows(bytes) } catch { throw .cifar10(path: name, error) }
        case .libsvm:
            do throws(LibSVMFault) {
                rows = try LibSVMReader.rows(bytes, featureCount: featureCount, encoding: encoding)
            } catch { throw .libsvm(path: name, error) }
        }
        guard rows.featureCount == featureCount else {
            throw .inputWidth(path: name, width: rows.featureCount, expected: featureCount)
        }
        return rows
    }

    // MARK: Recognition

    private static let suffixes: KeyValuePairs<String, Format> = [
        ".csv": .csv, ".tsv": .csv, ".npy": .npy, ".libsvm": .libsvm, ".svmlight": .libsvm, ".svm": .libsvm, ".bin": .cifar10,
        ".idx": .idx, "-ubyte": .idx,
    ]

    /// Formats that announce themselves first, then the name, then what the text looks like.
    private static func recognise(_ bytes: [UInt8], name: String) -> Format? {
        if bytes.starts(with: NPYHeader.magic) { return .npy }
        if bytes.count >= IDXHeader.fixedByteCount, bytes[0] == 0, bytes[1] == 0, IDXElement(rawValue: bytes[2]) != nil { return .idx }
        let lowercased = name.lowercased()
        let bare = lowercased.hasSuffix(".gz") ? String(lowercased.dropLast(3)) : lowercased
        if let (_, format) = suffixes.first(where: { bare.hasSuffix($0.key) }) { return format }
        let isText = !bytes.prefix(4_096).contains(0) && !bytes.isEmpty
        if !isText { return bytes.count % CIFAR10Reader.rowByteCount == 0 && !bytes.isEmpty ? .cifar10 : nil }
        return looksLikeLibSVM(bytes) ? .libsvm : .csv
    }

    /// Whether everything behind a label on the first line is `index:value`.
    private static func looksLikeLibSVM(_ bytes: [UInt8]) -> Bool {
        var scanner = LibSVMScanner(bytes)
        guard let first = scanner.nextRow() else { return false }
        var pairs = 0
        var token = scanner.isPair(first) ? first : scanner.nextToken()
        while let pair = token {
            guard (try? scanner.pair(pair)) != nil else { return false }
            pairs += 1
            token = scanner.nextToken()
        }
        return pairs > 0
    }
}
