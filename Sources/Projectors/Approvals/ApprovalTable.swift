package import DatabaseCore
package import Domain
import EventStore
package import Shared

/// `proj_approvals`: all the SQL that touches it is in this file.
package enum ApprovalTable {
    static let table = Table<Approval>(
        "proj_approvals", keys: ["approval_id"], remembersRows: true,
        blank: Approval(approvalID: "", workspaceID: "", action: "", by: .api, correlationID: "", at: .zero),
        columns: [
            Column("approval_id", \.approvalID),
            Column("workspace_id", \.workspaceID),
            Column("room_id", \.roomID),
            Column("thread_id", \.threadID),
            Column("run_id", \.runID),
            Column("step_id", \.stepID),
            Column("tool_call_id", \.toolCallID),
            Column("action", \.action),
            Column("status", \.status),
            Column("title", \.title),
            Column("request", \.request),
            Column("context", \.context),
            Column(json: "scope", optional: \.scope),
            Column("expires_at", \.expiresAt),
            Column("requested_by_type", \.requestedByType),
            Column("requested_by_id", \.requestedByID),
            Column("requested_at", \.requestedAt),
            Column("decided_by_type", \.decidedByType),
            Column("decided_by_id", \.decidedByID),
            Column("decided_at", \.decidedAt),
            Column("decision", \.decision),
            Column("decision_reason", \.decisionReason),
            Column("consumed_at", \.consumedAt),
            Column("correlation_id", \.correlationID),
            Column("created_at", \.createdAt),
            Column("updated_at", \.updatedAt),
            Column("last_event_id", \.lastEventID),
            Column("last_event_occurred_at", \.lastEventOccurredAt),
        ],
        indexes: [
            "CREATE INDEX proj_approvals_by_update ON proj_approvals (workspace_id, updated_at)",
            "CREATE INDEX proj_approvals_by_run ON proj_approvals (run_id) WHERE run_id IS NOT NULL",
            """
            CREATE INDEX proj_approvals_approved ON proj_approvals (workspace_id, action, decided_at)
                WHERE status = 'approved' AND consumed_at IS NULL
            """,
            """
            CREATE INDEX proj_approvals_undecided ON proj_approvals (workspace_id, updated_at)
                WHERE status IN ('pending', 'held')
            """,
            """
            CREATE INDEX proj_approvals_undecided_by_run ON proj_approvals (run_id, updated_at)
                WHERE status IN ('pending', 'held')
            """,
            """
            CREATE INDEX proj_approvals_open ON proj_approvals (expires_at)
                WHERE status IN ('pending', 'held', 'approved') AND consumed_at IS NULL
            """,
        ])

    static let projector = Projector(table, change: change)

    static func change(_ recorded: Recorded<DomainEvent>) -> RowChange<Approval>? {
        guard case .approval(let event) = recorded.event else { return nil }
        let id: ApprovalID =
            switch event {
            case .requested(let event): event.approvalID
            case .decided(let event): event.approvalID
            case .consumed(let event): event.approvalID
            case .expired(let event): event.approvalID
            }
        let isNew = if case .requested = event { true } else { false }
        return RowChange(id, isNew: isNew) { ApprovalDecider.evolve($0, recorded.with(event)) }
    }

    /// What the run asked for, oldest first.
    static func list(of run: RunID, limit: Int, _ transaction: any ReadTransaction) throws -> [Approval] {
        try table.all(
            where: " WHERE run_id = \(run) ORDER BY created_at, approval_id LIMIT \(limit)", in: transaction)
    }

    package static func find(
        _ id: ApprovalID, in workspace: WorkspaceID, _ transaction: any ReadTransaction
    ) throws -> Approval? {
        try table.find(id, in: workspace, transaction)
    }

    /// Approvals, newest change first.
    package static func list(
        in workspace: WorkspaceID, status: ApprovalStatus?, room: RoomID?, after cursor: ListCursor?, limit: Int,
        _ transaction: any ReadTransaction
    ) throws -> [Approval] {
        try table.page(
            in: workspace, where: [status.map { "status = \($0)" }, room.map { "room_id = \($0)" }],
            newestBy: "updated_at", after: cursor, limit: limit, transaction)
    }

    /// How many wait for a decision, and since when.
    package static func waiting(in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> Backlog {
        try transaction.backlog(
            """
            SELECT count(*) AS count, min(created_at) AS since FROM proj_approvals
            WHERE workspace_id = \(workspace) AND status IN ('pending', 'held')
            """)
    }

    /// Those that wait for a decision, newest change first.
    package static func listWaiting(
        in workspace: WorkspaceID, after cursor: ListCursor?, limit: Int, _ transaction: any ReadTransaction
    ) throws -> [Approval] {
        try table.page(
            in: workspace, where: ["status IN ('pending', 'held')"], newestBy: "updated_at", after: cursor,
            limit: limit, transaction)
    }

    /// Whether somebody said no to something that the run asked for.
    package static func wasDenied(in run: RunID, _ transaction: any ReadTransaction) throws -> Bool {
        try transaction.first(
            "SELECT 1 AS found FROM proj_approvals WHERE run_id = \(run) AND status = 'denied' LIMIT 1"
        ) { try $0.get("found", as: Int.self) } != nil
    }

    /// What policy looks at: approved and not used up, newest decision first.
    package static let consideredMax = 50

    package static func approved(
        for action: ActionName, in workspace: WorkspaceID, _ transaction: any ReadTransaction
    ) throws -> [Approval] {
        try table.all(
            where: """
                 WHERE workspace_id = \(workspace) AND action = \(action.rawValue) AND status = 'approved'
                    AND consumed_at IS NULL
                ORDER BY decided_at DESC LIMIT \(consideredMax)
                """, in: transaction)
    }

    /// How many approvals can still lead to something, by status, over all workspaces.
    package static func openCounts(_ transaction: any ReadTransaction) throws -> [ApprovalStatus: Int] {
        let counts = try transaction.all(
            """
            SELECT status, count(*) AS n FROM proj_approvals
            WHERE status IN ('pending', 'held', 'approved') AND consumed_at IS NULL GROUP BY status
            """
        ) { row in (try row.get("status", as: ApprovalStatus.self), try row.get("n", as: Int.self)) }
        return Dictionary(uniqueKeysWithValues: counts)
    }

    /// Open approvals whose time is up.
    package static func due(at now: Timestamp, limit: Int, _ transaction: any ReadTransaction) throws -> [Approval] {
        try table.all(
            where: """
                 WHERE status IN ('pending', 'held', 'approved') AND consumed_at IS NULL AND expires_at <= \(now)
                ORDER BY expires_at LIMIT \(limit)
                """, in: transaction)
    }
}
