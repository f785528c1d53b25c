package import DatabaseCore
import Domain
import EventStore
package import Shared

/// `proj_artifacts`: all the SQL that touches it is in this file.
package enum ArtifactTable {
    static let table = Table<Artifact>(
        "proj_artifacts", keys: ["artifact_id"],
        blank: Artifact(
            artifactID: "", workspaceID: "", runID: "", stepID: "", kind: "", correlationID: "", at: .zero),
        columns: [
            Column("artifact_id", \.artifactID),
            Column("workspace_id", \.workspaceID),
            Column("room_id", \.roomID),
            Column("thread_id", \.threadID),
            Column("run_id", \.runID),
            Column("step_id", \.stepID),
            Column("kind", \.kind),
            Column("title", \.title),
            Column("mime_type", \.mimeType),
            Column("size_bytes", \.sizeBytes),
            Column("sha256", \.sha256),
            Column("content_type", \.contentType),
            Column("content_text", \.contentText),
            Column("content_json", \.contentJSON),
            Column("content_uri", \.contentURI),
            Column("metadata", \.metadata),
            Column("created_at", \.createdAt),
            Column("updated_at", \.updatedAt),
            Column("correlation_id", \.correlationID),
            Column("last_event_id", \.lastEventID),
        ],
        indexes: [
            "CREATE INDEX proj_artifacts_by_run ON proj_artifacts (run_id, created_at)",
            "CREATE INDEX proj_artifacts_by_workspace ON proj_artifacts (workspace_id, created_at)",
            "CREATE INDEX proj_artifacts_by_blob ON proj_artifacts (sha256) WHERE sha256 IS NOT NULL",
        ])

    static let projector = Projector(table, change: change)

    static func change(_ recorded: Recorded<DomainEvent>) -> RowChange<Artifact>? {
        guard case .artifact(.created(let created)) = recorded.event else { return nil }
        return RowChange(created.artifactID, isNew: true) {
            ArtifactDecider.evolve($0, recorded.with(.created(created)))
        }
    }

    /// The run's artifacts, oldest first.
    static func list(of run: RunID, limit: Int, _ transaction: any ReadTransaction) throws -> [Artifact] {
        try table.all(
            where: " WHERE run_id = \(run) ORDER BY created_at, artifact_id LIMIT \(limit)", in: transaction)
    }

    package static func find(_ id: ArtifactID, in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws
        -> Artifact?
    {
        try table.find(id, in: workspace, transaction)
    }

    /// Whether any artifact names the blob.
    package static func isReferenced(blob sha256: String, _ transaction: any ReadTransaction) throws -> Bool {
        try !table.all(where: " WHERE sha256 = \(sha256) LIMIT 1", in: transaction).isEmpty
    }

    /// The digest of every content that artifacts name, once for each workspace. A link may have one that is elsewhere.
    package static func eachBlob(
        _ transaction: any ReadTransaction,
        _ body: (_ workspace: WorkspaceID, _ sha256: String, _ isElsewhere: Bool) throws -> Void
    ) throws {
        try transaction.scan(
            """
            SELECT workspace_id, sha256, count(content_uri) AS links, count(*) AS named FROM proj_artifacts
            WHERE sha256 IS NOT NULL GROUP BY workspace_id, sha256 ORDER BY workspace_id, sha256
            """
        ) { row in
            let (links, named) = (try row.get("links", as: Int64.self), try row.get("named", as: Int64.self))
            try body(row.get("workspace_id"), row.get("sha256"), links == named)
            return true
        }
    }

    /// The run's artifacts by name, oldest first, and how many there are.
    /// - Parameter end: Later ones are left out; nil for all.
    package static func made(
        in run: RunID, until end: Timestamp?, limit: Int, _ transaction: any ReadTransaction
    ) throws -> (ids: [ArtifactID], count: Int) {
        var condition: SQL = " FROM proj_artifacts WHERE run_id = \(run)"
        if let end { condition.append(" AND created_at <= \(end)") }
        var (ids, count): (SQL, SQL) = ("SELECT artifact_id", "SELECT count(*) AS artifacts")
        count.append(condition)
        ids.append(condition)
        ids.append(" ORDER BY created_at, artifact_id LIMIT \(limit)")
        return (
            try transaction.all(ids) { try $0.get("artifact_id") },
            try transaction.first(count) { try $0.get("artifacts") } ?? 0
        )
    }

    /// Artifacts, newest first.
    package static func list(
        in workspace: WorkspaceID, room: RoomID?, run: RunID?, step: StepID?, after cursor: ListCursor?, limit: Int,
        _ transaction: any ReadTransaction
    ) throws -> [Artifact] {
        try table.page(
            in: workspace,
            where: [room.map { "room_id = \($0)" }, run.map { "run_id = \($0)" }, step.map { "step_id = \($0)" }],
            newestBy: "created_at", after: cursor, limit: limit, transaction)
    }
}
