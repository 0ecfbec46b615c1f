internal import CLinux
internal import Glibc

/// A folder that only its owner can enter (mode 0700), removed with all it holds when the object is gone.
public final class TemporaryFolder: Sendable {
    public let path: String

    /// A new folder inside `parent`, which by default is what TMPDIR names, else /tmp.
    public init(prefix: String, in parent: String? = nil) throws(SystemError) {
        let parent = parent ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/\(prefix)XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            let code = errno
            throw SystemError(code: .init(rawValue: code), call: "mkdtemp", path: "\(parent)/\(prefix)XXXXXX")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        linux_remove_tree(path)
    }

    /// The path of `name` inside.
    public func appending(_ name: String) -> String {
        "\(path)/\(name)"
    }
}
