package import DatabaseCore
import Domain
import EventStore
package import Shared

/// `proj_incident_learning`: all the SQL that touches it is in this file.
package enum IncidentLearningTable {
    static let table = Table<IncidentLearning>(
        "proj_incident_learning", keys: ["learning_id"],
        blank: IncidentLearning(
            learningID: "", incidentID: "", workspaceID: "", note: "", tags: [], by: .api, at: .zero),
        columns: [
            Column("learning_id", \.learningID),
            Column("incident_id", \.incidentID),
            Column("workspace_id", \.workspaceID),
            Column("room_id", \.roomID),
            Column("run_id", \.runID),
            Column("note", \.note),
            Column(json: "tags", \.tags),
            Column("created_by_type", \.createdByType),
            Column("created_by_id", \.createdByID),
            Column("created_at", \.createdAt),
            Column("last_event_id", \.lastEventID),
        ],
        indexes: [
            "CREATE INDEX proj_incident_learning_by_incident ON proj_incident_learning (incident_id, created_at)"
        ])

    static let projector = Projector(table) { recorded, transaction in
        guard case .incident(.learningLogged(let event)) = recorded.event else { return }
        try table.fold(event.learningID, in: transaction) { IncidentDecider.evolve($0, recorded.with(event)) }
    }

    /// What one answer about an incident shows.
    package static let shownMax = 500

    /// What was learned from the incident, oldest first, at most ``shownMax``.
    package static func list(
        of incident: IncidentID, _ transaction: any ReadTransaction
    ) throws -> [IncidentLearning] {
        try table.all(
            where: " WHERE incident_id = \(incident) ORDER BY created_at, learning_id LIMIT \(shownMax)",
            in: transaction)
    }
}
