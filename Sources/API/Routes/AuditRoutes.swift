import DatabaseCore
import EventStore
import HTTP
import HTTPServer
import Projectors
import Shared

/// Whether history is what was recorded, what was taken out of it before, and a copy of all of it.
struct AuditRoutes: Sendable {
    let environment: APIEnvironment
    let audits: Audits
    let backups: BackupDesk

    func mount(on routes: inout RouteTable) {
        routes.raw(.verifyStream, .operatorOnly) { context in audits.run(context) { _ in try verifyStream(context) } }
        routes.raw(.verifyLog, .machineOperator) { context in audits.run(context) { try $0.verifyLog() } }
        routes.on(.checkProjections, .machineOperator, changesNothing: true) { (_: Nothing, context) in
            audits.run(context) { try $0.checkProjections() }
        }
        routes.on(.backup, .machineOperator) { (_: Nothing, context) in backups.answer(context) }
        routes.get(.redactions, .operatorOnly, redactions)
        routes.raw(.checkpoint, .operatorOnly) { context in audits.run(context) { try $0.checkpoint() } }
        routes.raw(.auditExport, .operatorOnly, export)
    }

    @Sendable private func verifyStream(_ context: RequestContext) throws -> StreamVerification {
        let type: StreamType = try context.choice("stream_type", .invalidStreamType) ?? .workspace
        let stream = StreamID(type, context.query("stream_id") ?? context.workspace.rawValue)
        let (seq, limit) = (try context.sequence("from_seq") ?? 0, try context.limit(default: 2_000, max: 10_000))
        return try environment.database.read { transaction in
            guard try Self.isVisible(stream, to: context, transaction) else {
                throw Rejection(.streamNotFound, "no stream \(stream.description.prefix(120))")
            }
            let last = try EventQueries.lastSeq(of: stream, in: transaction)
            guard seq <= last else {
                throw Rejection.field("from_seq", .invalidCursor, "from_seq: the stream ends at \(last), found \(seq)")
            }
            return try LogVerifier.verify(stream, after: seq, limit: limit, in: transaction)
        }
    }

    /// A stream of another workspace is as little there as one that is nowhere. A workspace has its stream before
    /// anything happens in it; the instance's own is the operator's to see.
    private static func isVisible(
        _ stream: StreamID, to context: RequestContext, _ transaction: any ReadTransaction
    ) throws -> Bool {
        let workspace = context.workspace
        return switch stream.type {
        case .room: try RoomTable.find(RoomID(stream.id), in: workspace, transaction) != nil
        case .thread: try EventQueries.workspace(of: stream, in: transaction) == workspace
        case .workspace:
            stream.id == workspace.rawValue
                || stream.id == WorkspaceID.system.rawValue && context.caller.isOperator
        }
    }

    @Sendable private func export(_ context: RequestContext) throws -> Reply {
        let run = context.query("run_id").map { RunID($0) }
        let (since, until) = (try context.time("since", .invalidField), try context.time("until", .invalidField))
        let selection: AuditExporter.Selection
        if let run {
            guard since == nil, until == nil else {
                throw Rejection.field("since", .invalidField, "expected either run_id, or since and until; found both")
            }
            selection = .run(run)
        } else {
            selection = .recorded(since: since ?? Timestamp(milliseconds: 0), until: until)
        }
        return audits.run(context) { try $0.export(selection, in: context.workspace) }
    }

    @Sendable private func redactions(_ context: RequestContext) throws -> RedactionList {
        var filter = RedactionTable.Filter()
        filter.eventID = context.query("event_id").map { EventID($0) }
        filter.ruleID = context.query("rule_id")
        filter.action = try context.choice("action", .invalidAction)
        filter.streamType = try context.choice("stream_type", .invalidStreamType)
        filter.streamID = context.query("stream_id")
        let (limit, cursor) = (try context.limit(default: 2_000, max: 10_000), try context.cursor())
        let lines = try environment.database.read {
            try RedactionTable.list(in: context.workspace, filter, after: cursor, limit: limit, $0)
        }
        return RedactionList(
            redactions: lines,
            nextCursor: lines.nextCursor(limit) { ListCursor(time: $0.createdAt, id: $0.redactionLogID) })
    }
}
