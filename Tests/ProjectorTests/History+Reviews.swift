import Crypto
import DatabaseCore
import Domain
import EventStore
import JSON
import Platform
import Shared

@testable import Projectors

// Experiments, scorecards and lessons in the random life.

extension Moment {
    func createExperiment() throws {
        let room = pick(try RoomTable.table.all(where: " ORDER BY room_id DESC LIMIT 4", in: transaction) + [nil])!
        let request = CreateExperiment(
            title: "Trial \(word)", hypothesis: "It is \(word)", successCriteria: pick([nil, ["score": 0.8]])!,
            budgetCapUnits: dice.integer(in: Experiment.budgetRange),
            riskTier: pick(RiskTier.allCases)?.rawValue, roomID: pick([nil, room?.roomID])!,
            metadata: pick([nil, ["word": .string(word)]])!)
        try record(
            ExperimentDecider.create(
                id(), request, in: room?.workspaceID ?? pick(Self.workspaces)!, correlationID: "c", facts))
    }

    func changeExperiment() throws {
        guard let experiment = pick(try latestExperiments()) else { return try createExperiment() }
        guard roll(3) == 0 else {
            let request = UpdateExperiment(
                title: pick([nil, "Trial \(word)"])!, stopConditions: pick([nil, [:], ["failures": 3]])!,
                budgetCapUnits: pick([nil, 7])!)
            if let draft = try ExperimentDecider.update(experiment, request, facts) { try record(draft) }
            return
        }
        let active = try RunTable.activeCount(of: experiment.experimentID, transaction)
        let request = CloseExperiment(reason: word, force: pick([nil, true])!)
        try record(ExperimentDecider.close(experiment, request, activeRunCount: active, facts).events)
    }

    func latestExperiments() throws -> [Experiment] {
        try ExperimentTable.table.all(where: " ORDER BY updated_at DESC LIMIT 5", in: transaction)
    }

    /// An open experiment that a run in the room may join.
    func experiment(for room: Room) throws -> ExperimentID? {
        let experiments = try latestExperiments().filter { experiment in
            experiment.workspaceID == room.workspaceID
                && (try? ExperimentDecider.admit(experiment, runIn: room.roomID)) != nil
        }
        return pick(experiments)?.experimentID
    }

    func recordScorecard() throws {
        let run = pick(try RunTable.table.all(where: " ORDER BY updated_at DESC LIMIT 6", in: transaction) + [nil])!
        let workspace = run?.workspaceID ?? pick(Self.workspaces)!
        let experiment = pick(try latestExperiments().filter { $0.workspaceID == workspace })
        let evidence = try run.flatMap { try EvidenceTable.find(of: $0.runID, in: workspace, transaction) }
        let metrics = try ScorecardDecider.metrics([
            ["key": "b", "value": .init(number: Double(roll(100)) / 100)],
            ["key": .string("a \(word)"), "value": .init(number: Double(roll(120)) / 100), "weight": 0.25],
        ])
        var request = RecordScorecard(
            experimentID: pick([nil, experiment?.experimentID])!, agentID: pick([nil, "ana"])!, templateKey: "quality",
            templateVersion: "1", rationale: word, metadata: pick([nil, ["word": .string(word)]])!)
        (request.runID, request.evidenceID) = (pick([run?.runID, nil])!, pick([evidence?.evidenceID, nil])!)
        try record(
            ScorecardDecider.record(
                id(), request, metrics: metrics, metricsHash: SHA256.text(ScorecardDecider.hashed(metrics)),
                evidenceRun: request.evidenceID == nil ? nil : evidence?.runID, in: workspace, correlationID: "c",
                facts))
    }

    func logLesson() throws {
        guard let card = pick(try ScorecardTable.table.all(where: " ORDER BY created_at DESC LIMIT 4", in: transaction))
        else { return try recordScorecard() }
        let request = LogLesson(
            experimentID: card.experimentID, runID: card.runID, scorecardID: card.scorecardID,
            category: pick(["prompting", ""]), summary: "Mind \(word)", actionItems: pick([nil, [word, "b"]])!,
            tags: pick([nil, ["x"]])!)
        try record(LessonDecider.log(id(), request, in: card.workspaceID, correlationID: "c", facts))
    }
}
