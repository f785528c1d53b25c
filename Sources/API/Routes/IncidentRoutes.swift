import DatabaseCore
import Domain
import EventStore
import HTTP
import HTTPServer
import Projectors
import Shared

struct IncidentRoutes: Sendable {
    let environment: APIEnvironment
    let commands: CommandBus

    /// Who acts where the header mode lets a caller not say it (`contract/API_HARDENING.md` 0.3).
    private static let defaultActorID = "ceo"

    func mount(on routes: inout RouteTable) {
        routes.on(.openIncident, .operatorOnly, open)
        routes.get(.incidents, .operatorOnly, list)
        routes.get(.incident, .operatorOnly, show)
        routes.on(.updateRCA, .operatorOnly, updateRCA)
        routes.on(.logLearning, .operatorOnly, logLearning)
        routes.on(.closeIncident, .operatorOnly, close)
    }

    // MARK: Opening

    @Sendable private func open(_ body: OpenIncident, _ context: RequestContext) throws -> Reply {
        let actor = try context.actor(type: body.actorType, id: body.actorID, defaultID: Self.defaultActorID)
        let report = try IncidentReport(body)
        return commands.run(context) { work in
            let run = try body.runID.map { try work.run($0, in: context.workspace) }
            let scope = try IncidentDecider.scope(
                of: report, run, in: context.workspace, correlationID: environment.newCorrelationID())
            if let room = body.roomID { _ = try work.room(room, in: context.workspace) }
            if let thread = body.threadID { try work.require(thread, in: scope.roomID, context.workspace) }
            if let first = try work.recorded(report.idempotencyKey, in: scope.stream) {
                guard case .incident(.opened(let opened))? = try first.typed()?.event else { throw first.conflict }
                return .init(
                    response: try Answers.json(IncidentOpenedAnswer(incidentID: opened.incidentID, deduped: true)))
            }
            let id: IncidentID = environment.newID()
            try work.record(IncidentDecider.open(id, report, in: scope, CommandFacts(actor: actor, now: work.now)))
            return .init(response: try Answers.json(IncidentOpenedAnswer(incidentID: id, deduped: false), .created))
        }
    }

    // MARK: Reading

    @Sendable private func list(_ context: RequestContext) throws -> IncidentList {
        var filter = IncidentTable.Filter()
        filter.roomID = context.query("room_id").map { RoomID($0) }
        filter.runID = context.query("run_id").map { RunID($0) }
        filter.category = context.query("category")
        filter.status = try context.choice("status", .invalidStatus)
        filter.severity = try context.choice("severity", .invalidSeverity)
        let (limit, cursor) = (try context.limit(default: 50, max: 200), try context.cursor())
        let incidents = try environment.database.read {
            try IncidentTable.list(in: context.workspace, filter, after: cursor, limit: limit, $0)
        }
        return IncidentList(
            incidents: incidents,
            nextCursor: incidents.nextCursor(limit) { ListCursor(time: $0.updatedAt, id: $0.incidentID.rawValue) })
    }

    @Sendable private func show(_ context: RequestContext) throws -> IncidentAnswer {
        let id: IncidentID = context.id("incident_id")
        return try environment.database.read { transaction in
            IncidentAnswer(
                incident: try found(id, in: context.workspace, transaction),
                learning: try IncidentLearningTable.list(of: id, transaction))
        }
    }

    // MARK: Understanding

    @Sendable private func updateRCA(_ body: UpdateRCA, _ context: RequestContext) throws -> Reply {
        let actor = try context.actor(type: body.actorType, id: body.actorID, defaultID: Self.defaultActorID)
        return change(context) { work, incident in
            try work.record(IncidentDecider.updateRCA(incident, body, CommandFacts(actor: actor, now: work.now)))
            return Done(ok: true)
        }
    }

    @Sendable private func logLearning(_ body: LogLearning, _ context: RequestContext) throws -> Reply {
        let actor = try context.actor(type: body.actorType, id: body.actorID, defaultID: Self.defaultActorID)
        return change(context, .created) { work, incident in
            let id: LearningID = environment.newID()
            try work.record(IncidentDecider.logLearning(id, incident, body, CommandFacts(actor: actor, now: work.now)))
            return LearningLoggedAnswer(learningID: id)
        }
    }

    @Sendable private func close(_ body: CloseIncident, _ context: RequestContext) throws -> Reply {
        let actor = try context.actor(type: body.actorType, id: body.actorID, defaultID: Self.defaultActorID)
        return change(context) { work, incident in
            try work.record(IncidentDecider.close(incident, body, CommandFacts(actor: actor, now: work.now)))
            return Done(ok: true)
        }
    }

    private func change<Answer: Encodable & SendableMetatype>(
        _ context: RequestContext, _ status: HTTPStatus = .ok,
        _ command: @escaping @Sendable (Work, Incident) throws -> Answer
    ) -> Reply {
        let id: IncidentID = context.id("incident_id")
        return commands.perform(context, status) { work in
            try command(work, try work.incident(id, in: context.workspace))
        }
    }
}
