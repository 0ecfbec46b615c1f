/// Turns files of CIFAR-10's binary version into one table: per row a label byte, then 32×32 pixels of red, of green, of blue.
///
/// - Source: Krizhevsky, "The CIFAR-10 dataset", section "Binary version".
enum CIFAR10Reader {
    static let rowShape = [3, 32, 32]
    static let pixelCount = 3_072
    static let rowByteCount = 1 + pixelCount
    private static let labels: ClosedRange<UInt8> = 0...9

    /// - Parameters:
    ///   - files: unpacked, with what error texts call them; at least one.
    ///   - classNames: those of the training source, where this is not it.
    static func table(
        _ files: [(name: String, bytes: [UInt8])], task: LearningTask, classNames: [String]? = nil
    ) throws(DataProblems) -> Table {
        var problems: [DatasetError] = []
        for file in files {
            do throws(CIFAR10Fault) { try check(file.bytes) } catch { problems.append(.cifar10(path: file.name, error)) }
        }
        guard problems.isEmpty else { throw DataProblems(problems: problems) }
        let numbers = files.flatMap { file in
            stride(from: 0, to: file.bytes.count, by: rowByteCount).map { Int(file.bytes[$0]) }
        }
        let features = Table.Features.u8(files.flatMap { pixels($0.bytes) })
        guard task == .classification else {
            return Table(features: features, targets: .values(numbers.map { Float($0) }), rowShape: rowShape)
        }
        do throws(NumberLabels.Fault) {
            return Table(features: features, targets: try NumberLabels.classes(numbers, names: classNames), rowShape: rowShape)
        } catch {
            guard case .unknown(let row, let label, let known) = error else { preconditionFailure("there are ten labels") }
            // In which file the row is.
            var (first, name) = (0, "")
            for file in files where row >= first {
                name = file.name
                guard row >= first + file.bytes.count / rowByteCount else { break }
                first += file.bytes.count / rowByteCount
            }
            throw DataProblems(problems: [.cifar10(path: name, .unknownLabel(row: row - first, label: label, known: known))])
        }
    }

    /// The pixels of a file by themselves.
    static func rows(_ bytes: [UInt8]) throws(CIFAR10Fault) -> FeatureRows {
        try check(bytes)
        return FeatureRows(.u8(pixels(bytes)), rowShape: rowShape, rowCount: bytes.count / rowByteCount)
    }

    private static func check(_ bytes: [UInt8]) throws(CIFAR10Fault) {
        guard !bytes.isEmpty else { throw .empty }
        for offset in stride(from: 0, to: bytes.count, by: rowByteCount) {
            let row = offset / rowByteCount
            guard labels.contains(bytes[offset]) else { throw .label(row: row, offset: offset, value: bytes[offset]) }
            guard bytes.count - offset >= rowByteCount else { throw .truncated(row: row, offset: offset, byteCount: bytes.count) }
        }
    }

    private static func pixels(_ bytes: [UInt8]) -> [UInt8] {
        var pixels: [UInt8] = []
        pixels.reserveCapacity(bytes.count / rowByteCount * pixelCount)
        for offset in stride(from: 0, to: bytes.count, by: rowByteCount) { pixels += bytes[offset + 1..<offset + rowByteCount] }
        return pixels
    }
}
