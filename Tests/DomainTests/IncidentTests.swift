import Domain
import JSON
import Shared
import Testing

@Suite("An incident")
struct IncidentTests {
    /// An open incident of the run.
    private func opened(_ request: OpenIncident = OpenIncident(title: "It broke")) throws -> (World, IncidentID) {
        var world = try World.running()
        let report = try IncidentReport(request)
        let scope = try IncidentDecider.scope(of: report, world.run, in: World.workspace, correlationID: "new")
        world.record([IncidentDecider.open("inc_1", report, in: scope, world.facts())])
        return (world, "inc_1")
    }

    private func understand(_ world: inout World) throws {
        world.record([
            try IncidentDecider.updateRCA(world.incidents["inc_1"]!, UpdateRCA(summary: "A typo"), world.facts())
        ])
    }

    private func learn(_ world: inout World, _ id: LearningID = "learn_1") throws {
        world.record([
            try IncidentDecider.logLearning(
                id, world.incidents["inc_1"]!, LogLearning(note: "Look twice", tags: [" a ", "b", "a", " "]),
                world.facts())
        ])
    }

    @Test("has the room, thread and correlation of its run unless it says otherwise")
    func scope() throws {
        let (world, id) = try opened()
        let incident = try #require(world.incidents[id])
        #expect((incident.roomID, incident.runID, incident.correlationID) == ("room_1", "run_1", "corr"))
        let report = try IncidentReport(OpenIncident(title: "a", correlationID: "mine"))
        let said = try IncidentDecider.scope(of: report, world.run, in: World.workspace, correlationID: "new")
        #expect(said.correlationID == "mine")
        let alone = try IncidentDecider.scope(of: report, nil, in: World.workspace, correlationID: "new")
        #expect((alone.roomID, alone.runID, alone.stream) == (nil, nil, .workspace(World.workspace)))
        for (request, code) in [
            (OpenIncident(title: "a", roomID: "room_2"), ReasonCode.runRoomMismatch),
            (OpenIncident(title: "a", threadID: "th_2"), .runThreadMismatch),
        ] {
            let report = try IncidentReport(request)
            #expect(
                reason {
                    _ = try IncidentDecider.scope(of: report, world.run, in: World.workspace, correlationID: "new")
                } == code)
        }
    }

    @Test("needs a title or a summary, which is cut to a title where there is none")
    func titles() throws {
        #expect(reason { _ = try IncidentReport(OpenIncident(title: " ", summary: "\n")) } == .missingTitle)
        #expect(try IncidentReport(OpenIncident(summary: " Zoë \n")).title == "Zoë")
        let long = String(repeating: "ä", count: 400)
        let title = try IncidentReport(OpenIncident(summary: long)).title
        #expect(title.utf8.count == Limits.titleBytesMax && long.hasPrefix(title))
    }

    @Test("takes the word warning for low")
    func severities() throws {
        #expect(IncidentSeverity.words.map { IncidentSeverity(word: $0) } == [.low, .medium, .high, .critical, .low])
        #expect(IncidentSeverity(word: "fatal") == nil)
    }

    @Test("must not take the key that a run's evidence needs")
    func reservedKeys() throws {
        func code(_ key: String) -> ReasonCode? {
            reason { _ = try IncidentReport(OpenIncident(title: "a", idempotencyKey: key)) }
        }
        #expect(code(EnvelopeKey.evidence(of: "run_1")) == .invalidIdempotencyKey)
        #expect(code(" \(EnvelopeKey.evidence(of: "run_1"))") == .invalidIdempotencyKey)
        #expect(code(EnvelopeKey.runFailed("run_1", in: "ws")) == nil)
        #expect(try IncidentReport(OpenIncident(title: "a", idempotencyKey: " ")).idempotencyKey == nil)
    }

    @Test("closes with a root cause and a learning, in this order, and once")
    func closing() throws {
        var (world, id) = try opened()
        func code() -> ReasonCode? {
            reason { _ = try IncidentDecider.close(world.incidents[id]!, CloseIncident(), world.facts()) }
        }
        #expect(code() == .incidentCloseBlockedMissingRCA)
        try learn(&world)
        #expect(code() == .incidentCloseBlockedMissingRCA)
        try understand(&world)
        #expect(code() == nil)
        world.pass(5)
        world.record([try IncidentDecider.close(world.incidents[id]!, CloseIncident(reason: " done "), world.facts())])
        let closed = try #require(world.incidents[id])
        #expect((closed.status, closed.closedReason, closed.closedAt) == (.closed, "done", world.now))
        #expect(code() == .incidentAlreadyClosed)
        #expect(reason { try understand(&world) } == .incidentClosed)
        #expect(reason { try learn(&world, "learn_2") } == .incidentClosed)
    }

    @Test("with a root cause alone is not closed")
    func missingLearning() throws {
        var (world, id) = try opened()
        try understand(&world)
        #expect(
            reason { _ = try IncidentDecider.close(world.incidents[id]!, CloseIncident(), world.facts()) }
                == .incidentCloseBlockedMissingLearning)
    }

    @Test("has the latest analysis, its summary among it; an empty one is refused")
    func analysis() throws {
        var (world, id) = try opened()
        func update(_ request: UpdateRCA) throws {
            world.record([try IncidentDecider.updateRCA(world.incidents[id]!, request, world.facts())])
        }
        try update(UpdateRCA(summary: "A typo", analysis: ["why": "haste", "summary": "another"]))
        #expect(world.incidents[id]?.rca == ["why": "haste", "summary": "A typo"])
        try update(UpdateRCA(analysis: ["who": "nobody"]))
        #expect(world.incidents[id]?.rca == ["who": "nobody"])
        for empty in [UpdateRCA(), UpdateRCA(summary: " "), UpdateRCA(analysis: [:])] {
            #expect(reason { try update(empty) } == .missingRCAPayload)
        }
    }

    @Test("keeps what was learned, with each tag once, and says what came before as its cause")
    func learning() throws {
        var (world, id) = try opened()
        try learn(&world)
        try learn(&world, "learn_2")
        let kept = try #require(world.learning["learn_1"])
        #expect((kept.note, kept.tags, kept.incidentID) == ("Look twice", ["a", "b"], id))
        #expect((kept.roomID, kept.runID) == ("room_1", "run_1"))
        #expect(world.incidents[id]?.learningCount == 2)
        let events = world.events.suffix(2)
        #expect(events.last?.envelope.causationID == events.first?.envelope.eventID)
        #expect(events.allSatisfy { $0.envelope.correlationID == "corr" && $0.envelope.runID == "run_1" })
    }

    @Test("of a failed run says which and why, high, by the automation, with the failure as its cause")
    func runFailed() throws {
        var world = try World.running()
        let error: JSONValue = ["code": "exit", "message": "no such file"]
        world.record([try RunDecider.fail(world.run!, FailRun(error: error), world.facts())])
        guard let end = world.events.last, case .run(.failed(let failed)) = end.event else {
            Issue.record("the run has not failed")
            return
        }
        world.record([IncidentDecider.runFailed("inc_1", world.run!, end.with(failed))])
        let incident = try #require(world.incidents["inc_1"])
        #expect((incident.title, incident.summary) == ("Run failed triage: Run", "no such file"))
        #expect((incident.category, incident.severity, incident.runID) == ("run_failed", .high, "run_1"))
        #expect((incident.entityType, incident.entityID) == ("run", "run_1"))
        #expect(incident.details == ["attempt_no": 1, "code": "exit"])
        #expect((incident.createdByType, incident.createdByID) == (.service, "automation"))
        #expect(world.events.last?.envelope.causationID == end.envelope.eventID)
        #expect(world.events.last?.envelope.stream == end.envelope.stream)
    }
}
