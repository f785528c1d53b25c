import DatabaseCore
import EventStore
import JSON
import Projectors
import Shared

/// `sec_engines`: all the SQL that touches it is in this file.
enum EngineTable {
    static let table = Table<EngineRecord>(
        "sec_engines", keys: ["engine_id"],
        blank: EngineRecord(
            engineID: "", workspaceID: "", engineName: "", actorID: "", principalID: "", metadata: [:],
            at: Timestamp(milliseconds: 0)),
        columns: [
            Column("engine_id", \.engineID),
            Column("workspace_id", \.workspaceID),
            Column("engine_name", \.engineName),
            Column("actor_id", \.actorID),
            Column("principal_id", \.principalID),
            Column("metadata", \.metadata),
            Column("status", \.status),
            Column("created_at", \.createdAt),
            Column("updated_at", \.updatedAt),
            Column("deactivated_at", \.deactivatedAt),
            Column("deactivated_reason", \.deactivatedReason),
        ],
        indexes: ["CREATE UNIQUE INDEX sec_engines_by_actor ON sec_engines (workspace_id, actor_id)"])

    static let listedMax = 500

    static func find(_ id: EngineID, _ transaction: any ReadTransaction) throws -> EngineRecord? {
        try table.find(id, in: transaction)
    }

    static func find(
        _ id: EngineID, in workspace: WorkspaceID, _ transaction: any ReadTransaction
    ) throws -> EngineRecord? {
        try find(id, transaction).flatMap { $0.workspaceID == workspace ? $0 : nil }
    }

    static func find(
        actor: String, in workspace: WorkspaceID, _ transaction: any ReadTransaction
    ) throws -> EngineRecord? {
        try table.all(where: " WHERE workspace_id = \(workspace) AND actor_id = \(actor)", in: transaction).first
    }

    static func put(_ engine: EngineRecord, _ transaction: any WriteTransaction) throws {
        try table.put(engine, in: transaction)
    }

    static func list(in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> [EngineRecord] {
        try table.all(
            where: " WHERE workspace_id = \(workspace) ORDER BY updated_at DESC, engine_id LIMIT \(listedMax)",
            in: transaction)
    }
}

/// `sec_engine_tokens`: all the SQL that touches it is in this file. The secret itself is not kept: its HMAC is.
enum EngineTokenTable {
    struct Stored: Sendable {
        var token: EngineToken
        var hash: String
    }

    static let table = Table<Stored>(
        "sec_engine_tokens", keys: ["token_id"],
        blank: Stored(
            token: EngineToken(
                tokenID: "", workspaceID: "", engineID: "", principalID: "", tokenLabel: nil, scopes: EngineScopes(),
                issuedAt: Timestamp(milliseconds: 0), validUntil: nil), hash: ""),
        columns: [
            Column("token_id", \.token.tokenID),
            Column("workspace_id", \.token.workspaceID),
            Column("engine_id", \.token.engineID),
            Column("principal_id", \.token.principalID),
            Column("token_hash", \.hash),
            Column("token_label", \.token.tokenLabel),
            Column(json: "scopes", \.token.scopes),
            Column("issued_at", \.token.issuedAt),
            Column("last_seen_at", \.token.lastSeenAt),
            Column("valid_until", \.token.validUntil),
            Column("revoked_at", \.token.revokedAt),
            Column("revoked_reason", \.token.revokedReason),
            Column("created_by_principal_id", \.token.createdByPrincipalID),
        ],
        indexes: [
            "CREATE UNIQUE INDEX sec_engine_tokens_by_hash ON sec_engine_tokens (token_hash)",
            "CREATE INDEX sec_engine_tokens_by_engine ON sec_engine_tokens (engine_id, issued_at)",
        ])

    static func find(hash: String, _ transaction: any ReadTransaction) throws -> EngineToken? {
        try table.all(where: " WHERE token_hash = \(hash)", in: transaction).first?.token
    }

    static func find(
        _ id: EngineTokenID, of engine: EngineID, _ transaction: any ReadTransaction
    ) throws -> Stored? {
        try table.all(where: " WHERE token_id = \(id) AND engine_id = \(engine)", in: transaction).first
    }

    /// How many engines may come, and when one of them last did.
    static func activity(
        in workspace: WorkspaceID, _ transaction: any ReadTransaction
    ) throws -> (engines: Int, seenAt: Timestamp?) {
        try transaction.first(
            """
            SELECT count(DISTINCT e.engine_id) AS engines, max(coalesce(t.last_seen_at, t.issued_at)) AS seen_at
            FROM sec_engines e JOIN sec_engine_tokens t ON t.engine_id = e.engine_id AND t.revoked_at IS NULL
            WHERE e.workspace_id = \(workspace) AND e.status = 'active'
            """
        ) { (try $0.get("engines"), try $0.get("seen_at")) } ?? (0, nil)
    }

    static func put(_ stored: Stored, _ transaction: any WriteTransaction) throws {
        try table.put(stored, in: transaction)
    }

    static func list(of engine: EngineID, _ transaction: any ReadTransaction) throws -> [Stored] {
        try table.all(
            where: " WHERE engine_id = \(engine) ORDER BY issued_at DESC, token_id LIMIT \(EngineTable.listedMax)",
            in: transaction)
    }

    /// The engine's tokens that are not revoked.
    static func live(of engine: EngineID, _ transaction: any ReadTransaction) throws -> [Stored] {
        try table.all(
            where: " WHERE engine_id = \(engine) AND revoked_at IS NULL ORDER BY issued_at, token_id", in: transaction)
    }

    /// How exact `last_seen_at` is: a use that follows another within this time is not written down.
    static let seenEveryMilliseconds: Int64 = 5_000

    /// The token was used.
    static func seen(_ token: EngineToken, at now: Timestamp, _ transaction: any WriteTransaction) throws {
        if let last = token.lastSeenAt, now.milliseconds - last.milliseconds < seenEveryMilliseconds { return }
        try transaction.execute("UPDATE sec_engine_tokens SET last_seen_at = \(now) WHERE token_id = \(token.tokenID)")
    }
}
