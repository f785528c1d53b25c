package import JSON
package import Shared

/// Whether what an event said may be erased, and what remains of it.
package enum ErasureDecider {
    /// What is known of the event that shall be erased.
    package struct Target: Sendable {
        package var envelope: EventEnvelope
        /// Nil once it was erased.
        package var data: JSONValue?
        /// The run it belongs to.
        package var run: Run?
        /// The approval it is about.
        package var approval: Approval?

        package init(_ envelope: EventEnvelope, data: JSONValue?, run: Run? = nil, approval: Approval? = nil) {
            (self.envelope, self.data, self.run, self.approval) = (envelope, data, run, approval)
        }
    }

    /// What was decided: the event to record, and what remains of the target.
    package struct Erasure: Sendable {
        package var draft: EventDraft
        package var remains: JSONValue
    }

    /// - Throws: ``Rejection``: `event_already_erased`, `event_not_erasable`, `run_not_ended`, `approval_pending`.
    package static func erase(_ target: Target, reason: String, _ facts: CommandFacts) throws(Rejection) -> Erasure {
        let envelope = target.envelope
        if let why = ErasedForm.refusals[envelope.eventType] {
            throw Rejection(.eventNotErasable, "\(envelope.eventType) is never erased: \(why)")
        }
        guard let data = target.data else {
            throw Rejection(.eventAlreadyErased, "what \(envelope.eventID) said was erased already")
        }
        guard let remains = ErasedForm.of(envelope.eventType, data) else {
            throw Rejection(
                .eventNotErasable, "\(envelope.eventType) is of a newer release: erase it with that one")
        }
        // Whoever works on it, or decides about it, would work on something else than was recorded.
        if let run = target.run, !run.status.isTerminal {
            throw Rejection(
                .runNotEnded, "the run is \(run.status.rawValue): let it end or cancel it first",
                details: ["run_id": .string(run.runID.rawValue)])
        }
        if let approval = target.approval, !approval.isSettled {
            throw Rejection(
                .approvalPending, "the approval is not decided yet: decide it first",
                details: ["approval_id": .string(approval.approvalID.rawValue)])
        }
        let erased = EventErased(
            targetEventID: envelope.eventID, targetEventType: envelope.eventType, reason: reason, remains: remains)
        return Erasure(
            draft: EventDraft(
                .system(.eventErased(erased)), in: EventScope(of: envelope), by: facts.actor,
                causedBy: envelope.eventID, zone: envelope.zone), remains: remains)
    }
}
