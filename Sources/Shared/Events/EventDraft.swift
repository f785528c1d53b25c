package import JSON

/// Where an event belongs: the things it is about, and the stream that follows from them.
package struct EventScope: Hashable, Sendable {
    package var workspaceID: WorkspaceID
    package var missionID: String?
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var runID: RunID?
    package var stepID: StepID?
    package var correlationID: String

    package init(
        workspaceID: WorkspaceID, missionID: String? = nil, roomID: RoomID? = nil, threadID: ThreadID? = nil,
        runID: RunID? = nil, stepID: StepID? = nil, correlationID: String
    ) {
        (self.workspaceID, self.missionID, self.roomID, self.threadID) = (workspaceID, missionID, roomID, threadID)
        (self.runID, self.stepID, self.correlationID) = (runID, stepID, correlationID)
    }

    package var stream: StreamID { .of(room: roomID, in: workspaceID) }

    /// Where a recorded event belongs: for what follows from it.
    package init(of envelope: EventEnvelope) {
        self.init(
            workspaceID: envelope.workspaceID, missionID: envelope.missionID, roomID: envelope.roomID,
            threadID: envelope.threadID, runID: envelope.runID, stepID: envelope.stepID,
            correlationID: envelope.correlationID)
    }
}

/// An event that is decided and not yet recorded.
package struct EventDraft: Sendable {
    package var event: DomainEvent
    package var scope: EventScope
    package var actor: Actor
    package var causationID: EventID?
    package var zone: Zone
    /// Who acts, where that is not the actor's own principal: what a trusted caller says (the header mode).
    package var actorPrincipalID: String?
    /// The verdict that let the action through, for events that policy allowed; for a refusal what the gate was told.
    package var policyContext: JSONObject
    /// Unique in the stream for ever; a second append with the same key fails.
    package var idempotencyKey: String?

    package init(
        _ event: DomainEvent, in scope: EventScope, by actor: Actor, causedBy causationID: EventID? = nil,
        zone: Zone = .supervised, policyContext: JSONObject = [:], idempotencyKey: String? = nil
    ) {
        (self.event, self.scope, self.actor, self.causationID) = (event, scope, actor, causationID)
        (self.zone, self.policyContext, self.idempotencyKey) = (zone, policyContext, idempotencyKey)
    }
}
