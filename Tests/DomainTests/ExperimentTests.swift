import JSON
import Shared
import Testing

@testable import Domain

struct ExperimentTests {
    private let world = World()

    /// An experiment in a room, as its events have it.
    private func experiment(_ requests: UpdateExperiment...) throws -> Experiment {
        let request = CreateExperiment(
            title: " Trial ", hypothesis: "It helps", successCriteria: ["score": 0.8], budgetCapUnits: 10,
            riskTier: "low", roomID: "room_1", metadata: ["a": 1])
        let draft = try ExperimentDecider.create(
            "exp_1", request, in: World.workspace, correlationID: "corr", world.facts())
        var experiment = evolve(nil, draft)
        for request in requests {
            if let draft = try ExperimentDecider.update(experiment!, request, world.facts()) {
                experiment = evolve(experiment, draft)
            }
        }
        return try #require(experiment)
    }

    private func evolve(_ experiment: Experiment?, _ draft: EventDraft) -> Experiment? {
        guard case .experiment(let event) = draft.event else { return experiment }
        var world = world
        world.record([draft])
        return ExperimentDecider.evolve(experiment, world.events[0].with(event))
    }

    @Test("An experiment is open from the start, with what it was opened with")
    func created() throws {
        let experiment = try experiment()
        #expect(experiment.status == .open && experiment.title == "Trial" && experiment.roomID == "room_1")
        #expect(experiment.successCriteria == ["score": 0.8] && experiment.stopConditions == [:])
        #expect(experiment.budgetCapUnits == 10 && experiment.riskTier == .low && experiment.metadata == ["a": 1])
        #expect(experiment.createdByType == .user && experiment.createdByID == "operator")
        #expect(experiment.closedAt == nil)
    }

    @Test(
        "What an experiment cannot do without has a code of its own",
        arguments: [
            (nil, "h", 1, "low", .missingTitle), (" ", "h", 1, "low", .missingTitle),
            ("t", nil, 1, "low", .missingHypothesis), ("t", "h", nil, "low", .invalidBudgetCapUnits),
            ("t", "h", -1, "low", .invalidBudgetCapUnits), ("t", "h", 1, nil, .invalidRiskTier),
            ("t", "h", 1, "LOW", .invalidRiskTier), ("t", "h", 0, "high", nil),
        ] as [(String?, String?, Int64?, String?, ReasonCode?)])
    func required(_ title: String?, _ hypothesis: String?, _ budget: Int64?, _ tier: String?, _ code: ReasonCode?) {
        let request = CreateExperiment(
            title: title, hypothesis: hypothesis, budgetCapUnits: budget, riskTier: tier)
        #expect(
            reason {
                _ = try ExperimentDecider.create("exp_1", request, in: "ws", correlationID: "c", world.facts())
            } == code)
    }

    @Test("Only what would be different is recorded; blank texts and empty objects leave things as they are")
    func updated() throws {
        let before = try experiment()
        let same = UpdateExperiment(
            title: " ", hypothesis: "It helps", successCriteria: [:], budgetCapUnits: 10, riskTier: "low",
            metadata: ["a": 1])
        #expect(try ExperimentDecider.update(before, same, world.facts()) == nil)
        let draft = try #require(
            try ExperimentDecider.update(
                before, UpdateExperiment(title: "Trial 2", successCriteria: [:], metadata: ["b": 2]), world.facts()))
        guard case .experiment(.updated(let updated)) = draft.event else { return #expect(Bool(false)) }
        #expect(updated == ExperimentUpdated(experimentID: "exp_1", title: "Trial 2", metadata: ["b": 2]))
        let after = try experiment(UpdateExperiment(title: "Trial 2", metadata: ["b": 2]))
        #expect(after.title == "Trial 2" && after.metadata == ["b": 2] && after.successCriteria == ["score": 0.8])
    }

    @Test(
        "It is closed when no run is left, and stopped over the heads of runs only by force",
        arguments: [
            (0, nil, .closed), (0, true, .closed), (2, true, .stopped), (2, nil, nil), (2, false, nil),
        ] as [(Int64, Bool?, ExperimentStatus?)])
    func closing(_ active: Int64, _ force: Bool?, _ status: ExperimentStatus?) throws {
        let experiment = try experiment()
        func close(_ experiment: Experiment) throws -> Decision<ExperimentStatus> {
            try ExperimentDecider.close(
                experiment, CloseExperiment(reason: "done", force: force), activeRunCount: active, world.facts())
        }
        guard let status else {
            let refusal = #expect(throws: Rejection.self) { try close(experiment) }
            #expect(refusal?.reason == .experimentHasActiveRuns)
            return #expect(refusal?.details["active_run_count"] == 2)
        }
        let decision = try close(experiment)
        #expect(decision.answer == status)
        let closed = try #require(evolve(experiment, decision.events[0]))
        #expect(closed.status == status && closed.closedAt == World.start)
        // It is over: nothing changes it, closes it or joins it any more.
        #expect(reason { _ = try close(closed) } == .experimentNotOpen)
        #expect(
            reason { _ = try ExperimentDecider.update(closed, UpdateExperiment(title: "x"), world.facts()) }
                == .experimentNotOpen)
        #expect(reason { try ExperimentDecider.admit(closed, runIn: "room_1") } == .experimentNotOpen)
    }

    @Test("A run joins an open experiment of its room, or one without a room")
    func admission() throws {
        var experiment = try experiment()
        #expect(reason { try ExperimentDecider.admit(experiment, runIn: "room_1") } == nil)
        #expect(reason { try ExperimentDecider.admit(experiment, runIn: "room_2") } == .experimentRoomMismatch)
        experiment.roomID = nil
        #expect(reason { try ExperimentDecider.admit(experiment, runIn: "room_2") } == nil)
    }
}
