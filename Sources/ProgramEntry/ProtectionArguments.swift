public import ArgumentParser

/// How connections between hosts are protected.
public struct ProtectionArguments: ParsableArguments {
    @Option(
        help: "The folder of keys that `dnn-coord keygen` has made: connections are encrypted, and only workers on its list are let in.")
    public var keys: String?

    @Flag(help: "Accepts tcp:// without keys: whoever reaches the port can read the data and the weights and change the result.")
    public var insecure = false

    public init() {}

    public func validate() throws {
        if keys != nil, insecure { throw ValidationError("--keys and --insecure exclude each other") }
    }

    /// Refuses tcp without a word on how it is protected, at the loopback address too: other users of a host reach it.
    public func check(endpoint: String, option: String) throws {
        guard endpoint.hasPrefix("tcp://"), keys == nil, !insecure else { return }
        throw ValidationError(
            """
            \(option) \(endpoint): tcp needs keys. Make them with `dnn-coord keygen DIR` and give --keys DIR, or give --insecure: \
            then whoever reaches the port can read the data and the weights and change the result
            """)
    }
}
