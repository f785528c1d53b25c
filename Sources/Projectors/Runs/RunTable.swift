package import DatabaseCore
package import Domain
import EventStore
package import Shared

/// `proj_runs`: all the SQL that touches it is in this file.
package enum RunTable {
    static let table = Table<Run>(
        "proj_runs", keys: ["run_id"], remembersRows: true,
        blank: Run(runID: "", workspaceID: "", correlationID: "", at: .zero),
        columns: [
            Column("run_id", \.runID),
            Column("workspace_id", \.workspaceID),
            Column("room_id", \.roomID),
            Column("thread_id", \.threadID),
            Column("experiment_id", \.experimentID),
            Column("status", \.status),
            Column("title", \.title),
            Column("goal", \.goal),
            Column("input", \.input),
            Column("output", \.output),
            Column("error", \.error),
            Column("summary", \.summary),
            Column(json: "tags", \.tags),
            Column("has_plan", \.hasPlan),
            Column("attempt_no", \.attemptNo),
            Column(json: "waits", \.waits),
            Column("wake_at", \.wakeAt),
            Column("cancel_requested_at", \.cancelRequestedAt),
            Column("cancel_reason", \.cancelReason),
            Column("created_at", \.createdAt),
            Column("started_at", \.startedAt),
            Column("ended_at", \.endedAt),
            Column("updated_at", \.updatedAt),
            Column("activity_at", \.activityAt),
            Column("correlation_id", \.correlationID),
            Column("last_event_id", \.lastEventID),
            Column("last_event_occurred_at", \.lastEventOccurredAt),
        ],
        indexes: [
            "CREATE INDEX proj_runs_by_update ON proj_runs (workspace_id, updated_at)",
            "CREATE INDEX proj_runs_by_status ON proj_runs (status)",
            "CREATE INDEX proj_runs_queued ON proj_runs (workspace_id, created_at, run_id) WHERE status = 'queued'",
            // For claims of some rooms only, behind however many runs of others.
            "CREATE INDEX proj_runs_queued_by_room ON proj_runs (room_id, created_at, run_id) WHERE status = 'queued'",
            "CREATE INDEX proj_runs_by_activity ON proj_runs (workspace_id, activity_at)",
            """
            CREATE INDEX proj_runs_by_experiment ON proj_runs (experiment_id, created_at, run_id)
                WHERE experiment_id IS NOT NULL
            """,
            "CREATE INDEX proj_runs_waiting ON proj_runs (wake_at) WHERE status = 'waiting'",
        ])

    static let projector = Projector(table, change: change)

    static func change(_ recorded: Recorded<DomainEvent>) -> RowChange<Run>? {
        let id = recorded.envelope.runID
        switch recorded.event {
        case .run(let event):
            let isNew = if case .created = event { true } else { false }
            return RowChange(id, isNew: isNew) { RunDecider.evolve($0, recorded.with(event)) }
        // What begins below a run moves it up in lists and is the cause of what comes next.
        case .step(.created), .toolCall(.invoked): return RowChange(id) { $0?.touched(by: recorded) }
        // What proves, judges or blames a run: the pipeline's order follows it, the run stays as it is.
        case .evidence, .incident, .review(.scorecardRecorded): return RowChange(id) { $0?.followed(by: recorded) }
        case .approval, .artifact, .auth, .engine, .experiment, .learning, .log, .policy, .review, .room, .step,
            .system,
            .thread, .toolCall:
            return nil
        }
    }

    /// The run, if it is in the workspace.
    package static func find(_ id: RunID, in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> Run?
    {
        try table.find(id, in: workspace, transaction)
    }

    /// The run, wherever it is: for timers and rescues.
    package static func find(_ id: RunID, _ transaction: any ReadTransaction) throws -> Run? {
        try table.find(id, in: transaction)
    }

    package struct Filter: Sendable {
        package var roomID: RoomID?
        package var experimentID: ExperimentID?
        package var status: RunStatus?
        /// Only those that have not changed since.
        package var unchangedSince: Timestamp?

        package init() {}
    }

    /// Runs, newest change first.
    package static func list(
        in workspace: WorkspaceID, _ filter: Filter, after cursor: ListCursor?, limit: Int,
        _ transaction: any ReadTransaction
    ) throws -> [Run] {
        try table.page(
            in: workspace,
            where: [
                filter.roomID.map { "room_id = \($0)" }, filter.experimentID.map { "experiment_id = \($0)" },
                filter.status.map { "status = \($0)" }, filter.unchangedSince.map { "updated_at < \($0)" },
            ], newestBy: "updated_at", after: cursor, limit: limit, transaction)
    }

    /// The queued run that has waited longest.
    /// - Parameter rooms: The rooms the claimer may take runs from; nil for all.
    package static func oldestQueued(
        in workspace: WorkspaceID, rooms: [RoomID]?, withPlan: Bool, _ transaction: any WriteTransaction
    ) throws -> Run? {
        var condition: SQL = " WHERE workspace_id = \(workspace) AND status = 'queued'"
        if withPlan { condition.append(" AND has_plan = \(true)") }
        if let rooms { condition.append(" AND room_id IN (\(list: rooms))") }
        condition.append(" ORDER BY created_at, run_id LIMIT 1")
        // A run that another transaction is about to take is not waited for.
        if transaction.backend == .postgres { condition.append(" FOR UPDATE SKIP LOCKED") }
        return try table.all(where: condition, in: transaction).first
    }

    /// How many runs wait for an engine, and since when.
    package static func queued(in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> Backlog {
        try transaction.backlog(
            """
            SELECT count(*) AS count, min(updated_at) AS since FROM proj_runs
            WHERE workspace_id = \(workspace) AND status = 'queued'
            """)
    }

    /// What the run's row notes as its last event; nil where there is no row.
    package static func lastEvent(of run: RunID, _ transaction: any ReadTransaction) throws -> EventID? {
        try transaction.first("SELECT last_event_id FROM proj_runs WHERE run_id = \(run)") {
            try $0.get("last_event_id", as: EventID?.self)
        } ?? nil
    }

    /// Waiting runs whose timer has come.
    package static func due(at now: Timestamp, limit: Int, _ transaction: any ReadTransaction) throws -> [RunID] {
        try transaction.all(
            "SELECT run_id FROM proj_runs WHERE status = 'waiting' AND wake_at <= \(now) ORDER BY wake_at LIMIT \(limit)"
        ) { try $0.get("run_id") }
    }

    /// How many runs of the experiment have not ended.
    package static func activeCount(of experiment: ExperimentID, _ transaction: any ReadTransaction) throws -> Int64 {
        try transaction.first(
            """
            SELECT count(*) AS active FROM proj_runs
            WHERE experiment_id = \(experiment) AND status IN (\(list: RunStatus.allCases.filter { !$0.isTerminal }))
            """
        ) { try $0.get("active") } ?? 0
    }

    /// How many runs there are, by status.
    package static func counts(_ transaction: any ReadTransaction) throws -> [RunStatus: Int] {
        let counts = try transaction.all("SELECT status, count(*) AS n FROM proj_runs GROUP BY status") { row in
            (try row.get("status", as: RunStatus.self), try row.get("n", as: Int.self))
        }
        return Dictionary(uniqueKeysWithValues: counts)
    }

    /// All waiting runs: for a lifted halt, which any of them may wait for.
    package static func waiting(_ transaction: any ReadTransaction) throws -> [Run] {
        try table.all(where: " WHERE status = 'waiting' ORDER BY run_id", in: transaction)
    }
}
