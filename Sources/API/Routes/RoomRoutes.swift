import DatabaseCore
import Domain
import HTTP
import HTTPServer
import Projectors
import Shared

struct RoomRoutes: Sendable {
    let environment: APIEnvironment
    let commands: CommandBus

    private static let listedMax = 100

    func mount(on routes: inout RouteTable) {
        routes.on(.createRoom, .operatorOnly, create)
        routes.get(.rooms, .operatorOnly, list)
        routes.get(.room, .operatorOnly, show)
        routes.on(.updateRoom, .operatorOnly, update)
    }

    @Sendable private func create(_ body: CreateRoom, _ context: RequestContext) -> Reply {
        commands.perform(context, .created) { work in
            let decision = try RoomDecider.create(
                environment.newID(), body, in: context.workspace, correlationID: context.correlationID,
                CommandFacts(actor: context.actor, now: work.now))
            try work.record(decision.events)
            return RoomCreatedAnswer(roomID: decision.answer)
        }
    }

    @Sendable private func list(_ context: RequestContext) throws -> RoomList {
        let limit = try context.limit(default: Self.listedMax, max: Self.listedMax)
        let cursor = try context.cursor()
        let rooms = try environment.database.read {
            try RoomTable.list(in: context.workspace, after: cursor, limit: limit, $0)
        }
        return RoomList(
            rooms: rooms, nextCursor: rooms.nextCursor(limit) { ListCursor(time: $0.updatedAt, id: $0.roomID.rawValue) }
        )
    }

    @Sendable private func show(_ context: RequestContext) throws -> RoomAnswer {
        let id: RoomID = context.id("room_id")
        return RoomAnswer(room: try environment.database.read { try found(id, in: context.workspace, $0) })
    }

    @Sendable private func update(_ body: UpdateRoom, _ context: RequestContext) -> Reply {
        let id: RoomID = context.id("room_id")
        return commands.perform(context) { work in
            let room = try work.room(id, in: context.workspace)
            let event = try RoomDecider.update(
                room, body, correlationID: context.correlationID, CommandFacts(actor: context.actor, now: work.now))
            if let event { try work.record(event) }
            return Done(ok: true)
        }
    }
}
