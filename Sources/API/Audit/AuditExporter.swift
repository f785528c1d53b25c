import Crypto
import DatabaseCore
import EventStore
import JSON
import Projectors
import Shared

/// Makes of events what others check without us: exact headers, payloads apart, proofs, and signatures over both ends.
enum AuditExporter {
    private static let eventsMax = 20_000
    private static let bytesMax = 32 << 20

    /// What to export.
    enum Selection: Sendable {
        case run(RunID)
        case recorded(since: Timestamp, until: Timestamp?)

        /// As the manifest says it.
        var words: String {
            switch self {
            case .run(let run): "run \(run)"
            case .recorded(let since, let until): "recorded \(since) \(until?.description ?? "-")"
            }
        }
    }

    /// - Parameter checkpoint: Of the log as it is: what came later is left out.
    static func export(
        _ selection: Selection, in workspace: WorkspaceID, _ checkpoint: Checkpoint, _ key: NoteKey,
        _ transaction: any ReadTransaction
    ) throws -> AuditExport {
        var export = AuditExport(
            checkpoint: checkpoint.note, manifest: "", headers: [], places: [], payloads: [], nodes: [], erased: 0)
        try collect(filter(selection, workspace, checkpoint, transaction), transaction, into: &export)
        var proofs = MerkleProofs(of: export.places.map { Int($0) - 1 }, in: Int(checkpoint.size))
        try EventQueries.eachHash(in: transaction) { globalSeq, eventHash in
            guard globalSeq <= checkpoint.size else { return false }
            proofs.append(leaf: MerkleTree.leaf(eventHash.utf8))
            return true
        }
        export.nodes = proofs.nodes.map { "\($0.leaves.lowerBound) \($0.leaves.upperBound) \(Hex.text($0.root))" }
        export.manifest = key.sign(
            """
            agentos.local/export/1
            \(checkpoint.origin)
            \(checkpoint.size) \(checkpoint.root)
            workspace \(workspace) \(selection.words)
            events \(export.places.count)
            headers \(digest(export.headers))
            places \(digest(export.places.map(String.init)))

            """)
        return export
    }

    private static func digest(_ lines: [String]) -> String { SHA256.text(lines.flatMap { Array("\($0)\n".utf8) }) }

    private static func filter(
        _ selection: Selection, _ workspace: WorkspaceID, _ checkpoint: Checkpoint, _ transaction: any ReadTransaction
    ) throws -> EventFilter {
        var filter = EventFilter()
        filter.workspaces = [workspace]
        filter.throughGlobalSeq = checkpoint.size
        switch selection {
        case .run(let run):
            guard try RunTable.find(run, in: workspace, transaction) != nil else {
                throw Rejection(.runNotFound, "no run \(run.rawValue.prefix(100))")
            }
            filter.runID = run
        case .recorded(let since, let until):
            filter.afterGlobalSeq = try EventQueries.lastGlobalSeq(recordedBefore: since, in: transaction)
            if let until {
                filter.throughGlobalSeq = min(
                    checkpoint.size, try EventQueries.lastGlobalSeq(recordedBefore: until, in: transaction))
            }
        }
        return filter
    }

    private static func collect(
        _ filter: EventFilter, _ transaction: any ReadTransaction, into export: inout AuditExport
    ) throws {
        var bytes = 0
        try EventQueries.each(filter, limit: eventsMax + 1, in: transaction) { event in
            let header = EventHasher.headerBytes(event.envelope)
            let place = event.envelope.globalSeq
            let payload = event.payload.map { EventHasher.payloadBytes($0) }
            bytes += header.count + (payload?.count ?? 0)
            guard export.places.count < eventsMax, bytes <= bytesMax else {
                throw Rejection.field(
                    "since", .invalidField,
                    "an export holds at most \(eventsMax) events and \(bytesMax >> 20) MiB: choose less, with until for instance"
                )
            }
            export.places.append(place)
            export.headers.append(String(decoding: header, as: UTF8.self))
            if let stored = event.payload, let payload {
                export.payloads.append(
                    "\(place) \(Hex.text(stored.salt)) \(String(decoding: payload, as: UTF8.self))")
            } else {
                export.payloads.append("\(place) erased")
                export.erased += 1
            }
            return true
        }
    }
}
