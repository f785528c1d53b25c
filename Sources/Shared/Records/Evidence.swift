package import JSON

/// What proves afterwards what a run did: its manifest, and the hashes that make it tamper-evident.
package struct Evidence: Hashable, Sendable, Codable {
    package var evidenceID: EvidenceID
    package var workspaceID: WorkspaceID
    package var runID: RunID
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var correlationID: String
    package var runStatus: RunStatus
    /// Identifiers and hashes only, never a payload; its absent members are null, here and where it is hashed.
    package var manifest: JSONValue
    /// `sha256:` of the canonical (RFC 8785) manifest.
    package var manifestHash: String
    /// `sha256:` of the hashes of all events of the window, joined by line feeds.
    package var eventHashRoot: String
    package var streamType: StreamType
    package var streamID: String
    package var fromSeq: Int64
    package var toSeq: Int64
    package var eventCount: Int64
    package var finalizedAt: Timestamp
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var lastEventID: EventID?

    package init(
        evidenceID: EvidenceID, workspaceID: WorkspaceID, runID: RunID, runStatus: RunStatus, correlationID: String,
        stream: StreamID, at time: Timestamp
    ) {
        (self.evidenceID, self.workspaceID, self.runID, self.runStatus) = (evidenceID, workspaceID, runID, runStatus)
        (self.correlationID, streamType, streamID) = (correlationID, stream.type, stream.id)
        (manifest, manifestHash, eventHashRoot, fromSeq, toSeq, eventCount) = ([:], "", "", 0, 0, 0)
        (finalizedAt, createdAt, updatedAt) = (time, time, time)
    }
}

/// An event by name, place and hash.
package struct EventPointer: Hashable, Sendable {
    package var eventID: EventID
    package var eventType: String
    package var occurredAt: Timestamp
    package var streamSeq: Int64
    package var eventHash: String

    package init(
        eventID: EventID, eventType: String, occurredAt: Timestamp, streamSeq: Int64, eventHash: String
    ) {
        (self.eventID, self.eventType, self.occurredAt) = (eventID, eventType, occurredAt)
        (self.streamSeq, self.eventHash) = (streamSeq, eventHash)
    }
}

/// The events of a run in its stream, from the first to the one that ended it.
package struct EvidenceWindow: Hashable, Sendable {
    package var stream: StreamID
    package var fromSeq: Int64
    package var toSeq: Int64
    package var eventCount: Int64
    /// Over all events, however many ``events`` lists.
    package var eventHashRoot: String
    /// The first of them.
    package var events: [EventPointer]
    /// Whether the last event of the window is one that ends a run.
    package var hasTerminalEvent: Bool

    package init(
        stream: StreamID, fromSeq: Int64, toSeq: Int64, eventCount: Int64, eventHashRoot: String,
        events: [EventPointer], hasTerminalEvent: Bool
    ) {
        (self.stream, self.fromSeq, self.toSeq, self.eventCount) = (stream, fromSeq, toSeq, eventCount)
        (self.eventHashRoot, self.events, self.hasTerminalEvent) = (eventHashRoot, events, hasTerminalEvent)
    }
}
