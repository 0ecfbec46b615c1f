internal import Exactness
internal import Kernels
internal import ParameterServer
internal import Wire
internal import ZeroMQ

/// The part of a server in a run whose rule searches: weights from the coordinator to the workers, sums over passes back to it.
extension ServerRun {
    func take(_ header: DataHeader, _ body: UnsafeRawBufferPointer, for server: RoundServer) throws(WireError) {
        switch header.kind {
        case .state, .sharedWeights:
            let chunk = Int(header.chunk)
            guard server.owned.contains(chunk) else { throw .malformed("weights of chunk \(chunk), which is another server's") }
            let values = header.kind == .state ? try values(body, ofChunk: chunk) : try sharedValues(header)
            guard let block = server.takeWeights(values, ofChunk: chunk, round: header.step) else {
                throw .malformed("weights of chunk \(chunk), round \(header.step) in round \(server.round)")
            }
            // Workers are told of the shared block by the number of ours.
            guard header.kind == .state || published.sharedIndex(of: block).map(UInt64.init) == header.checksum else {
                throw .malformed("round \(header.step) in shared block \(header.checksum)")
            }
            pushWeights(chunk, version: header.step, block: block)
        case .sameWeights:
            guard server.renumber(to: header.step) else { throw .malformed("round \(header.step) in round \(server.round)") }
            push(DataHeader(kind: .sameWeights, step: header.step))
        case .round:
            let notice = try RoundNotice(decoding: body)
            let place = RoundNotice.Place(rawValue: header.count)
            let round = GradientRound(number: header.step, planStep: notice.planStep, maskStep: notice.maskStep)
            guard server.open(round, isFirst: place.contains(.beginsPass), isLast: place.contains(.endsPass)) else {
                throw .malformed("round \(header.step) is opened in round \(server.round)")
            }
            unpark()
            advance()
        default: throw .malformed("a \(header.kind) message from the coordinator")
        }
    }

    func advance(_ server: RoundServer) {
        while let progress = server.nextProgress() {
            switch progress {
            case .reduced(let count): pushReduced(count)
            case .summed(let chunk):
                // The coordinator has read them before it opens the next round, which writes here again.
                let values = server.sum.view[server.chunks.range(chunk)]
                report(
                    DataHeader(kind: .gradient, chunk: UInt32(chunk), step: server.round),
                    body: Frame(lending: values.bytes, from: published.lenders.lender(of: server.sum)))
            case .roundCompleted(let number): report(DataHeader(kind: .built, step: number))
            }
        }
    }
}
