import DatabaseCore
import Domain
import HTTP
import HTTPServer
import Projectors
import Shared

struct ExperimentRoutes: Sendable {
    let environment: APIEnvironment
    let commands: CommandBus

    func mount(on routes: inout RouteTable) {
        routes.on(.createExperiment, .operatorOnly, create)
        routes.get(.experiments, .operatorOnly, list)
        routes.get(.experiment, .operatorOnly, show)
        routes.on(.updateExperiment, .operatorOnly, update)
        routes.on(.closeExperiment, .operatorOnly, close)
    }

    @Sendable private func create(_ body: CreateExperiment, _ context: RequestContext) throws -> Reply {
        let actor = try context.actor(type: body.actorType, id: body.actorID, defaultID: "ceo")
        return commands.perform(context, .created) { work in
            let id: ExperimentID = environment.newID()
            let event = try ExperimentDecider.create(
                id, body, in: context.workspace,
                correlationID: Limits.trimmed(body.correlationID) ?? environment.newCorrelationID(),
                CommandFacts(actor: actor, now: work.now))
            if let room = body.roomID { _ = try work.room(room, in: context.workspace) }
            try work.record(event)
            return ExperimentCreatedAnswer(experimentID: id)
        }
    }

    @Sendable private func list(_ context: RequestContext) throws -> ExperimentList {
        let status: ExperimentStatus? = try context.choice("status", .invalidStatus)
        let (limit, cursor) = (try context.limit(default: 50, max: 200), try context.cursor())
        let experiments = try environment.database.read {
            try ExperimentTable.list(
                in: context.workspace, status: status, room: context.query("room_id").map { RoomID($0) },
                after: cursor, limit: limit, $0)
        }
        return ExperimentList(
            experiments: experiments,
            nextCursor: experiments.nextCursor(limit) { ListCursor(time: $0.updatedAt, id: $0.experimentID.rawValue) })
    }

    @Sendable private func show(_ context: RequestContext) throws -> ExperimentAnswer {
        let id: ExperimentID = context.id("experiment_id")
        return ExperimentAnswer(experiment: try environment.database.read { try found(id, in: context.workspace, $0) })
    }

    @Sendable private func update(_ body: UpdateExperiment, _ context: RequestContext) throws -> Reply {
        let id: ExperimentID = context.id("experiment_id")
        let actor = try context.actor(type: body.actorType, id: body.actorID, defaultID: "ceo")
        return commands.perform(context) { work in
            let experiment = try work.experiment(id, in: context.workspace)
            if let event = try ExperimentDecider.update(experiment, body, CommandFacts(actor: actor, now: work.now)) {
                try work.record(event)
            }
            return Done(ok: true)
        }
    }

    @Sendable private func close(_ body: CloseExperiment, _ context: RequestContext) throws -> Reply {
        let id: ExperimentID = context.id("experiment_id")
        let actor = try context.actor(type: body.actorType, id: body.actorID, defaultID: "ceo")
        return commands.perform(context) { work in
            let experiment = try work.experiment(id, in: context.workspace)
            let active = try RunTable.activeCount(of: id, work.transaction)
            let decision = try ExperimentDecider.close(
                experiment, body, activeRunCount: active, CommandFacts(actor: actor, now: work.now))
            try work.record(decision.events)
            return ExperimentClosedAnswer(ok: true, status: decision.answer, activeRunCount: active)
        }
    }
}
