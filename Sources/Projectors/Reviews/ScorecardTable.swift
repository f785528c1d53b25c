package import DatabaseCore
import Domain
import EventStore
package import Shared

/// `proj_scorecards`: all the SQL that touches it is in this file, but for the pipeline's.
package enum ScorecardTable {
    static let table = Table<Scorecard>(
        "proj_scorecards", keys: ["scorecard_id"],
        blank: Scorecard(
            scorecardID: "", workspaceID: "", templateKey: "", templateVersion: "", by: .api, correlationID: "",
            at: .zero),
        columns: [
            Column("scorecard_id", \.scorecardID),
            Column("workspace_id", \.workspaceID),
            Column("experiment_id", \.experimentID),
            Column("run_id", \.runID),
            Column("evidence_id", \.evidenceID),
            Column("agent_id", \.agentID),
            Column("principal_id", \.principalID),
            Column("template_key", \.templateKey),
            Column("template_version", \.templateVersion),
            Column(json: "metrics", \.metrics),
            Column("metrics_hash", \.metricsHash),
            Column("score", \.score),
            Column("decision", \.decision),
            Column("rationale", \.rationale),
            Column("metadata", \.metadata),
            Column("created_by_type", \.createdByType),
            Column("created_by_id", \.createdByID),
            Column("created_at", \.createdAt),
            Column("updated_at", \.updatedAt),
            Column("correlation_id", \.correlationID),
            Column("last_event_id", \.lastEventID),
        ],
        indexes: [
            "CREATE INDEX proj_scorecards_by_creation ON proj_scorecards (workspace_id, created_at)",
            """
            CREATE INDEX proj_scorecards_by_run ON proj_scorecards (run_id, created_at, scorecard_id)
                WHERE run_id IS NOT NULL
            """,
            """
            CREATE INDEX proj_scorecards_by_experiment ON proj_scorecards (experiment_id, created_at, scorecard_id)
                WHERE experiment_id IS NOT NULL
            """,
            """
            CREATE INDEX proj_scorecards_alone ON proj_scorecards (workspace_id, created_at)
                WHERE run_id IS NULL AND experiment_id IS NULL
            """,
        ])

    static let projector = Projector(table) { recorded, transaction in
        guard case .review(let event) = recorded.event, case .scorecardRecorded(let card) = event else { return }
        try table.fold(card.scorecardID, in: transaction) { ScorecardDecider.evolve($0, recorded.with(event)) }
    }

    /// The scorecard, if it is in the workspace.
    package static func find(
        _ id: ScorecardID, in workspace: WorkspaceID, _ transaction: any ReadTransaction
    ) throws -> Scorecard? {
        try table.find(id, in: workspace, transaction)
    }

    package struct Filter: Sendable {
        package var experimentID: ExperimentID?
        package var runID: RunID?
        package var agentID: String?

        package init() {}
    }

    /// Scorecards, newest first.
    package static func list(
        in workspace: WorkspaceID, _ filter: Filter, after cursor: ListCursor?, limit: Int,
        _ transaction: any ReadTransaction
    ) throws -> [Scorecard] {
        try table.page(
            in: workspace,
            where: [
                filter.experimentID.map { "experiment_id = \($0)" }, filter.runID.map { "run_id = \($0)" },
                filter.agentID.map { "agent_id = \($0)" },
            ], newestBy: "created_at", after: cursor, limit: limit, transaction)
    }
}
