import DatabaseCore
import EventStore
import HTTP
import HTTPServer
import JSON
import Projectors
import Shared

/// The event log: queried, exported, read one by one, followed.
struct EventRoutes: Sendable {
    private static let typesMax = 20

    /// How a list of events can be had; all but the first are exports.
    private enum ListFormat: String, CaseIterable {
        case page = "application/json"
        case lines = "application/x-ndjson"
        case cloudEvents = "application/cloudevents-batch+json"
    }

    /// How one event can be had.
    private enum EventFormat: String, CaseIterable {
        case own = "application/json"
        case cloudEvent = "application/cloudevents+json"
    }

    let environment: APIEnvironment
    let hub: EventHub
    let metrics: Metrics
    let exports: Exports

    func mount(on routes: inout RouteTable) {
        routes.raw(.events, .operatorOnly, list)
        routes.raw(.event, .operatorOnly, show)
        routes.raw(.roomStream, .operatorOnly, acceptsCookie: true, followRoom)
        routes.raw(.workspaceStream, .operatorOnly, acceptsCookie: true, followWorkspace)
    }

    @Sendable private func list(_ context: RequestContext) throws -> Reply {
        let format: ListFormat = try context.format()
        let filter = try self.filter(context)
        let (cursor, before) = (
            try context.sequence("cursor"), try context.time("before_recorded_at", .invalidBeforeRecordedAt)
        )
        return switch format {
        case .page: .now(try page(filter, cursor, before, context))
        case .lines: try export(.lines, format.rawValue, filter, cursor, before, context)
        case .cloudEvents: try export(.cloudEvents, format.rawValue, filter, cursor, before, context)
        }
    }

    /// Forwards from the cursor; with a time backwards from it, or from the cursor if that is further back.
    private func page(
        _ filter: EventFilter, _ cursor: Int64?, _ before: Timestamp?, _ context: RequestContext
    ) throws -> HTTPResponse {
        let limit = try context.limit(default: 100, max: 200)
        var filter = filter
        let events = try environment.database.read { transaction in
            guard let before else {
                filter.afterGlobalSeq = cursor ?? 0
                return try EventQueries.events(filter, limit: limit, in: transaction)
            }
            let last = try EventQueries.lastGlobalSeq(recordedBefore: before, in: transaction)
            filter.throughGlobalSeq = min(last, (cursor ?? .max) - 1)
            return try EventQueries.lastEvents(filter, limit: limit, in: transaction)
        }
        let edge = before == nil ? events.last : events.first
        let nextCursor = events.count == limit ? edge.map { String($0.envelope.globalSeq) } : nil
        var writer = JSONWriter(reserving: 1024 * (events.count + 1))
        writer.beginObject()
        writer.key("events")
        writer.beginArray()
        for event in events { event.write(.list, to: &writer) }
        writer.endArray()
        writer.key("next_cursor")
        if let nextCursor { writer.string(nextCursor) } else { writer.null() }
        writer.endObject()
        var fields = Answers.nextPage(nextCursor, for: context.request)
        fields.append(.vary, "accept")
        return Answers.document(writer.bytes, fields: fields, for: context.request)
    }

    /// Everything from the cursor to the end of the log as it is now.
    private func export(
        _ format: ExportFeed.Format, _ mediaType: String, _ filter: EventFilter, _ cursor: Int64?,
        _ before: Timestamp?, _ context: RequestContext
    ) throws -> Reply {
        var filter = filter
        filter.afterGlobalSeq = cursor ?? 0
        filter.throughGlobalSeq = try environment.database.read { transaction in
            try before.map { try EventQueries.lastGlobalSeq(recordedBefore: $0, in: transaction) }
                ?? EventQueries.lastGlobalSeq(in: transaction)
        }
        let limit = try context.limit(default: .max, max: .max)
        let head = HTTPResponse(
            .ok, fields: [.contentType: mediaType, .cacheControl: "no-store", .vary: "accept"])
        return .stream(head, try exports.begin(filter, limit: limit, format), length: nil)
    }

    // MARK: Questions

    private func filter(_ context: RequestContext) throws(Rejection) -> EventFilter {
        var filter = EventFilter(workspaces: [context.workspace])
        if try includesSystem(context) { filter.workspaces?.append(.system) }
        let type: StreamType? = try context.choice("stream_type", .invalidStreamType)
        let id = context.query("stream_id")
        guard (type == nil) == (id == nil) else {
            throw Rejection(
                .streamTypeAndStreamIDRequiredTogether,
                "stream_type and stream_id: give both (room, thread or workspace, and its id) or neither")
        }
        let seq = try context.sequence("from_seq")
        if let type, let id { (filter.stream, filter.afterStreamSeq) = (StreamID(type, id), seq) }
        filter.roomID = context.query("room_id").map { RoomID($0) }
        filter.threadID = context.query("thread_id").map { ThreadID($0) }
        filter.runID = context.query("run_id").map { RunID($0) }
        filter.stepID = context.query("step_id").map { StepID($0) }
        filter.correlationID = context.query("correlation_id")
        filter.eventTypes = try types(context)
        filter.actorType = try context.choice("actor_type")
        filter.actorID = context.query("actor_id")
        filter.subjectAgentID = context.query("subject_agent_id")
        filter.subjectPrincipalID = context.query("subject_principal_id")
        return filter
    }

    /// Whether the instance's own events come along.
    private func includesSystem(_ context: RequestContext) throws(Rejection) -> Bool {
        guard context.query("include_system") == "1", context.workspace != .system else { return false }
        guard context.caller.isOperator else {
            throw Rejection(.operatorRequired, "include_system: the instance's own events are the operator's to read")
        }
        return true
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
        let format: EventFormat = try context.format()
        let id: EventID = context.id("event_id")
        let event = try environment.database.read { try EventQueries.event(id, in: $0) }
        guard let event, context.maySee(event.envelope) else {
            throw Rejection(.eventNotFound, "no event \(id.rawValue.prefix(100))")
        }
        var writer = JSONWriter(reserving: 2048)
        switch format {
        case .own:
            writer.beginObject()
            writer.key("event")
            event.write(.single, to: &writer)
            writer.endObject()
        case .cloudEvent: event.writeCloudEvent(to: &writer)
        }
        return .now(
            Answers.document(writer.bytes, format.rawValue, fields: [.vary: "accept"], for: context.request))
    }

    @Sendable private func followRoom(_ context: RequestContext) throws -> Reply {
        let id: RoomID = context.id("room_id")
        let topic = EventTopic.stream(.room(id))
        let last = try environment.database.read { transaction in
            _ = try found(id, in: context.workspace, transaction)
            return try topic.lastSeq(in: transaction)
        }
        return try follow(topic, endingAt: last, otherwiseAfter: 0, context)
    }

    @Sendable private func followWorkspace(_ context: RequestContext) throws -> Reply {
        let topic = EventTopic.workspace(context.workspace, withSystem: try includesSystem(context))
        let last = try environment.database.read { try topic.lastSeq(in: $0) }
        return try follow(topic, endingAt: last, otherwiseAfter: last, context)
    }

    /// - Parameter start: Where a client begins that says nothing.
    private func follow(
        _ topic: EventTopic, endingAt last: Int64, otherwiseAfter start: Int64, _ context: RequestContext
    ) throws -> Reply {
        // The header is what a reconnecting client saw last; it wins over the address it started with.
        let fromHeader = try context.request.fields[.lastEventID].map {
            try RequestContext.sequence($0, "last-event-id")
        }
        let seq = try fromHeader ?? context.sequence("from_seq") ?? start
        guard seq <= last else {
            throw Rejection.field(
                "last-event-id", .invalidCursor,
                "the stream ends at \(last), the cursor says \(seq): start again from 0")
        }
        let feed = EventFeed(
            topic, after: seq, hub: hub, database: environment.database, clock: environment.clock, metrics: metrics,
            mayGoOn: { isLive(context) })
        let head = HTTPResponse(
            .ok,
            fields: [
                .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache, no-transform",
                .xAccelBuffering: "no",
            ])
        return .stream(head, feed, length: nil)
    }

    /// Whether the caller would be let in again.
    private func isLive(_ context: RequestContext) -> Bool {
        let now = environment.now
        if let web = context.web {
            let session = try? environment.database.read { try WebSessionTable.live(web.secretHash, at: now, $0) }
            return session != nil
        }
        guard case .owner(_, let session) = context.caller else { return true }
        return (try? environment.database.read { try SessionTable.isLive(session.sessionID, at: now, $0) }) ?? false
    }
}
