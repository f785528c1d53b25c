import DatabaseCore
import EventStore
import Projectors
import Shared

/// `run_attempts`: every claim of a run; all the SQL that touches it is in this file.
enum AttemptTable {
    static let table = Table<RunAttempt>(
        "run_attempts", keys: ["run_attempt_id"],
        blank: RunAttempt(
            runAttemptID: "", runID: "", workspaceID: "", roomID: nil, attemptNo: 0, claimedByActorID: "",
            actorPrincipalID: nil, engineID: nil, claimedAt: Timestamp(milliseconds: 0)),
        columns: [
            Column("run_attempt_id", \.runAttemptID),
            Column("run_id", \.runID),
            Column("workspace_id", \.workspaceID),
            Column("room_id", \.roomID),
            Column("attempt_no", \.attemptNo),
            Column("claimed_by_actor_id", \.claimedByActorID),
            Column("actor_principal_id", \.actorPrincipalID),
            Column("engine_id", \.engineID),
            Column("claimed_at", \.claimedAt),
            Column("released_at", \.releasedAt),
            Column("release_reason", \.releaseReason),
        ],
        indexes: ["CREATE UNIQUE INDEX run_attempts_by_run ON run_attempts (run_id, attempt_no)"])

    static func put(_ attempt: RunAttempt, _ transaction: any WriteTransaction) throws {
        try table.put(attempt, in: transaction)
    }

    static func list(of run: RunID, _ transaction: any ReadTransaction) throws -> [RunAttempt] {
        try table.all(where: " WHERE run_id = \(run) ORDER BY attempt_no", in: transaction)
    }

    /// Closes the run's open attempt.
    static func close(_ run: RunID, reason: String, at now: Timestamp, _ transaction: any WriteTransaction) throws {
        try transaction.execute(
            """
            UPDATE run_attempts SET released_at = \(now), release_reason = \(reason)
            WHERE run_id = \(run) AND released_at IS NULL
            """)
    }
}
