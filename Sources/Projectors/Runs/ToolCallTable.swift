package import DatabaseCore
import Domain
import EventStore
package import Shared

/// `proj_tool_calls`: all the SQL that touches it is in this file.
package enum ToolCallTable {
    static let table = Table<ToolCall>(
        "proj_tool_calls", keys: ["tool_call_id"], remembersRows: true,
        blank: ToolCall(
            toolCallID: "", workspaceID: "", runID: "", stepID: "", toolName: "", correlationID: "", at: .zero),
        columns: [
            Column("tool_call_id", \.toolCallID),
            Column("workspace_id", \.workspaceID),
            Column("room_id", \.roomID),
            Column("thread_id", \.threadID),
            Column("run_id", \.runID),
            Column("step_id", \.stepID),
            Column("tool_name", \.toolName),
            Column("title", \.title),
            Column("status", \.status),
            Column("action", \.action),
            Column("effect", \.effect),
            Column("effect_key", \.effectKey),
            Column("args_hash", \.argsHash),
            Column("try_no", \.tryNo),
            Column("attempt_no", \.attemptNo),
            Column("approval_id", \.approvalID),
            Column("input", \.input),
            Column("output", \.output),
            Column("error", \.error),
            Column("started_at", \.startedAt),
            Column("ended_at", \.endedAt),
            Column("updated_at", \.updatedAt),
            Column("correlation_id", \.correlationID),
            Column("last_event_id", \.lastEventID),
        ],
        indexes: [
            "CREATE INDEX proj_tool_calls_by_run ON proj_tool_calls (run_id, started_at)",
            "CREATE UNIQUE INDEX proj_tool_calls_by_effect ON proj_tool_calls (effect_key) WHERE effect_key IS NOT NULL",
            "CREATE INDEX proj_tool_calls_running ON proj_tool_calls (updated_at) WHERE status = 'running'",
        ])

    static let projector = Projector(table, change: change)

    static func change(_ recorded: Recorded<DomainEvent>) -> RowChange<ToolCall>? {
        guard case .toolCall(let event) = recorded.event else { return nil }
        return RowChange(event.toolCallID) { ToolCallDecider.evolve($0, recorded.with(event)) }
    }

    /// The run's calls, oldest first.
    static func list(of run: RunID, limit: Int, _ transaction: any ReadTransaction) throws -> [ToolCall] {
        try table.all(
            where: " WHERE run_id = \(run) ORDER BY started_at, tool_call_id LIMIT \(limit)", in: transaction)
    }

    package static func find(_ id: ToolCallID, in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws
        -> ToolCall?
    {
        try table.find(id, in: workspace, transaction)
    }

    package static func find(effectKey: String, _ transaction: any ReadTransaction) throws -> ToolCall? {
        try table.all(where: " WHERE effect_key = \(effectKey)", in: transaction).first
    }

    package static func count(of run: RunID, _ transaction: any ReadTransaction) throws -> Int {
        try transaction.first("SELECT count(*) AS calls FROM proj_tool_calls WHERE run_id = \(run)") {
            try $0.get("calls")
        } ?? 0
    }

    /// The run's calls by name, oldest first.
    package static func ids(of run: RunID, limit: Int, _ transaction: any ReadTransaction) throws -> [ToolCallID] {
        try transaction.all(
            """
            SELECT tool_call_id FROM proj_tool_calls WHERE run_id = \(run)
            ORDER BY started_at, tool_call_id LIMIT \(limit)
            """
        ) { try $0.get("tool_call_id") }
    }

    /// Whether a call of the run has not ended, or nobody knows how.
    package static func hasOpen(in run: RunID, _ transaction: any ReadTransaction) throws -> Bool {
        let ended = ToolCallStatus.allCases.filter(\.isTerminal)
        return try transaction.first(
            "SELECT 1 AS found FROM proj_tool_calls WHERE run_id = \(run) AND status NOT IN (\(list: ended)) LIMIT 1"
        ) { try $0.get("found", as: Int.self) } != nil
    }

    /// Calls, oldest first.
    package static func list(
        in workspace: WorkspaceID, run: RunID?, step: StepID?, after cursor: ListCursor?, limit: Int,
        _ transaction: any ReadTransaction
    ) throws -> [ToolCall] {
        var condition: SQL = " WHERE workspace_id = \(workspace)"
        if let run { condition.append(" AND run_id = \(run)") }
        if let step { condition.append(" AND step_id = \(step)") }
        condition.append(cursor.map { $0.ascendingCondition(time: "started_at", id: "tool_call_id") } ?? "")
        condition.append(" ORDER BY started_at, tool_call_id LIMIT \(limit)")
        return try table.all(where: condition, in: transaction)
    }

    /// External calls that were let through and not reported as ended.
    /// - Parameter workspace: Nil for all.
    package static func runningExternal(
        in workspace: WorkspaceID?, limit: Int, _ transaction: any ReadTransaction
    ) throws -> [ToolCall] {
        var condition: SQL = " WHERE status = 'running' AND action IN (\(list: ActionName.externalWrites))"
        if let workspace { condition.append(" AND workspace_id = \(workspace)") }
        condition.append(" ORDER BY updated_at LIMIT \(limit)")
        return try table.all(where: condition, in: transaction)
    }
}
