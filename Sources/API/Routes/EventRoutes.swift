import DatabaseCore
import EventStore
import HTTP
import HTTPServer
import JSON
import Projectors
import Shared

/// The event log: queried, read one by one, followed.
struct EventRoutes: Sendable {
    private static let typesMax = 20

    let environment: APIEnvironment
    let hub: EventHub
    let metrics: Metrics

    func mount(on routes: inout RouteTable) {
        routes.raw(.events, .operatorOnly, list)
        routes.raw(.event, .operatorOnly, show)
        routes.raw(.roomStream, .operatorOnly, follow)
    }

    @Sendable private func list(_ context: RequestContext) throws -> Reply {
        let limit = try context.limit(default: 100, max: 200)
        let filter = try self.filter(context)
        let events = try environment.database.read { try EventQueries.events(filter, limit: limit, in: $0) }
        var writer = JSONWriter(reserving: 1024 * (events.count + 1))
        writer.beginObject()
        writer.key("events")
        writer.beginArray()
        for event in events { event.write(.list, to: &writer) }
        writer.endArray()
        writer.key("next_cursor")
        if events.count == limit, let last = events.last {
            writer.string(String(last.envelope.globalSeq))
        } else {
            writer.null()
        }
        writer.endObject()
        return .now(HTTPResponse(.ok, fields: Answers.jsonFields, body: writer.bytes))
    }

    private func filter(_ context: RequestContext) throws(Rejection) -> EventFilter {
        var filter = EventFilter(workspaces: [context.workspace])
        if context.query("include_system") == "1" { filter.workspaces?.append(.system) }
        let (type, id) = (context.query("stream_type").flatMap { StreamType(rawValue: $0) }, context.query("stream_id"))
        guard (type == nil) == (id == nil) else {
            throw Rejection(
                .streamTypeAndStreamIDRequiredTogether,
                "stream_type and stream_id: give both (room, thread or workspace, and its id) or neither")
        }
        if let type, let id {
            filter.stream = StreamID(type, id)
            filter.afterStreamSeq = try context.sequence("from_seq")
        }
        if let cursor = try context.sequence("cursor") { filter.afterGlobalSeq = cursor }
        filter.roomID = context.query("room_id").map { RoomID($0) }
        filter.threadID = context.query("thread_id").map { ThreadID($0) }
        filter.runID = context.query("run_id").map { RunID($0) }
        filter.stepID = context.query("step_id").map { StepID($0) }
        filter.correlationID = context.query("correlation_id")
        filter.eventTypes = try types(context)
        if let before = context.query("before_recorded_at") {
            guard let time = Timestamp(before) else {
                throw .field(
                    "before_recorded_at", .invalidBeforeRecordedAt,
                    "before_recorded_at: expected an RFC 3339 time such as 2026-03-04T05:06:07.089Z")
            }
            filter.beforeRecordedAt = time
        }
        return filter
    }

    private func types(_ context: RequestContext) throws(Rejection) -> [String] {
        let target = context.request.target
        let lists = target.queryValues("event_types").flatMap { $0.split(separator: ",").map(String.init) }
        let types = Set(
            (lists + target.queryValues("event_type")).compactMap { text in
                let trimmed = text.filter { $0 != " " }
                return trimmed.isEmpty ? nil : trimmed
            })
        guard types.count <= Self.typesMax else {
            throw .field(
                "event_types", .invalidField, "event_types: expected at most \(Self.typesMax), found \(types.count)")
        }
        return types.sorted()
    }

    @Sendable private func show(_ context: RequestContext) throws -> Reply {
        let id: EventID = context.id("event_id")
        let event = try environment.database.read { try EventQueries.event(id, in: $0) }
        guard let event, event.envelope.workspaceID == context.workspace || event.envelope.workspaceID == .system else {
            throw Rejection(.eventNotFound, "no event \(id.rawValue.prefix(100))")
        }
        var writer = JSONWriter(reserving: 2048)
        writer.beginObject()
        writer.key("event")
        event.write(.single, to: &writer)
        writer.endObject()
        return .now(HTTPResponse(.ok, fields: Answers.jsonFields, body: writer.bytes))
    }

    @Sendable private func follow(_ context: RequestContext) throws -> Reply {
        let id: RoomID = context.id("room_id")
        // The header is what a reconnecting client saw last; it wins over the address it started with.
        let fromHeader = try context.request.fields[.lastEventID].map {
            try RequestContext.sequence($0, "last-event-id")
        }
        let seq = try fromHeader ?? context.sequence("from_seq") ?? 0
        let stream = StreamID.room(id)
        let last = try environment.database.read { transaction in
            _ = try found(id, in: context.workspace, transaction)
            return try EventQueries.lastSeq(of: stream, in: transaction)
        }
        guard seq <= last else {
            throw Rejection.field(
                "last-event-id", .invalidCursor,
                "the stream ends at \(last), the cursor says \(seq): start again from 0")
        }
        let feed = RoomFeed(
            stream, after: seq, hub: hub, database: environment.database, clock: environment.clock, metrics: metrics)
        let head = HTTPResponse(
            .ok,
            fields: [
                .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache, no-transform",
                .xAccelBuffering: "no",
            ])
        return .stream(head, feed, length: nil)
    }
}
