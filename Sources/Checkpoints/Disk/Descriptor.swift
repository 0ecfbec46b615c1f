internal import Glibc

/// An open file, closed with its last owner.
final class Descriptor: Sendable {
    let number: Int32

    init(adopting number: Int32) {
        self.number = number
    }

    deinit {
        close(number)
    }
}
