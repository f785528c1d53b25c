/// All of an event but its payload: what `event_hash` covers, and where the event stands.
package struct EventEnvelope: Hashable, Sendable {
    /// The version of the hash rule (`contract/README.md` 4).
    package static let hashVersion: Int64 = 2

    package var globalSeq: Int64
    package var eventID: EventID
    package var eventType: String
    package var eventVersion: Int64
    package var occurredAt: Timestamp
    package var recordedAt: Timestamp
    package var workspaceID: WorkspaceID
    package var missionID: String?
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var runID: RunID?
    package var stepID: StepID?
    package var actor: Actor
    package var actorPrincipalID: String
    package var zone: Zone
    package var stream: StreamID
    package var streamSeq: Int64
    package var correlationID: String
    package var causationID: EventID?
    package var redactionLevel: RedactionLevel
    package var containsSecrets: Bool
    package var idempotencyKey: String?
    package var entityType: String?
    package var entityID: String?
    package var payloadDigest: String
    package var prevEventHash: String?
    package var eventHash: String

    package init(
        globalSeq: Int64, eventID: EventID, eventType: String, eventVersion: Int64, occurredAt: Timestamp,
        recordedAt: Timestamp, workspaceID: WorkspaceID, missionID: String?, roomID: RoomID?, threadID: ThreadID?,
        runID: RunID?, stepID: StepID?, actor: Actor, actorPrincipalID: String, zone: Zone, stream: StreamID,
        streamSeq: Int64, correlationID: String, causationID: EventID?, redactionLevel: RedactionLevel,
        containsSecrets: Bool, idempotencyKey: String?, entityType: String?, entityID: String?, payloadDigest: String,
        prevEventHash: String?, eventHash: String
    ) {
        (self.globalSeq, self.eventID, self.eventType, self.eventVersion) = (
            globalSeq, eventID, eventType, eventVersion
        )
        (self.occurredAt, self.recordedAt, self.workspaceID) = (occurredAt, recordedAt, workspaceID)
        (self.missionID, self.roomID, self.threadID) = (missionID, roomID, threadID)
        (self.runID, self.stepID, self.actor, self.actorPrincipalID) = (runID, stepID, actor, actorPrincipalID)
        (self.zone, self.stream, self.streamSeq) = (zone, stream, streamSeq)
        (self.correlationID, self.causationID) = (correlationID, causationID)
        (self.redactionLevel, self.containsSecrets) = (redactionLevel, containsSecrets)
        (self.idempotencyKey, self.entityType, self.entityID) = (idempotencyKey, entityType, entityID)
        (self.payloadDigest, self.prevEventHash, self.eventHash) = (payloadDigest, prevEventHash, eventHash)
    }
}

/// An event with its place in history, typed as far as a fold needs it.
package struct Recorded<Event: Sendable>: Sendable {
    package var envelope: EventEnvelope
    package var event: Event

    package init(_ envelope: EventEnvelope, _ event: Event) { (self.envelope, self.event) = (envelope, event) }

    /// When it was recorded: the time that read models show.
    package var at: Timestamp { envelope.recordedAt }

    package func with<Other: Sendable>(_ event: Other) -> Recorded<Other> { Recorded<Other>(envelope, event) }
}
