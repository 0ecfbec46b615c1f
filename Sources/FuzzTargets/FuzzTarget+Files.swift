internal import Foundation

extension FuzzTarget {
    /// Neither durable nor atomic: only this process reads it.
    static func replace(_ path: String, by bytes: UnsafeRawBufferPointer) throws {
        let data = Data(bytes)
        try data.write(to: URL(fileURLWithPath: path))
    }
}
