package import JSON

/// A line of the redaction log: one secret that was taken out of an event before it was written, or the note that this
/// was put on record. State, row and answer (`contract/API_CORE.md` 6.4).
package struct Redaction: Hashable, Sendable, Codable {
    /// What the line tells of.
    package enum Action: String, CaseIterable, Sendable, Codable {
        /// A match of one rule.
        case shadowFlagged = "shadow_flagged"
        /// The event about all matches of one event.
        case eventEmitted = "event_emitted"
    }

    package var redactionLogID: String
    package var workspaceID: WorkspaceID
    /// The event that had the secret in it.
    package var eventID: EventID?
    package var eventType: String
    package var streamType: StreamType
    package var streamID: String
    package var ruleID: String
    /// Enough to tell its kind, too little to use it.
    package var matchPreview: String
    package var detectorVersion: String
    package var action: Action
    package var details: JSONValue
    package var createdAt: Timestamp

    package init(
        redactionLogID: String, workspaceID: WorkspaceID, eventID: EventID?, eventType: String, stream: StreamID,
        ruleID: String, matchPreview: String, detectorVersion: String, action: Action, details: JSONValue,
        createdAt: Timestamp
    ) {
        (self.redactionLogID, self.workspaceID, self.eventID) = (redactionLogID, workspaceID, eventID)
        (self.eventType, streamType, streamID, self.ruleID) = (eventType, stream.type, stream.id, ruleID)
        (self.matchPreview, self.detectorVersion, self.action) = (matchPreview, detectorVersion, action)
        (self.details, self.createdAt) = (details, createdAt)
    }
}
