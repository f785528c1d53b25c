import DatabaseCore
import Domain
import EventStore
import HTTP
import HTTPServer
import Projectors
import Shared

/// Threads and the messages in them.
struct ThreadRoutes: Sendable {
    let environment: APIEnvironment
    let commands: CommandBus

    private static let execute = Access.engine(action: "run.execute")

    func mount(on routes: inout RouteTable) {
        routes.on(.createThread, Self.execute, create)
        routes.get(.threads, Self.execute, list)
        routes.get(.thread, Self.execute, show)
        routes.on(.postMessage, Self.execute, post)
        routes.get(.messages, Self.execute, messages)
        routes.get(.message, Self.execute, message)
    }

    // MARK: Threads

    @Sendable private func create(_ body: CreateThread, _ context: RequestContext) -> Reply {
        let roomID: RoomID = context.id("room_id")
        return commands.run(context) { work in
            let room = try work.room(roomID, in: context.workspace)
            let place = try work.place(
                run: body.runID, step: body.stepID, in: room.roomID, context, token: body.claimToken)
            var body = body
            body.idempotencyKey = try EnvelopeKey.chosen(body.idempotencyKey)
            if let first = try work.recorded(body.idempotencyKey, in: .room(roomID)) {
                guard case .thread(.created)? = try first.typed()?.event, let id = first.envelope.threadID else {
                    throw first.conflict
                }
                return CommandBus.Outcome(response: try Answers.json(ThreadCreatedAnswer(threadID: id)))
            }
            let id: ThreadID = environment.newID()
            try work.record(
                ThreadDecider.create(
                    id, body, in: room, for: place, correlationID: context.correlationID,
                    CommandFacts(actor: context.actor, now: work.now)))
            return CommandBus.Outcome(response: try Answers.json(ThreadCreatedAnswer(threadID: id), .created))
        }
    }

    @Sendable private func list(_ context: RequestContext) throws -> ThreadList {
        let roomID: RoomID = context.id("room_id")
        let (limit, cursor) = (try context.limit(default: 50, max: 200), try context.cursor())
        let threads = try environment.database.read { transaction in
            let room = try found(roomID, in: context.workspace, transaction)
            try context.requireRoom(room.roomID)
            return try ThreadTable.list(of: room.roomID, after: cursor, limit: limit, transaction)
        }
        return ThreadList(
            threads: threads,
            nextCursor: threads.nextCursor(limit) { ListCursor(time: $0.updatedAt, id: $0.threadID.rawValue) })
    }

    @Sendable private func show(_ context: RequestContext) throws -> ThreadAnswer {
        let id: ThreadID = context.id("thread_id")
        let thread = try environment.database.read { try found(id, in: context.workspace, $0) }
        try context.requireRoom(thread.roomID)
        return ThreadAnswer(thread: thread)
    }

    // MARK: Messages

    @Sendable private func post(_ body: PostMessage, _ context: RequestContext) throws -> Reply {
        let threadID: ThreadID = context.id("thread_id")
        let sender = try context.actor(type: body.senderType, id: body.senderID, role: "sender")
        return commands.run(context) { work in
            let thread = try work.thread(threadID, in: context.workspace)
            let place = try work.place(
                run: body.runID, step: body.stepID, in: thread.roomID, context, token: body.claimToken)
            var body = body
            body.idempotencyKey = try EnvelopeKey.chosen(body.idempotencyKey)
            if let first = try work.recorded(body.idempotencyKey, in: .room(thread.roomID)) {
                guard case .thread(.messageCreated(let created))? = try first.typed()?.event,
                    first.envelope.threadID == threadID
                else { throw first.conflict }
                return CommandBus.Outcome(
                    response: try Answers.json(MessageCreatedAnswer(messageID: created.messageID)))
            }
            let parent = try body.parentMessageID.flatMap {
                try MessageTable.find($0, in: context.workspace, work.transaction)
            }
            let id: MessageID = environment.newID()
            try work.record(
                MessageDecider.post(
                    id, body, in: thread, parent: parent, for: place, correlationID: context.correlationID,
                    CommandFacts(actor: sender, now: work.now)))
            return CommandBus.Outcome(response: try Answers.json(MessageCreatedAnswer(messageID: id), .created))
        }
    }

    @Sendable private func messages(_ context: RequestContext) throws -> MessageList {
        let threadID: ThreadID = context.id("thread_id")
        let limit = try context.limit(default: 50, max: 200)
        let (before, seq) = (try context.time("before", .invalidBefore), try context.cursor { Int64($0.id) })
        let messages = try environment.database.read { transaction in
            let thread = try found(threadID, in: context.workspace, transaction)
            try context.requireRoom(thread.roomID)
            return try MessageTable.list(of: threadID, before: before, beforeSeq: seq, limit: limit, transaction)
        }
        return MessageList(
            messages: messages,
            nextCursor: messages.nextCursor(limit) { ListCursor(time: $0.createdAt, id: String($0.streamSeq)) })
    }

    @Sendable private func message(_ context: RequestContext) throws -> MessageAnswer {
        let id: MessageID = context.id("message_id")
        let message = try environment.database.read { try found(id, in: context.workspace, $0) }
        try context.requireRoom(message.roomID)
        return MessageAnswer(message: message)
    }
}

extension Work {
    /// The run, or the step of it, for which something is written in the room, once the caller has shown that it may
    /// write for it; nil if the request names none.
    fileprivate func place(
        run runID: RunID?, step stepID: StepID?, in room: RoomID, _ context: RequestContext, token: String?
    ) throws -> RunPlace? {
        try context.requireRoom(room)
        let place: RunPlace
        if let stepID {
            let (step, run) = try step(stepID, in: context.workspace)
            guard runID == nil || runID == run.runID else {
                throw Rejection(.stepNotFound, "no step \(stepID.rawValue.prefix(100)) in this run")
            }
            place = RunPlace(run: run, step: step)
        } else if let runID {
            place = RunPlace(run: try run(runID, in: context.workspace))
        } else {
            return nil
        }
        try place.require(room: room)
        try fence(place.run, context, token: token)
        return place
    }
}
