import Crypto
import DatabaseCore
import Domain
import HTTP
import HTTPServer
import Projectors
import Shared

/// Scorecards and lessons.
struct ReviewRoutes: Sendable {
    let environment: APIEnvironment
    let commands: CommandBus

    func mount(on routes: inout RouteTable) {
        routes.on(.recordScorecard, .operatorOnly, record)
        routes.get(.scorecards, .operatorOnly, listScorecards)
        routes.get(.scorecard, .operatorOnly, showScorecard)
        routes.on(.logLesson, .operatorOnly, log)
        routes.get(.lessons, .operatorOnly, listLessons)
        routes.get(.lesson, .operatorOnly, showLesson)
    }

    // MARK: Scorecards

    @Sendable private func record(_ body: RecordScorecard, _ context: RequestContext) throws -> Reply {
        let actor = try context.actor(type: body.actorType, id: body.actorID, defaultID: "ceo")
        let metrics = try ScorecardDecider.metrics(body.metrics)
        try ScorecardDecider.checkEvidence(body)
        let hash = SHA256.text(ScorecardDecider.hashed(metrics))
        return commands.perform(context, .created) { work in
            let id: ScorecardID = environment.newID()
            if let experiment = body.experimentID { _ = try work.experiment(experiment, in: context.workspace) }
            if let run = body.runID { _ = try work.run(run, in: context.workspace) }
            let evidence = try body.evidenceID.map { try found($0, in: context.workspace, work.transaction) }
            try work.record(
                ScorecardDecider.record(
                    id, body, metrics: metrics, metricsHash: hash, evidenceRun: evidence?.runID, in: context.workspace,
                    correlationID: Limits.trimmed(body.correlationID) ?? environment.newCorrelationID(),
                    CommandFacts(actor: actor, now: work.now)))
            return ScorecardRecordedAnswer(scorecardID: id)
        }
    }

    @Sendable private func listScorecards(_ context: RequestContext) throws -> ScorecardList {
        var filter = ScorecardTable.Filter()
        filter.experimentID = context.query("experiment_id").map { ExperimentID($0) }
        filter.runID = context.query("run_id").map { RunID($0) }
        filter.agentID = context.query("agent_id")
        let (limit, cursor) = (try context.limit(default: 50, max: 200), try context.cursor())
        let scorecards = try environment.database.read {
            try ScorecardTable.list(in: context.workspace, filter, after: cursor, limit: limit, $0)
        }
        return ScorecardList(
            scorecards: scorecards,
            nextCursor: scorecards.nextCursor(limit) { ListCursor(time: $0.createdAt, id: $0.scorecardID.rawValue) })
    }

    @Sendable private func showScorecard(_ context: RequestContext) throws -> ScorecardAnswer {
        let id: ScorecardID = context.id("scorecard_id")
        return ScorecardAnswer(scorecard: try environment.database.read { try found(id, in: context.workspace, $0) })
    }

    // MARK: Lessons

    @Sendable private func log(_ body: LogLesson, _ context: RequestContext) throws -> Reply {
        let actor = try context.actor(type: body.actorType, id: body.actorID, defaultID: "ceo")
        return commands.perform(context, .created) { work in
            let id: LessonID = environment.newID()
            let event = try LessonDecider.log(
                id, body, in: context.workspace,
                correlationID: Limits.trimmed(body.correlationID) ?? environment.newCorrelationID(),
                CommandFacts(actor: actor, now: work.now))
            if let experiment = body.experimentID { _ = try work.experiment(experiment, in: context.workspace) }
            if let run = body.runID { _ = try work.run(run, in: context.workspace) }
            if let scorecard = body.scorecardID { _ = try found(scorecard, in: context.workspace, work.transaction) }
            if let incident = body.incidentID { _ = try found(incident, in: context.workspace, work.transaction) }
            try work.record(event)
            return LessonLoggedAnswer(lessonID: id)
        }
    }

    @Sendable private func listLessons(_ context: RequestContext) throws -> LessonList {
        var filter = LessonTable.Filter()
        filter.experimentID = context.query("experiment_id").map { ExperimentID($0) }
        filter.runID = context.query("run_id").map { RunID($0) }
        filter.scorecardID = context.query("scorecard_id").map { ScorecardID($0) }
        filter.incidentID = context.query("incident_id").map { IncidentID($0) }
        let (limit, cursor) = (try context.limit(default: 50, max: 200), try context.cursor())
        let lessons = try environment.database.read {
            try LessonTable.list(in: context.workspace, filter, after: cursor, limit: limit, $0)
        }
        return LessonList(
            lessons: lessons,
            nextCursor: lessons.nextCursor(limit) { ListCursor(time: $0.createdAt, id: $0.lessonID.rawValue) })
    }

    @Sendable private func showLesson(_ context: RequestContext) throws -> LessonAnswer {
        let id: LessonID = context.id("lesson_id")
        return LessonAnswer(lesson: try environment.database.read { try found(id, in: context.workspace, $0) })
    }
}
