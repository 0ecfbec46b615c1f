/// The fixed numbers of this module.
public enum Limits {
    /// Bodies smaller than this, in bytes, are copied instead of lent: below it the copy is cheaper than the callback.
    /// - Source: pyzmq's `COPY_THRESHOLD`; the crossover was measured at about 100 kB (zeromq/pyzmq#1036).
    public static let smallestLentBody = 65_536

    /// The longest routing id of ZMTP, in bytes.
    public static let longestRoutingID = 255

    /// Frame cells are allocated in slabs of so many.
    static let cellsPerSlab = 64

    /// The parts of the longest request of ZAP: routing id, delimiter, six fields, two credentials.
    static let authenticationParts = 10
}
