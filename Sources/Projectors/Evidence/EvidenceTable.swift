package import DatabaseCore
package import Domain
import EventStore
package import Shared

/// `proj_evidence_manifests`: all the SQL that touches it is in this file.
package enum EvidenceTable {
    static let table = Table<Evidence>(
        "proj_evidence_manifests", keys: ["evidence_id"],
        blank: Evidence(
            evidenceID: "", workspaceID: "", runID: "", runStatus: .succeeded, correlationID: "",
            stream: StreamID(.workspace, ""), at: .zero),
        columns: [
            Column("evidence_id", \.evidenceID),
            Column("workspace_id", \.workspaceID),
            Column("run_id", \.runID),
            Column("room_id", \.roomID),
            Column("thread_id", \.threadID),
            Column("correlation_id", \.correlationID),
            Column("run_status", \.runStatus),
            Column("manifest", \.manifest),
            Column("manifest_hash", \.manifestHash),
            Column("event_hash_root", \.eventHashRoot),
            Column("stream_type", \.streamType),
            Column("stream_id", \.streamID),
            Column("from_seq", \.fromSeq),
            Column("to_seq", \.toSeq),
            Column("event_count", \.eventCount),
            Column("finalized_at", \.finalizedAt),
            Column("created_at", \.createdAt),
            Column("updated_at", \.updatedAt),
            Column("last_event_id", \.lastEventID),
        ],
        indexes: ["CREATE UNIQUE INDEX proj_evidence_manifests_by_run ON proj_evidence_manifests (run_id)"])

    static let projector = Projector(table) { recorded, transaction in
        guard case .evidence(.manifestCreated(let event)) = recorded.event else { return }
        try table.fold(event.evidenceID, isNew: true, in: transaction) {
            EvidenceDecider.evolve($0, recorded.with(.manifestCreated(event)))
        }
    }

    /// The evidence with this id, if it is in the workspace.
    package static func find(
        _ id: EvidenceID, in workspace: WorkspaceID, _ transaction: any ReadTransaction
    ) throws -> Evidence? {
        try table.find(id, in: transaction).flatMap { $0.workspaceID == workspace ? $0 : nil }
    }

    /// The evidence of the run; nil until it has ended.
    package static func find(
        of run: RunID, in workspace: WorkspaceID, _ transaction: any ReadTransaction
    ) throws -> Evidence? {
        try table.all(where: " WHERE run_id = \(run) AND workspace_id = \(workspace)", in: transaction).first
    }

    /// Whether the run has its evidence.
    package static func exists(of run: RunID, _ transaction: any ReadTransaction) throws -> Bool {
        try transaction.first("SELECT 1 AS found FROM proj_evidence_manifests WHERE run_id = \(run)") {
            try $0.get("found", as: Int.self)
        } != nil
    }

    /// What a manifest says of a run that has ended, as log and tables have it; nil when the log has nothing of it.
    package static func facts(of run: Run, _ transaction: any ReadTransaction) throws -> EvidenceFacts? {
        let listedMax = EvidenceDecider.pointersMax
        guard
            let window = try EventQueries.evidenceWindow(
                of: run.runID, in: run.scope.stream, listedMax: listedMax, transaction)
        else { return nil }
        var matches: [SecretMatch] = []
        // What was kept after the end is no part of it.
        let artifacts = try ArtifactTable.made(in: run.runID, until: run.endedAt, limit: listedMax, transaction)
        return EvidenceFacts(
            window: window, correlationID: SecretScanner.redact(run.correlationID, &matches),
            stepIDs: try StepTable.ids(of: run.runID, limit: listedMax + 1, transaction),
            toolCallIDs: try ToolCallTable.ids(of: run.runID, limit: listedMax + 1, transaction),
            artifactIDs: artifacts.ids, artifactCount: artifacts.count,
            areToolCallsTerminal: try !ToolCallTable.hasOpen(in: run.runID, transaction))
    }
}
