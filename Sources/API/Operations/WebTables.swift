import DatabaseCore
import Shared

/// What the web UI needs of the database: links, sessions and marks. Operational: history survives their loss.
enum WebTables {
    static let migration = Migration(
        5, "web sessions", LoginLinkTable.table.schema + WebSessionTable.table.schema + WebMarkTable.table.schema)
}

/// `sec_web_links`: all the SQL that touches it is in this file. Codes are not kept: their HMACs are.
enum LoginLinkTable {
    /// Links that can be open at once; the oldest make room.
    static let countMax: Int64 = 100

    struct Link: Sendable {
        var codeHash: String
        var ownerID: OwnerID?
        var workspaceID: WorkspaceID
        var isReadOnly: Bool
        var expiresAt: Timestamp
    }

    static let table = Table<Link>(
        "sec_web_links", keys: ["code_hash"],
        blank: Link(
            codeHash: "", ownerID: nil, workspaceID: "", isReadOnly: false, expiresAt: Timestamp(milliseconds: 0)),
        columns: [
            Column("code_hash", \.codeHash),
            Column("owner_id", \.ownerID),
            Column("workspace_id", \.workspaceID),
            Column("is_read_only", \.isReadOnly),
            Column("expires_at", \.expiresAt),
        ], indexes: ["CREATE INDEX sec_web_links_by_end ON sec_web_links (expires_at)"])

    static func put(_ link: Link, _ transaction: any WriteTransaction) throws {
        try table.put(link, in: transaction)
        try transaction.execute(
            """
            DELETE FROM sec_web_links WHERE code_hash NOT IN (
                SELECT code_hash FROM sec_web_links ORDER BY expires_at DESC LIMIT \(countMax))
            """)
    }

    /// The link; nil when there is none, or it is too old.
    static func open(_ codeHash: String, at now: Timestamp, _ transaction: any ReadTransaction) throws -> Link? {
        try table.find(codeHash, in: transaction).flatMap { $0.expiresAt > now ? $0 : nil }
    }

    static func remove(_ codeHash: String, _ transaction: any WriteTransaction) throws {
        try transaction.execute("DELETE FROM sec_web_links WHERE code_hash = \(codeHash)")
    }

    /// Ends all of them at once.
    /// - Returns: How many there were.
    static func removeAll(_ transaction: any WriteTransaction) throws -> Int {
        try transaction.update("DELETE FROM sec_web_links")
    }

    static func removeEnded(before time: Timestamp, _ transaction: any WriteTransaction) throws {
        try transaction.execute("DELETE FROM sec_web_links WHERE expires_at < \(time)")
    }
}

/// `sec_web_sessions`: all the SQL that touches it is in this file. What is in the cookie is not kept: its HMAC is.
enum WebSessionTable {
    struct Stored: Sendable {
        var secretHash: String
        var session: WebSession
    }

    static let table = Table<Stored>(
        "sec_web_sessions", keys: ["secret_hash"],
        blank: Stored(
            secretHash: "",
            session: WebSession(
                sessionID: "", ownerID: nil, workspaceID: "", isReadOnly: false, at: Timestamp(milliseconds: 0))),
        columns: [
            Column("secret_hash", \.secretHash),
            Column("session_id", \.session.sessionID),
            Column("owner_id", \.session.ownerID),
            Column("workspace_id", \.session.workspaceID),
            Column("is_read_only", \.session.isReadOnly),
            Column("created_at", \.session.createdAt),
            Column("last_seen_at", \.session.lastSeenAt),
            Column("peer", \.session.peer),
            Column("user_agent", \.session.userAgent),
        ], indexes: ["CREATE INDEX sec_web_sessions_by_use ON sec_web_sessions (last_seen_at)"])

    /// The session, while it lives.
    static func live(_ secretHash: String, at now: Timestamp, _ transaction: any ReadTransaction) throws -> WebSession?
    {
        try table.find(secretHash, in: transaction).flatMap { $0.session.expiresAt > now ? $0.session : nil }
    }

    /// Keeps a new session; of those of the same person the least used make room.
    static func put(_ stored: Stored, _ transaction: any WriteTransaction) throws {
        try table.put(stored, in: transaction)
        let owner = stored.session.ownerID?.rawValue ?? ""
        try transaction.execute(
            """
            DELETE FROM sec_web_sessions WHERE coalesce(owner_id, '') = \(owner) AND secret_hash NOT IN (
                SELECT secret_hash FROM sec_web_sessions WHERE coalesce(owner_id, '') = \(owner)
                ORDER BY last_seen_at DESC, session_id DESC LIMIT \(WebSession.countMax))
            """)
    }

    static func seen(_ secretHash: String, at now: Timestamp, _ transaction: any WriteTransaction) throws {
        try transaction.execute(
            "UPDATE sec_web_sessions SET last_seen_at = \(now) WHERE secret_hash = \(secretHash)")
    }

    static func remove(_ secretHash: String, _ transaction: any WriteTransaction) throws {
        try transaction.execute("DELETE FROM sec_web_sessions WHERE secret_hash = \(secretHash)")
    }

    /// Ends all of them at once.
    /// - Returns: How many there were.
    static func removeAll(_ transaction: any WriteTransaction) throws -> Int {
        try transaction.update("DELETE FROM sec_web_sessions")
    }

    static func removeEnded(at now: Timestamp, _ transaction: any WriteTransaction) throws {
        let unused = now.adding(milliseconds: -WebSession.idleSeconds * 1000)
        let old = now.adding(milliseconds: -WebSession.lifeSeconds * 1000)
        try transaction.execute("DELETE FROM sec_web_sessions WHERE last_seen_at < \(unused) OR created_at < \(old)")
    }
}

/// `op_web_marks`: all the SQL that touches it is in this file.
enum WebMarkTable {
    struct Mark: Sendable {
        var workspaceID: WorkspaceID
        var principalID: String
        var name: String
        var seq: Int64
    }

    static let table = Table<Mark>(
        "op_web_marks", keys: ["workspace_id", "principal_id", "name"],
        blank: Mark(workspaceID: "", principalID: "", name: "", seq: 0),
        columns: [
            Column("workspace_id", \.workspaceID),
            Column("principal_id", \.principalID),
            Column("name", \.name),
            Column("seq", \.seq),
        ])

    static func all(
        of principal: String, in workspace: WorkspaceID, _ transaction: any ReadTransaction
    ) throws -> [Mark] {
        try table.all(
            where: " WHERE workspace_id = \(workspace) AND principal_id = \(principal) ORDER BY name", in: transaction)
    }

    static func put(_ mark: Mark, _ transaction: any WriteTransaction) throws {
        try table.put(mark, in: transaction)
    }
}
