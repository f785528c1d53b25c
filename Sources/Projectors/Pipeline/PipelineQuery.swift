package import DatabaseCore
package import Domain
import EventStore
package import Shared

/// The pipeline, read from the tables of what is in it: no table of its own, nothing that could go stale.
///
/// A page is one statement. Runs and lone scorecards, of which there may be very many, are taken from indexes in the
/// order of the pages; experiments and open approvals, which people make, are all looked at.
package enum PipelineQuery {
    /// One entity of a page.
    package struct Entity: Hashable, Sendable {
        package var item: PipelineItem
        package var facts: PipelineFacts

        package var cursor: PipelineCursor {
            PipelineCursor(updatedAt: item.updatedAt, entityType: item.entityType, entityID: item.entityID)
        }
    }

    /// Entities of the workspace, latest change first, then by type and identifier.
    package static func page(
        in workspace: WorkspaceID, after cursor: PipelineCursor?, limit: Int, _ transaction: any ReadTransaction
    ) throws -> [Entity] {
        try transaction.all(statement(in: workspace, after: cursor, limit: limit), entity)
    }

    static func statement(in workspace: WorkspaceID, after cursor: PipelineCursor?, limit: Int) -> SQL {
        var statement: SQL = "WITH page AS MATERIALIZED (SELECT * FROM ("
        statement.append(runs)
        statement.append(" WHERE workspace_id = \(workspace)")
        statement.append(after(cursor, .run, "activity_at", "run_id"))
        statement.append(" ORDER BY activity_at DESC, run_id LIMIT \(limit)) AS runs UNION ALL SELECT * FROM (")
        statement.append(scorecards)
        statement.append(" WHERE workspace_id = \(workspace) AND run_id IS NULL AND experiment_id IS NULL")
        statement.append(after(cursor, .scorecard, "created_at", "scorecard_id"))
        statement.append(" ORDER BY created_at DESC, scorecard_id LIMIT \(limit)) AS scorecards")
        for (type, entities) in [(PipelineEntityType.experiment, experiments), (.approval, approvals)] {
            statement.append(" UNION ALL SELECT * FROM (")
            statement.append(entities(workspace))
            statement.append(") AS entities WHERE 1 = 1")
            statement.append(after(cursor, type, "updated_at", "entity_id"))
        }
        statement.append(" ORDER BY updated_at DESC, entity_type, entity_id LIMIT \(limit))")
        statement.append(joined)
        return statement
    }

    // MARK: The entities

    private static let runs: SQL = """
        SELECT activity_at AS updated_at, 'run' AS entity_type, run_id AS entity_id, coalesce(title, run_id) AS title,
            status, room_id, thread_id, correlation_id, last_event_id, run_id, experiment_id
        FROM proj_runs
        """

    private static let scorecards: SQL = """
        SELECT created_at AS updated_at, 'scorecard' AS entity_type, scorecard_id AS entity_id, template_key AS title,
            decision AS status, NULL AS room_id, NULL AS thread_id, correlation_id, last_event_id, NULL AS run_id,
            NULL AS experiment_id
        FROM proj_scorecards
        """

    @Sendable private static func experiments(_ workspace: WorkspaceID) -> SQL {
        """
        SELECT (SELECT max(at) FROM (
                SELECT x.updated_at AS at UNION ALL SELECT r.activity_at UNION ALL
                SELECT max(created_at) FROM proj_scorecards WHERE experiment_id = x.experiment_id) AS times)
                AS updated_at,
            'experiment' AS entity_type, x.experiment_id AS entity_id, x.title, x.status, x.room_id,
            NULL AS thread_id, x.correlation_id, x.last_event_id, r.run_id, x.experiment_id
        FROM proj_experiments x
        LEFT JOIN proj_runs r ON r.run_id = (
            SELECT run_id FROM proj_runs WHERE experiment_id = x.experiment_id
            ORDER BY created_at DESC, run_id DESC LIMIT 1)
        WHERE x.workspace_id = \(workspace)
        """
    }

    @Sendable private static func approvals(_ workspace: WorkspaceID) -> SQL {
        """
        SELECT (SELECT max(at) FROM (SELECT a.updated_at AS at UNION ALL SELECT r.activity_at) AS times) AS updated_at,
            'approval' AS entity_type, a.approval_id AS entity_id, coalesce(a.title, a.action) AS title, a.status,
            a.room_id, a.thread_id, a.correlation_id, a.last_event_id, a.run_id, r.experiment_id
        FROM proj_approvals a LEFT JOIN proj_runs r ON r.run_id = a.run_id
        WHERE a.workspace_id = \(workspace) AND a.status IN ('pending', 'held')
        """
    }

    /// ` AND …`: what comes after the cursor among the entities of one type. Column names are the code's own.
    private static func after(
        _ cursor: PipelineCursor?, _ type: PipelineEntityType, _ time: String, _ id: String
    ) -> SQL {
        guard let cursor else { return "" }
        let at = cursor.updatedAt.sqlValue
        // Written so that the time alone bounds the walk down an index.
        if type.rawValue > cursor.entityType.rawValue { return SQL(unsafeText: " AND \(time) <= $1", bindings: [at]) }
        if type.rawValue < cursor.entityType.rawValue { return SQL(unsafeText: " AND \(time) < $1", bindings: [at]) }
        return SQL(
            unsafeText: " AND \(time) <= $1 AND (\(time) < $1 OR \(id) > $2)", bindings: [at, .text(cursor.entityID)])
    }

    // MARK: What belongs to them

    /// Every look-up is by a key or takes the end of an index: a page costs the same however much there is.
    private static let joined: SQL = """
         SELECT page.*, r.status AS run_status, x.status AS experiment_status,
            e.evidence_id, e.run_id AS evidence_run_id, e.run_status AS evidence_run_status,
            s.scorecard_id, s.decision, s.run_id AS scorecard_run_id, s.evidence_id AS scorecard_evidence_id,
            i.incident_id, i.status AS incident_status, a.approval_id
        FROM page
        LEFT JOIN proj_runs r ON r.run_id = page.run_id
        LEFT JOIN proj_experiments x ON x.experiment_id = page.experiment_id
        LEFT JOIN proj_evidence_manifests e ON e.run_id = page.run_id
        LEFT JOIN proj_scorecards s ON s.scorecard_id = CASE page.entity_type WHEN 'scorecard' THEN page.entity_id ELSE (
            SELECT scorecard_id FROM (
                SELECT * FROM (
                    SELECT scorecard_id, created_at FROM proj_scorecards WHERE run_id = page.run_id
                    ORDER BY created_at DESC, scorecard_id DESC LIMIT 1) AS of_run
                UNION ALL SELECT * FROM (
                    SELECT scorecard_id, created_at FROM proj_scorecards
                    WHERE page.entity_type = 'experiment' AND experiment_id = page.entity_id
                    ORDER BY created_at DESC, scorecard_id DESC LIMIT 1) AS of_experiment) AS newest
            ORDER BY created_at DESC, scorecard_id DESC LIMIT 1) END
        LEFT JOIN proj_incidents i ON i.incident_id = (
            SELECT incident_id FROM proj_incidents WHERE run_id = page.run_id
            ORDER BY updated_at DESC, incident_id DESC LIMIT 1)
        LEFT JOIN proj_approvals a ON a.approval_id = CASE page.entity_type WHEN 'approval' THEN page.entity_id ELSE (
            SELECT approval_id FROM proj_approvals WHERE run_id = page.run_id AND status IN ('pending', 'held')
            ORDER BY updated_at DESC, approval_id DESC LIMIT 1) END
        ORDER BY page.updated_at DESC, page.entity_type, page.entity_id
        """

    private static func entity(_ row: any Row) throws -> Entity {
        var item = PipelineItem(
            try row.get("entity_type"), try row.get("entity_id"), title: try row.get("title"),
            status: try row.get("status"), correlationID: try row.get("correlation_id"),
            updatedAt: try row.get("updated_at"))
        (item.roomID, item.threadID) = (try row.get("room_id"), try row.get("thread_id"))
        item.lastEventID = try row.get("last_event_id")
        item.links.experimentID = try row.get("experiment_id")
        item.links.runID = try row.get("run_id")
        item.links.evidenceID = try row.get("evidence_id")
        item.links.scorecardID = try row.get("scorecard_id")
        item.links.incidentID = try row.get("incident_id")
        item.links.approvalID = try row.get("approval_id")
        var facts = PipelineFacts(
            entityID: item.entityID, correlationID: item.correlationID, updatedAt: item.updatedAt)
        facts.experiment = try row.get("experiment_status")
        if let run = item.links.runID, let status: RunStatus = try row.get("run_status") {
            facts.run = PipelineFacts.Run(run, status)
        }
        if let evidence = item.links.evidenceID {
            facts.evidence = PipelineFacts.Evidence(
                evidence, of: try row.get("evidence_run_id"), try row.get("evidence_run_status"))
        }
        if item.links.scorecardID != nil {
            facts.scorecard = PipelineFacts.Scorecard(
                try row.get("decision"), of: try row.get("scorecard_run_id"),
                by: try row.get("scorecard_evidence_id"))
        }
        facts.hasOpenIncident = try row.get("incident_status", as: IncidentStatus?.self) == .open
        facts.hasOpenApproval = item.links.approvalID != nil
        return Entity(item: item, facts: facts)
    }
}
