package import DatabaseCore
package import Domain
import EventStore
package import Shared

/// `proj_incidents`: all the SQL that touches it is in this file.
package enum IncidentTable {
    static let table = Table<Incident>(
        "proj_incidents", keys: ["incident_id"], remembersRows: true,
        blank: Incident(incidentID: "", workspaceID: "", title: "", by: .api, correlationID: "", at: .zero),
        columns: [
            Column("incident_id", \.incidentID),
            Column("workspace_id", \.workspaceID),
            Column("room_id", \.roomID),
            Column("thread_id", \.threadID),
            Column("run_id", \.runID),
            Column("status", \.status),
            Column("category", \.category),
            Column("title", \.title),
            Column("summary", \.summary),
            Column("severity", \.severity),
            Column("entity_type", \.entityType),
            Column("entity_id", \.entityID),
            Column("details", \.details),
            Column("rca", \.rca),
            Column("rca_updated_at", \.rcaUpdatedAt),
            Column("learning_count", \.learningCount),
            Column("closed_reason", \.closedReason),
            Column("created_by_type", \.createdByType),
            Column("created_by_id", \.createdByID),
            Column("created_at", \.createdAt),
            Column("closed_at", \.closedAt),
            Column("updated_at", \.updatedAt),
            Column("correlation_id", \.correlationID),
            Column("last_event_id", \.lastEventID),
            Column("last_event_occurred_at", \.lastEventOccurredAt),
        ],
        indexes: [
            "CREATE INDEX proj_incidents_by_update ON proj_incidents (workspace_id, updated_at)",
            "CREATE INDEX proj_incidents_by_run ON proj_incidents (run_id, updated_at) WHERE run_id IS NOT NULL",
            "CREATE INDEX proj_incidents_open ON proj_incidents (workspace_id, created_at) WHERE status = 'open'",
        ])

    static let projector = Projector(table) { recorded, transaction in
        guard case .incident(let event) = recorded.event else { return }
        try table.fold(event.incidentID, in: transaction) { IncidentDecider.evolve($0, recorded.with(event)) }
    }

    package static func find(
        _ id: IncidentID, in workspace: WorkspaceID, _ transaction: any ReadTransaction
    ) throws -> Incident? {
        try table.find(id, in: workspace, transaction)
    }

    package struct Filter: Sendable {
        package var roomID: RoomID?
        package var runID: RunID?
        package var status: IncidentStatus?
        package var severity: IncidentSeverity?
        package var category: String?

        package init() {}
    }

    /// Incidents, newest change first.
    package static func list(
        in workspace: WorkspaceID, _ filter: Filter, after cursor: ListCursor?, limit: Int,
        _ transaction: any ReadTransaction
    ) throws -> [Incident] {
        try table.page(
            in: workspace,
            where: [
                filter.roomID.map { "room_id = \($0)" }, filter.runID.map { "run_id = \($0)" },
                filter.status.map { "status = \($0)" }, filter.severity.map { "severity = \($0)" },
                filter.category.map { "category = \($0)" },
            ], newestBy: "updated_at", after: cursor, limit: limit, transaction)
    }

    /// How many are open, and since when.
    package static func open(in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> Backlog {
        try transaction.backlog(
            """
            SELECT count(*) AS count, min(created_at) AS since FROM proj_incidents
            WHERE workspace_id = \(workspace) AND status = 'open'
            """)
    }

    /// The incident of the run that changed last, open or closed.
    package static func latest(of run: RunID, _ transaction: any ReadTransaction) throws -> Incident? {
        try table.all(
            where: " WHERE run_id = \(run) ORDER BY updated_at DESC, incident_id DESC LIMIT 1", in: transaction
        ).first
    }
}
