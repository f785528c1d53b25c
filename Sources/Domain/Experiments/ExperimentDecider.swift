import JSON
package import Shared

/// Experiments: opened, changed while they are open, and closed once.
package enum ExperimentDecider {
    package static func create(
        _ id: ExperimentID, _ request: CreateExperiment, in workspace: WorkspaceID, correlationID: String,
        _ facts: CommandFacts
    ) throws(Rejection) -> EventDraft {
        let title = try Limits.require(request.title, "title", bytesMax: Limits.titleBytesMax, .missingTitle)
        let hypothesis = try Limits.require(
            request.hypothesis, "hypothesis", bytesMax: Limits.textBytesMax, .missingHypothesis)
        guard let budget = try checked(budget: request.budgetCapUnits) else {
            throw .field(
                "budget_cap_units", .invalidBudgetCapUnits, "budget_cap_units is required: a whole number from 0 on")
        }
        guard let tier = try checked(tier: request.riskTier) else {
            throw .field("risk_tier", .invalidRiskTier, "risk_tier is required: low, medium or high")
        }
        let created = ExperimentCreated(
            experimentID: id, title: title, hypothesis: hypothesis, successCriteria: request.successCriteria ?? [:],
            stopConditions: request.stopConditions ?? [:], budgetCapUnits: budget, riskTier: tier,
            metadata: request.metadata ?? [:])
        let scope = EventScope(workspaceID: workspace, roomID: request.roomID, correlationID: correlationID)
        return EventDraft(.experiment(.created(created)), in: scope, by: facts.actor)
    }

    /// - Returns: Nil when nothing would be different: then there is nothing to record.
    package static func update(
        _ experiment: Experiment, _ request: UpdateExperiment, _ facts: CommandFacts
    ) throws(Rejection) -> EventDraft? {
        try requireOpen(experiment)
        try Limits.check(request.title, "title", bytesMax: Limits.titleBytesMax)
        try Limits.check(request.hypothesis, "hypothesis", bytesMax: Limits.textBytesMax)
        let unchanged = ExperimentUpdated(experimentID: experiment.experimentID)
        var updated = unchanged
        updated.title = changed(Limits.trimmed(request.title), from: experiment.title)
        updated.hypothesis = changed(Limits.trimmed(request.hypothesis), from: experiment.hypothesis)
        updated.successCriteria = changed(filled(request.successCriteria), from: experiment.successCriteria)
        updated.stopConditions = changed(filled(request.stopConditions), from: experiment.stopConditions)
        updated.budgetCapUnits = changed(try checked(budget: request.budgetCapUnits), from: experiment.budgetCapUnits)
        updated.riskTier = changed(try checked(tier: request.riskTier), from: experiment.riskTier)
        updated.metadata = changed(filled(request.metadata), from: experiment.metadata)
        return updated == unchanged ? nil : draft(.updated(updated), experiment, facts)
    }

    /// Runs that are still going are left alone: whoever forces the end cancels them, or lets them finish.
    package static func close(
        _ experiment: Experiment, _ request: CloseExperiment, activeRunCount: Int64, _ facts: CommandFacts
    ) throws(Rejection) -> Decision<ExperimentStatus> {
        try requireOpen(experiment)
        try Limits.check(request.reason, "reason", bytesMax: Limits.textBytesMax)
        let force = request.force ?? false
        guard activeRunCount == 0 || force else {
            throw Rejection(
                .experimentHasActiveRuns,
                "\(activeRunCount) of the experiment's runs have not ended: wait, cancel them, or send force",
                details: ["active_run_count": .integer(activeRunCount)])
        }
        let status: ExperimentStatus = activeRunCount == 0 ? .closed : .stopped
        let closed = ExperimentClosed(
            experimentID: experiment.experimentID, status: status, reason: Limits.trimmed(request.reason), force: force,
            activeRunCount: activeRunCount)
        return Decision([draft(.closed(closed), experiment, facts)], status)
    }

    /// Whether a run in this room may become part of the experiment.
    package static func admit(_ experiment: Experiment, runIn room: RoomID) throws(Rejection) {
        try requireOpen(experiment)
        if let own = experiment.roomID, own != room {
            throw Rejection(
                .experimentRoomMismatch, "the experiment belongs to room \(own): its runs are made there",
                details: ["field": "experiment_id", "room_id": .string(own.rawValue)])
        }
    }

    private static func requireOpen(_ experiment: Experiment) throws(Rejection) {
        guard experiment.status == .open else {
            throw Rejection(
                .experimentNotOpen, "the experiment is \(experiment.status.rawValue)",
                details: ["status": .string(experiment.status.rawValue)])
        }
    }

    private static func checked(budget: Int64?) throws(Rejection) -> Int64? {
        guard let budget, !Experiment.budgetRange.contains(budget) else { return budget }
        throw .field(
            "budget_cap_units", .invalidBudgetCapUnits,
            "budget_cap_units: expected a whole number from 0 on, found \(budget)")
    }

    private static func checked(tier: String?) throws(Rejection) -> RiskTier? {
        guard let tier else { return nil }
        guard let known = RiskTier(rawValue: tier) else {
            throw .field(
                "risk_tier", .invalidRiskTier, "risk_tier: expected low, medium or high, found '\(tier.prefix(100))'")
        }
        return known
    }

    private static func filled(_ object: JSONValue?) -> JSONValue? {
        object == .null || object == [:] ? nil : object
    }

    private static func changed<Value: Equatable>(_ new: Value?, from old: Value) -> Value? { new == old ? nil : new }

    private static func draft(_ event: ExperimentEvent, _ experiment: Experiment, _ facts: CommandFacts) -> EventDraft {
        EventDraft(.experiment(event), in: experiment.eventScope, by: facts.actor, causedBy: experiment.lastEventID)
    }

    // MARK: The fold

    package static func evolve(_ experiment: Experiment?, _ recorded: Recorded<ExperimentEvent>) -> Experiment? {
        let envelope = recorded.envelope
        if case .created(let created) = recorded.event {
            var experiment = Experiment(
                experimentID: created.experimentID, workspaceID: envelope.workspaceID, title: created.title,
                hypothesis: created.hypothesis, by: envelope.actor, correlationID: envelope.correlationID,
                at: recorded.at)
            experiment.roomID = envelope.roomID
            experiment.successCriteria = created.successCriteria ?? [:]
            experiment.stopConditions = created.stopConditions ?? [:]
            (experiment.budgetCapUnits, experiment.riskTier) = (created.budgetCapUnits, created.riskTier)
            (experiment.metadata, experiment.lastEventID) = (created.metadata ?? [:], envelope.eventID)
            return experiment
        }
        guard var experiment else { return nil }
        (experiment.updatedAt, experiment.lastEventID) = (recorded.at, envelope.eventID)
        switch recorded.event {
        case .created: break
        case .updated(let updated):
            experiment.title = updated.title ?? experiment.title
            experiment.hypothesis = updated.hypothesis ?? experiment.hypothesis
            experiment.successCriteria = updated.successCriteria ?? experiment.successCriteria
            experiment.stopConditions = updated.stopConditions ?? experiment.stopConditions
            experiment.budgetCapUnits = updated.budgetCapUnits ?? experiment.budgetCapUnits
            experiment.riskTier = updated.riskTier ?? experiment.riskTier
            experiment.metadata = updated.metadata ?? experiment.metadata
        case .closed(let closed):
            (experiment.status, experiment.closedAt) = (closed.status, recorded.at)
        }
        return experiment
    }
}

extension Experiment {
    package var eventScope: EventScope {
        EventScope(workspaceID: workspaceID, roomID: roomID, correlationID: correlationID)
    }
}

extension ExperimentEvent {
    /// The experiment it is about.
    package var experimentID: ExperimentID {
        switch self {
        case .created(let event): event.experimentID
        case .updated(let event): event.experimentID
        case .closed(let event): event.experimentID
        }
    }
}
