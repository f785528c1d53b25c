package import JSON

/// Something went wrong and has to be understood: closed only with a root cause and a lesson.
package struct Incident: Hashable, Sendable, Codable {
    package var incidentID: IncidentID
    package var workspaceID: WorkspaceID
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var runID: RunID?
    package var status: IncidentStatus
    package var category: String?
    package var title: String
    package var summary: String?
    package var severity: IncidentSeverity?
    package var entityType: String?
    package var entityID: String?
    package var details: JSONValue
    /// The root cause analysis; an empty object until there is one.
    package var rca: JSONValue
    package var rcaUpdatedAt: Timestamp?
    package var learningCount: Int
    package var closedReason: String?
    package var createdByType: ActorType
    package var createdByID: String
    package var createdAt: Timestamp
    package var closedAt: Timestamp?
    package var updatedAt: Timestamp
    package var correlationID: String
    package var lastEventID: EventID?
    package var lastEventOccurredAt: Timestamp?

    package init(
        incidentID: IncidentID, workspaceID: WorkspaceID, title: String, by actor: Actor, correlationID: String,
        at time: Timestamp
    ) {
        (self.incidentID, self.workspaceID, self.title, status) = (incidentID, workspaceID, title, .open)
        (details, rca, learningCount, createdByType, createdByID) = ([:], [:], 0, actor.actorType, actor.actorID)
        (self.correlationID, createdAt, updatedAt) = (correlationID, time, time)
    }
}

/// One thing that was learned from an incident.
package struct IncidentLearning: Hashable, Sendable, Codable {
    package var learningID: LearningID
    package var incidentID: IncidentID
    package var workspaceID: WorkspaceID
    package var roomID: RoomID?
    package var runID: RunID?
    package var note: String
    package var tags: [String]
    package var createdByType: ActorType
    package var createdByID: String
    package var createdAt: Timestamp
    package var lastEventID: EventID?

    package init(
        learningID: LearningID, incidentID: IncidentID, workspaceID: WorkspaceID, note: String, tags: [String],
        by actor: Actor, at time: Timestamp
    ) {
        (self.learningID, self.incidentID, self.workspaceID) = (learningID, incidentID, workspaceID)
        (self.note, self.tags, createdAt) = (note, tags, time)
        (createdByType, createdByID) = (actor.actorType, actor.actorID)
    }
}

package enum IncidentStatus: String, CaseIterable, Codable, Sendable { case open, closed }

package enum IncidentSeverity: String, CaseIterable, Codable, Sendable {
    case low, medium, high, critical

    /// What clients of the surface also say; it is stored as ``low``.
    package static let warning = "warning"

    /// The words a request may use.
    package static let words = allCases.map(\.rawValue) + [warning]

    /// Nil for a word that is none of ``words``.
    package init?(word: String) { self.init(rawValue: word == Self.warning ? Self.low.rawValue : word) }
}
