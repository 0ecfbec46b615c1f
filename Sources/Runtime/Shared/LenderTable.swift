internal import Kernels
internal import ZeroMQ

/// Who lends which block of weights to messages.
final class LenderTable {
    private var lenders: [ObjectIdentifier: Lender] = [:]

    func lender(of block: FloatBlock) -> Lender {
        let key = ObjectIdentifier(block)
        if let lender = lenders[key] { return lender }
        // Blocks that have been replaced are forgotten with their last message; frames in flight keep their lender alive.
        lenders = lenders.filter { $0.value.outstanding > 0 }
        let lender = Lender(keeping: block)
        lenders[key] = lender
        return lender
    }

    func isFree(_ block: FloatBlock) -> Bool {
        (lenders[ObjectIdentifier(block)]?.outstanding ?? 0) == 0
    }
}
