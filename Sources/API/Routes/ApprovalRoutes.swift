import DatabaseCore
import Domain
import HTTP
import HTTPServer
import Projectors
import Shared

struct ApprovalRoutes: Sendable {
    let environment: APIEnvironment
    let commands: CommandBus

    func mount(on routes: inout RouteTable) {
        routes.on(.requestApproval, .engine(action: "run.execute"), request)
        routes.get(.approvals, .engine(action: "run.execute"), list)
        routes.get(.approval, .engine(action: "run.execute"), show)
        routes.on(.decideApproval, .operatorOnly, decide)
    }

    @Sendable private func request(_ body: RequestApproval, _ context: RequestContext) throws -> Reply {
        let actor = try context.actor(type: body.actorType, id: body.actorID)
        return commands.perform(context, .created) { work in
            let event = try ApprovalDecider.request(
                environment.newID(), body, in: context.workspace,
                correlationID: Limits.trimmed(body.correlationID) ?? environment.newCorrelationID(),
                CommandFacts(actor: actor, now: work.now))
            if let room = body.roomID { _ = try work.room(room, in: context.workspace) }
            let run = try body.runID.map { try work.run($0, in: context.workspace) }
            if let run { try context.requireRoom(run.roomID) }
            if body.roomID != nil || run == nil { try context.requireRoom(body.roomID) }
            if let step = body.stepID { _ = try work.step(step, in: context.workspace) }
            try work.record(event)
            guard case .approval(.requested(let requested)) = event.event else {
                preconditionFailure("a request is recorded as one")
            }
            return ApprovalRequestedAnswer(approvalID: requested.approvalID)
        }
    }

    @Sendable private func list(_ context: RequestContext) throws -> ApprovalList {
        let status: ApprovalStatus? = try context.choice("status", .invalidStatus)
        let (limit, cursor) = (try context.limit(default: 50, max: 200), try context.cursor())
        let approvals = try environment.database.read {
            try ApprovalTable.list(
                in: context.workspace, status: status, room: context.query("room_id").map { RoomID($0) },
                after: cursor, limit: limit, $0)
        }
        return ApprovalList(
            approvals: approvals,
            nextCursor: approvals.nextCursor(limit) { ListCursor(time: $0.updatedAt, id: $0.approvalID.rawValue) })
    }

    @Sendable private func show(_ context: RequestContext) throws -> ApprovalAnswer {
        let id: ApprovalID = context.id("approval_id")
        return ApprovalAnswer(approval: try environment.database.read { try found(id, in: context.workspace, $0) })
    }

    @Sendable private func decide(_ body: DecideApproval, _ context: RequestContext) throws -> Reply {
        let id: ApprovalID = context.id("approval_id")
        let actor = try context.actor(type: body.actorType, id: body.actorID, defaultID: "ceo")
        return commands.perform(context) { work in
            let approval = try work.approval(id, in: context.workspace)
            try work.record(ApprovalDecider.decide(approval, body, CommandFacts(actor: actor, now: work.now)))
            // In the same transaction, so that no decision is ever without its consequence.
            if body.decision != ApprovalDecision.hold.rawValue {
                try work.settleWaits(on: id, of: approval.runID)
            }
            return Done(ok: true)
        }
    }
}
