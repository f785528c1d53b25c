package import DatabaseCore
import Domain
import EventStore
package import Shared

/// `proj_experiments`: all the SQL that touches it is in this file, but for the pipeline's.
package enum ExperimentTable {
    static let table = Table<Experiment>(
        "proj_experiments", keys: ["experiment_id"], remembersRows: true,
        blank: Experiment(
            experimentID: "", workspaceID: "", title: "", hypothesis: "", by: .api, correlationID: "", at: .zero),
        columns: [
            Column("experiment_id", \.experimentID),
            Column("workspace_id", \.workspaceID),
            Column("room_id", \.roomID),
            Column("status", \.status),
            Column("title", \.title),
            Column("hypothesis", \.hypothesis),
            Column("success_criteria", \.successCriteria),
            Column("stop_conditions", \.stopConditions),
            Column("budget_cap_units", \.budgetCapUnits),
            Column("risk_tier", \.riskTier),
            Column("metadata", \.metadata),
            Column("created_by_type", \.createdByType),
            Column("created_by_id", \.createdByID),
            Column("created_at", \.createdAt),
            Column("closed_at", \.closedAt),
            Column("updated_at", \.updatedAt),
            Column("correlation_id", \.correlationID),
            Column("last_event_id", \.lastEventID),
        ],
        indexes: ["CREATE INDEX proj_experiments_by_update ON proj_experiments (workspace_id, updated_at)"])

    static let projector = Projector(table) { recorded, transaction in
        guard case .experiment(let event) = recorded.event else { return }
        try table.fold(event.experimentID, in: transaction) { ExperimentDecider.evolve($0, recorded.with(event)) }
    }

    /// The experiment, if it is in the workspace.
    package static func find(
        _ id: ExperimentID, in workspace: WorkspaceID, _ transaction: any ReadTransaction
    ) throws -> Experiment? {
        try table.find(id, in: workspace, transaction)
    }

    /// Experiments, newest change first.
    package static func list(
        in workspace: WorkspaceID, status: ExperimentStatus?, room: RoomID?, after cursor: ListCursor?, limit: Int,
        _ transaction: any ReadTransaction
    ) throws -> [Experiment] {
        try table.page(
            in: workspace, where: [status.map { "status = \($0)" }, room.map { "room_id = \($0)" }],
            newestBy: "updated_at", after: cursor, limit: limit, transaction)
    }
}
