import DatabaseCore
import Domain
import EventStore
import Projectors
import Shared

/// Who holds a run, and until when. Operational: history survives its loss.
struct Lease: Sendable {
    var runID: RunID
    var workspaceID: WorkspaceID
    var engineID: EngineID?
    var actorID: String
    /// SHA-256 of the claim token, which is in the claim answer and nowhere else.
    var tokenDigest: String
    var attemptNo: Int
    /// By this process's monotonic clock, which no step of the wall clock moves; where several processes share a database,
    /// by the database's own, which is the same for all (RULINGS 22).
    var expiresAtMonotonicMs: Int64
    var expiresAt: Timestamp
    var heartbeatAt: Timestamp
}

/// `op_leases`: all the SQL that touches it is in this file.
enum LeaseTable {
    static let table = Table<Lease>(
        "op_leases", keys: ["run_id"], remembersRows: true,
        blank: Lease(
            runID: "", workspaceID: "", actorID: "", tokenDigest: "", attemptNo: 0, expiresAtMonotonicMs: 0,
            expiresAt: Timestamp(milliseconds: 0), heartbeatAt: Timestamp(milliseconds: 0)),
        columns: [
            Column("run_id", \.runID),
            Column("workspace_id", \.workspaceID),
            Column("engine_id", \.engineID),
            Column("actor_id", \.actorID),
            Column("token_digest", \.tokenDigest),
            Column("attempt_no", \.attemptNo),
            Column("expires_at_monotonic_ms", \.expiresAtMonotonicMs),
            Column("expires_at", \.expiresAt),
            Column("heartbeat_at", \.heartbeatAt),
        ],
        indexes: ["CREATE INDEX op_leases_by_expiry ON op_leases (expires_at_monotonic_ms)"])

    static func find(_ run: RunID, _ transaction: any ReadTransaction) throws -> Lease? {
        try table.find(run, in: transaction)
    }

    static func put(_ lease: Lease, _ transaction: any WriteTransaction) throws {
        try table.put(lease, in: transaction)
    }

    static func remove(_ run: RunID, _ transaction: any WriteTransaction) throws {
        table.forget(run, in: transaction)
        try transaction.execute("DELETE FROM op_leases WHERE run_id = \(run)")
    }

    /// Leases that have run out, oldest first.
    static func due(leaseClockMs now: Int64, limit: Int, _ transaction: any ReadTransaction) throws -> [Lease] {
        try table.all(
            where: """
                 WHERE expires_at_monotonic_ms <= \(now) ORDER BY expires_at_monotonic_ms LIMIT \(limit)
                """, in: transaction)
    }

    /// How many leases ran out before that moment and were not ended.
    static func overdue(
        leaseClockMs then: Int64, in workspace: WorkspaceID, _ transaction: any ReadTransaction
    ) throws -> Backlog {
        try transaction.backlog(
            """
            SELECT count(*) AS count, min(expires_at) AS since FROM op_leases
            WHERE workspace_id = \(workspace) AND expires_at_monotonic_ms <= \(then)
            """)
    }

    /// When a holder of any run was last heard of.
    static func lastHeartbeat(in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> Timestamp? {
        try transaction.first(
            "SELECT max(heartbeat_at) AS seen_at FROM op_leases WHERE workspace_id = \(workspace)"
        ) { try $0.get("seen_at", as: Timestamp?.self) } ?? nil
    }

    static func count(_ transaction: any ReadTransaction) throws -> Int {
        try transaction.first("SELECT count(*) AS n FROM op_leases") { try $0.get("n") } ?? 0
    }

    static func held(by engine: EngineID, _ transaction: any ReadTransaction) throws -> [Lease] {
        try table.all(where: " WHERE engine_id = \(engine) ORDER BY run_id", in: transaction)
    }

    /// Gives every lease one fresh term: whoever was cut off by our restart gets a chance to say that it lives.
    static func renewAll(
        expiresAtMonotonicMs: Int64, expiresAt: Timestamp, _ transaction: any WriteTransaction
    ) throws -> Int {
        table.forgetAll(in: transaction)
        return try transaction.update(
            "UPDATE op_leases SET expires_at_monotonic_ms = \(expiresAtMonotonicMs), expires_at = \(expiresAt)")
    }
}

extension Run {
    /// The run with what its lease shows.
    func joined(with lease: Lease?) -> Run {
        var run = self
        (run.claimedByActorID, run.leaseExpiresAt) = (lease?.actorID, lease?.expiresAt)
        run.leaseHeartbeatAt = lease?.heartbeatAt
        return run
    }
}
