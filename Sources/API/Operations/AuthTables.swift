import DatabaseCore
import Domain
import EventStore
import Projectors
import Shared

/// `sec_local_owners`: all the SQL that touches it is in this file. The passphrase itself is not kept: scrypt's key is.
enum OwnerTable {
    struct Stored: Sendable {
        var owner: Owner
        /// A ``PassphraseHash`` as text.
        var passphraseHash: String
        var createdAt: Timestamp
        var updatedAt: Timestamp
        var lastLoginAt: Timestamp?
        var revokedAt: Timestamp?

        init(_ owner: Owner, passphraseHash: String, at time: Timestamp) {
            (self.owner, self.passphraseHash) = (owner, passphraseHash)
            (createdAt, updatedAt) = (time, time)
        }
    }

    static let table = Table<Stored>(
        "sec_local_owners", keys: ["owner_id"],
        blank: Stored(
            Owner(ownerID: "", workspaceID: "", principalID: "", displayName: ""), passphraseHash: "",
            at: Timestamp(milliseconds: 0)),
        columns: [
            Column("owner_id", \.owner.ownerID),
            Column("workspace_id", \.owner.workspaceID),
            Column("principal_id", \.owner.principalID),
            Column("display_name", \.owner.displayName),
            Column("passphrase_hash", \.passphraseHash),
            Column("created_at", \.createdAt),
            Column("updated_at", \.updatedAt),
            Column("last_login_at", \.lastLoginAt),
            Column("revoked_at", \.revokedAt),
        ],
        indexes: [
            "CREATE UNIQUE INDEX sec_local_owners_by_workspace ON sec_local_owners (workspace_id)",
            "CREATE UNIQUE INDEX sec_local_owners_by_principal ON sec_local_owners (principal_id)",
        ])

    static func find(in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> Stored? {
        try table.all(where: " WHERE workspace_id = \(workspace) AND revoked_at IS NULL", in: transaction).first
    }

    static func find(_ id: OwnerID, _ transaction: any ReadTransaction) throws -> Stored? {
        try table.find(id, in: transaction).flatMap { $0.revokedAt == nil ? $0 : nil }
    }

    static func put(_ stored: Stored, _ transaction: any WriteTransaction) throws {
        try table.put(stored, in: transaction)
    }

    static func loggedIn(_ id: OwnerID, at now: Timestamp, _ transaction: any WriteTransaction) throws {
        try transaction.execute(
            "UPDATE sec_local_owners SET last_login_at = \(now), updated_at = \(now) WHERE owner_id = \(id)")
    }
}

/// `sec_auth_sessions`: all the SQL that touches it is in this file. Tokens are not kept: their HMACs are.
enum SessionTable {
    struct Stored: Sendable {
        var session: AuthSession
        var accessTokenHash: String
        var refreshTokenHash: String
        /// The HMAC of the part that all refresh tokens of the session share: it finds the session of one that was
        /// replaced before, however long ago.
        var refreshFamilyHash: String
    }

    /// Sessions that one sweep removes.
    static let sweptMax = 1_000

    private static let nobody = Owner(ownerID: "", workspaceID: "", principalID: "", displayName: "")
    private static let never = Timestamp(milliseconds: 0)

    static let table = Table<Stored>(
        "sec_auth_sessions", keys: ["session_id"],
        blank: Stored(
            session: AuthSession(
                sessionID: "", of: nobody, accessExpiresAt: never, refreshExpiresAt: never, at: never),
            accessTokenHash: "", refreshTokenHash: "", refreshFamilyHash: ""),
        columns: [
            Column("session_id", \.session.sessionID),
            Column("owner_id", \.session.ownerID),
            Column("workspace_id", \.session.workspaceID),
            Column("principal_id", \.session.principalID),
            Column("access_token_hash", \.accessTokenHash),
            Column("refresh_token_hash", \.refreshTokenHash),
            Column("refresh_family_hash", \.refreshFamilyHash),
            Column("access_expires_at", \.session.accessExpiresAt),
            Column("refresh_expires_at", \.session.refreshExpiresAt),
            Column("issued_at", \.session.issuedAt),
            Column("last_seen_at", \.session.lastSeenAt),
            Column("revoked_at", \.session.revokedAt),
            Column("revoked_reason", \.session.revokedReason),
            Column("user_agent", \.session.userAgent),
            Column("created_ip", \.session.createdIP),
        ],
        indexes: [
            "CREATE UNIQUE INDEX sec_auth_sessions_by_access ON sec_auth_sessions (access_token_hash)",
            "CREATE UNIQUE INDEX sec_auth_sessions_by_refresh ON sec_auth_sessions (refresh_token_hash)",
            "CREATE UNIQUE INDEX sec_auth_sessions_by_family ON sec_auth_sessions (refresh_family_hash)",
            "CREATE INDEX sec_auth_sessions_by_owner ON sec_auth_sessions (owner_id)",
            "CREATE INDEX sec_auth_sessions_by_end ON sec_auth_sessions (refresh_expires_at)",
        ])

    static func find(accessHash: String, _ transaction: any ReadTransaction) throws -> Stored? {
        try table.all(where: " WHERE access_token_hash = \(accessHash)", in: transaction).first
    }

    /// Whether the session's latest access token is good.
    static func isLive(_ id: SessionID, at now: Timestamp, _ transaction: any ReadTransaction) throws -> Bool {
        guard let session = try table.find(id, in: transaction)?.session else { return false }
        return session.revokedAt == nil && session.accessExpiresAt > now
    }

    static func find(familyHash: String, _ transaction: any ReadTransaction) throws -> Stored? {
        try table.all(where: " WHERE refresh_family_hash = \(familyHash)", in: transaction).first
    }

    /// The owner's sessions that can still be used.
    static func live(of owner: OwnerID, at now: Timestamp, _ transaction: any ReadTransaction) throws -> [Stored] {
        try table.all(
            where: " WHERE owner_id = \(owner) AND revoked_at IS NULL AND refresh_expires_at > \(now)",
            in: transaction)
    }

    static func put(_ stored: Stored, _ transaction: any WriteTransaction) throws {
        try table.put(stored, in: transaction)
    }

    static func seen(_ id: SessionID, at now: Timestamp, _ transaction: any WriteTransaction) throws {
        try transaction.execute("UPDATE sec_auth_sessions SET last_seen_at = \(now) WHERE session_id = \(id)")
    }

    /// Ends all of them at once, without a trace.
    /// - Returns: How many there were.
    static func removeAll(_ transaction: any WriteTransaction) throws -> Int {
        try transaction.update("DELETE FROM sec_auth_sessions")
    }

    /// Removes sessions that nothing can bring back, and whose old tokens need not be recognised any more.
    static func removeEnded(before time: Timestamp, _ transaction: any WriteTransaction) throws {
        try transaction.execute(
            """
            DELETE FROM sec_auth_sessions WHERE session_id IN (
                SELECT session_id FROM sec_auth_sessions WHERE refresh_expires_at < \(time)
                ORDER BY refresh_expires_at LIMIT \(sweptMax))
            """)
    }
}

/// `sec_spent_bootstrap_tokens`: what `AUTH_BOOTSTRAP_TOKEN` was when it made an owner; it makes no second one. One row
/// for each token an operator has ever set and used.
enum SpentBootstrapTokenTable {
    struct Spent: Sendable {
        var tokenHash: String
        var usedAt: Timestamp
    }

    static let table = Table<Spent>(
        "sec_spent_bootstrap_tokens", keys: ["token_hash"],
        blank: Spent(tokenHash: "", usedAt: Timestamp(milliseconds: 0)),
        columns: [Column("token_hash", \.tokenHash), Column("used_at", \.usedAt)])

    static func contains(_ hash: String, _ transaction: any ReadTransaction) throws -> Bool {
        try table.find(hash, in: transaction) != nil
    }

    static func add(_ hash: String, at now: Timestamp, _ transaction: any WriteTransaction) throws {
        try table.put(Spent(tokenHash: hash, usedAt: now), in: transaction)
    }
}
