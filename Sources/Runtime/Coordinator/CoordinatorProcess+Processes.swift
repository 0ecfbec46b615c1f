internal import OperatingSystem
internal import Training
internal import Wire
internal import ZeroMQ

/// The processes and sessions that end before the run does, and with it.
extension CoordinatorProcess {
    func reapLocalWorkers() throws {
        for (slot, processID, exit) in try locals.reap() {
            let text = "\(exit)"
            if let worker = peers.first(where: { $0.value.processID == processID && lanes[$0.value.control.lane].isLocal })?.key {
                dispatch(.lost(worker, reason: "its process \(text)"))
            }
            dispatch(.localWorkerExited(slot: slot, description: "\(text); see \(folder.logs)/worker-\(slot + 1).log"))
        }
    }

    /// Ends the sessions, waits for the local workers, and removes what was private.
    ///
    /// - Parameter outcome: what workers are told; nil: nothing, they are another coordinator's.
    func closeSessions(outcome: String?) throws {
        isClosing = true
        if let outcome {
            for peer in peers.values { send(.finished(outcome: outcome), to: peer) }
            for link in fleet?.links ?? [] { send(.finished(outcome: outcome), to: link.control) }
        } else {
            try locals.killAll()
        }
        let deadline = now + .seconds(5)
        var poller = Poller()
        _ = poller.add(descriptor: signals.descriptor)
        while !locals.isEmpty, now < deadline {
            _ = try locals.reap()
            if locals.isEmpty { break }
            try poller.wait(timeout: deadline - now)
            while try signals.next() != nil {}
        }
        try locals.killAll()
        try fleet?.locals.killAll()
        privateFolder = nil
    }
}
