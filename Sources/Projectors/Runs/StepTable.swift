package import DatabaseCore
import Domain
import EventStore
package import Shared

/// `proj_steps`: all the SQL that touches it is in this file.
package enum StepTable {
    static let table = Table<Step>(
        "proj_steps", keys: ["step_id"], remembersRows: true,
        blank: Step(stepID: "", runID: "", workspaceID: "", kind: "", correlationID: "", at: .zero),
        columns: [
            Column("step_id", \.stepID),
            Column("run_id", \.runID),
            Column("workspace_id", \.workspaceID),
            Column("room_id", \.roomID),
            Column("thread_id", \.threadID),
            Column("plan_step_id", \.planStepID),
            Column("kind", \.kind),
            Column("status", \.status),
            Column("title", \.title),
            Column("input", \.input),
            Column("output", \.output),
            Column("error", \.error),
            Column("correlation_id", \.correlationID),
            Column("created_at", \.createdAt),
            Column("ended_at", \.endedAt),
            Column("updated_at", \.updatedAt),
            Column("last_event_id", \.lastEventID),
        ],
        indexes: [
            "CREATE INDEX proj_steps_by_run ON proj_steps (run_id, created_at)"
        ])

    static let projector = Projector(table, change: change)

    static func change(_ recorded: Recorded<DomainEvent>) -> RowChange<Step>? {
        let id = recorded.envelope.stepID
        switch recorded.event {
        case .step(let event):
            let isNew = if case .created = event { true } else { false }
            return RowChange(id, isNew: isNew) { StepDecider.evolve($0, recorded.with(event)) }
        case .toolCall(let event): return RowChange(id) { StepDecider.evolve($0, recorded.with(event)) }
        case .approval, .artifact, .auth, .engine, .evidence, .experiment, .incident, .learning, .log, .policy, .review,
            .room, .run, .system, .thread:
            return nil
        }
    }

    package static func find(_ id: StepID, in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws
        -> Step?
    {
        try table.find(id, in: workspace, transaction)
    }

    /// The run's step for this step of its plan.
    package static func find(planStep: String, of run: RunID, _ transaction: any ReadTransaction) throws -> Step? {
        try table.all(where: " WHERE run_id = \(run) AND plan_step_id = \(planStep) LIMIT 1", in: transaction).first
    }

    /// The run's steps by name, oldest first.
    package static func ids(of run: RunID, limit: Int, _ transaction: any ReadTransaction) throws -> [StepID] {
        try transaction.all(
            "SELECT step_id FROM proj_steps WHERE run_id = \(run) ORDER BY created_at, step_id LIMIT \(limit)"
        ) { try $0.get("step_id") }
    }

    /// The run's steps, oldest first.
    package static func list(of run: RunID, _ transaction: any ReadTransaction) throws -> [Step] {
        try table.all(where: " WHERE run_id = \(run) ORDER BY created_at, step_id", in: transaction)
    }
}
