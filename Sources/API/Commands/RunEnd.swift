import Crypto
import Domain
import EventStore
import JSON
import Projectors
import Shared

// What the end of a run brings with it, in the transaction of the end.

extension Work {
    /// Records the run's evidence, and an incident if it failed.
    func concludeRun(_ end: Recorded<RunEvent>) throws {
        guard let id = end.envelope.runID, let run = try RunTable.find(id, transaction) else {
            preconditionFailure("\(end.envelope.eventType) is about a run that is projected")
        }
        try recordEvidence(of: run, by: .api)
        if case .failed(let failed) = end.event { try openIncident(of: run, end.with(failed)) }
    }

    /// Makes the evidence of a run that has ended and has none.
    /// - Throws: `run_not_ended`
    func recordEvidence(of run: Run, by actor: Actor) throws {
        try EvidenceDecider.requireEnd(of: run)
        guard let found = try EvidenceTable.facts(of: run, transaction) else {
            preconditionFailure("a run that is projected has events")
        }
        let facts = CommandFacts(actor: actor, now: now)
        try record(EvidenceDecider.finalize(environment.newID(), of: run, found, digest: SHA256.text, facts))
    }

    /// A failed run has to be looked at, unless it failed because somebody said no: that is understood.
    private func openIncident(of run: Run, _ failure: Recorded<RunFailed>) throws {
        guard environment.isPromotionLoopEnabled, try !ApprovalTable.wasDenied(in: run.runID, transaction) else {
            return
        }
        let draft = IncidentDecider.runFailed(environment.newID(), run, failure)
        // Somebody may have used the key first: then the incident is open already.
        if try recorded(draft.idempotencyKey, in: draft.scope.stream) != nil { return }
        try record(draft)
    }
}
