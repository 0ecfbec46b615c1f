internal import Exactness
internal import Optimization

/// The way of a chunk through a step: reduced and judged first where that is wanted, then updated, then its rows bounded.
extension ParameterServer {
    var hasTwoPhases: Bool { settings.squares != nil }

    /// Takes note of a task that is done and starts what it makes possible.
    func take(_ task: ChunkTask, _ chunk: Int, _ outcome: ChunkOutcome) -> Progress? {
        switch task {
        case .reduce: return reduced(chunk, outcome)
        case .update:
            if !hasTwoPhases {
                if case .notFinite(let element) = outcome, let again = secondTry(chunk, element: element) { return again }
                giveBack(chunk)
            }
            if case .notFinite(let element) = outcome { return .notFinite(element: element) }
            ledgers[chunk].state = .updated
            moveWindow()
            updated(chunk)
        case .limit:
            limited(chunk)
        }
        return nil
    }

    private func giveBack(_ chunk: Int) {
        for contribution in ledgers[chunk].contributions { release(contribution.token) }
    }

    private func reduced(_ chunk: Int, _ outcome: ChunkOutcome) -> Progress? {
        if case .notFinite(let element) = outcome, let again = secondTry(chunk, element: element) { return again }
        giveBack(chunk)
        if case .notFinite(let element) = outcome {
            guard policy == .skip else { return .notFinite(element: element) }
            isFinite = false
        }
        ledgers[chunk].state = .reduced
        reducedChunks += 1
        guard reducedChunks == owned.count else {
            let before = lowestIncomplete
            moveWindow()
            return lowestIncomplete > before ? .reduced(upTo: lowestIncomplete) : nil
        }
        moveWindow()
        guard isAlone else { return .awaitsJudgement }
        settings.judge(isFinite: isFinite)
        beginSecondPhase()
        return nil
    }

    func beginSecondPhase() {
        // The first layers come first: workers begin with them.
        for chunk in owned {
            let ledger = ledgers[chunk]
            ledger.takeReduced(settings.reduced(ledger))
            ledger.state = .updating
            pool?.submit(.update, chunk)
        }
    }

    private func moveWindow() {
        func isPast(_ state: ChunkLedger.State) -> Bool { state == .reduced || state >= .updated || hasTwoPhases && state == .updating }
        while lowestIncomplete < owned.count, isPast(ledgers[owned.upperBound - 1 - lowestIncomplete].state) { lowestIncomplete += 1 }
    }

    private func updated(_ chunk: Int) {
        guard let borders else { return becomeReady(chunk) }
        // Rows of this chunk, and those that reach into it, may now be complete.
        for candidate in borders.origin(of: chunk)...chunk where ledgers[candidate].state == .updated {
            guard borders.needed(by: candidate).allSatisfy({ ledgers[$0].state >= .updated }) else { continue }
            if borders.hasRows(candidate) {
                ledgers[candidate].state = .limiting
                pool?.submit(.limit, candidate)
            } else {
                limited(candidate)
            }
        }
    }

    /// The rows that begin in `chunk` are as they will stay; so are the chunks that have no others.
    private func limited(_ chunk: Int) {
        guard let borders else { return }
        ledgers[chunk].state = .limited
        for reached in borders.needed(by: chunk) where ledgers[reached].state == .limited {
            if ledgers[borders.origin(of: reached)].state >= .limited { becomeReady(reached) }
        }
    }

    private func becomeReady(_ chunk: Int) {
        ledgers[chunk].state = .ready
        ready.append(chunk)
    }
}
