import HTTP
package import JSON

// Experiments.

extension Endpoint where Body == CreateExperiment, Answer == ExperimentCreatedAnswer {
    package static var createExperiment: Self {
        .init(
            .post, "/v1/experiments", "Opens an experiment, which runs can then be part of.", .created,
            refuses: [.actorClaimMismatch, .roomNotFound],
            example: CreateExperiment(
                title: "Shorter prompts", hypothesis: "Half the words give the same answers.",
                successCriteria: ["score": 0.8], budgetCapUnits: 100, riskTier: "low"))
    }
}

extension Endpoint where Body == Nothing, Answer == ExperimentList {
    package static var experiments: Self {
        .init(
            .get, "/v1/experiments", "Experiments, newest change first.",
            query: [
                .equals("room_id"),
                .choice("status", ExperimentStatus.self, "Only those in this state.", .invalidStatus),
                .limit(50, max: 200), .cursor,
            ])
    }
}

extension Endpoint where Body == Nothing, Answer == ExperimentAnswer {
    package static var experiment: Self {
        .init(.get, "/v1/experiments/{experiment_id}", "One experiment.", refuses: [.experimentNotFound])
    }
}

extension Endpoint where Body == UpdateExperiment, Answer == Done {
    package static var updateExperiment: Self {
        .init(
            .post, "/v1/experiments/{experiment_id}/update",
            "Changes an open experiment; what is not said, blank or an empty object stays as it is.",
            refuses: [.actorClaimMismatch, .experimentNotFound, .experimentNotOpen],
            example: UpdateExperiment(title: "Much shorter prompts", budgetCapUnits: 200))
    }
}

extension Endpoint where Body == CloseExperiment, Answer == ExperimentClosedAnswer {
    package static var closeExperiment: Self {
        .init(
            .post, "/v1/experiments/{experiment_id}/close",
            "Ends an experiment. With `force` also over runs that are still going, which go on; then it is `stopped`.",
            refuses: [.actorClaimMismatch, .experimentHasActiveRuns, .experimentNotFound, .experimentNotOpen],
            example: CloseExperiment(reason: "The answer is in.", force: true))
    }
}

/// An experiment to open.
package struct CreateExperiment: Codable, Hashable, Sendable, RuledBody {
    package var title: String?
    package var hypothesis: String?
    package var successCriteria: JSONValue?
    package var stopConditions: JSONValue?
    package var budgetCapUnits: Int64?
    package var riskTier: String?
    package var roomID: RoomID?
    package var metadata: JSONValue?
    package var correlationID: String?
    package var actorType: String?
    package var actorID: String?

    package static let rules: [FieldRule] = [
        .required("title", .missingTitle, bytesMax: Limits.titleBytesMax),
        .required("hypothesis", .missingHypothesis, bytesMax: Limits.textBytesMax),
        .integer(
            "budget_cap_units", Experiment.budgetRange, .invalidBudgetCapUnits, missing: .invalidBudgetCapUnits),
        .choice("risk_tier", RiskTier.allCases.map(\.rawValue), .invalidRiskTier, missing: .invalidRiskTier),
        .object("success_criteria"), .object("stop_conditions"), .object("metadata"),
        .text("correlation_id", bytesMax: Limits.nameBytesMax),
    ]

    package init(
        title: String? = nil, hypothesis: String? = nil, successCriteria: JSONValue? = nil,
        stopConditions: JSONValue? = nil, budgetCapUnits: Int64? = nil, riskTier: String? = nil, roomID: RoomID? = nil,
        metadata: JSONValue? = nil, correlationID: String? = nil, actorType: String? = nil, actorID: String? = nil
    ) {
        (self.title, self.hypothesis, self.successCriteria) = (title, hypothesis, successCriteria)
        (self.stopConditions, self.budgetCapUnits, self.riskTier) = (stopConditions, budgetCapUnits, riskTier)
        (self.roomID, self.metadata, self.correlationID) = (roomID, metadata, correlationID)
        (self.actorType, self.actorID) = (actorType, actorID)
    }
}

extension Experiment {
    /// From nothing to the largest integer that every JSON implementation reads alike.
    package static let budgetRange: ClosedRange<Int64> = 0...9_007_199_254_740_991
}

/// The new experiment.
package struct ExperimentCreatedAnswer: Codable, Hashable, Sendable {
    package var experimentID: ExperimentID

    package init(experimentID: ExperimentID) {
        self.experimentID = experimentID
    }
}

/// Experiments, newest change first.
package struct ExperimentList: PagedAnswer, Codable, Hashable, Sendable {
    package var experiments: [Experiment]
    package var nextCursor: String?

    package init(experiments: [Experiment], nextCursor: String? = nil) {
        (self.experiments, self.nextCursor) = (experiments, nextCursor)
    }
}

/// One experiment.
package struct ExperimentAnswer: Codable, Hashable, Sendable {
    package var experiment: Experiment

    package init(experiment: Experiment) {
        self.experiment = experiment
    }
}

/// What shall be different about an experiment.
package struct UpdateExperiment: Codable, Hashable, Sendable, RuledBody {
    package var title: String?
    package var hypothesis: String?
    package var successCriteria: JSONValue?
    package var stopConditions: JSONValue?
    package var budgetCapUnits: Int64?
    package var riskTier: String?
    package var metadata: JSONValue?
    package var actorType: String?
    package var actorID: String?

    package static let rules: [FieldRule] = [
        .text("title", bytesMax: Limits.titleBytesMax), .text("hypothesis", bytesMax: Limits.textBytesMax),
        .integer("budget_cap_units", Experiment.budgetRange, .invalidBudgetCapUnits),
        .choice("risk_tier", RiskTier.allCases.map(\.rawValue), .invalidRiskTier),
        .object("success_criteria"), .object("stop_conditions"), .object("metadata"),
    ]

    package init(
        title: String? = nil, hypothesis: String? = nil, successCriteria: JSONValue? = nil,
        stopConditions: JSONValue? = nil, budgetCapUnits: Int64? = nil, riskTier: String? = nil,
        metadata: JSONValue? = nil, actorType: String? = nil, actorID: String? = nil
    ) {
        (self.title, self.hypothesis, self.successCriteria) = (title, hypothesis, successCriteria)
        (self.stopConditions, self.budgetCapUnits, self.riskTier) = (stopConditions, budgetCapUnits, riskTier)
        (self.metadata, self.actorType, self.actorID) = (metadata, actorType, actorID)
    }
}

/// The end of an experiment.
package struct CloseExperiment: Codable, Hashable, Sendable, RuledBody {
    package var reason: String?
    package var force: Bool?
    package var actorType: String?
    package var actorID: String?

    package static let rules: [FieldRule] = [.text("reason", bytesMax: Limits.textBytesMax)]

    package init(
        reason: String? = nil, force: Bool? = nil, actorType: String? = nil, actorID: String? = nil
    ) {
        (self.reason, self.force, self.actorType, self.actorID) = (reason, force, actorType, actorID)
    }
}

/// How the experiment ended.
package struct ExperimentClosedAnswer: Codable, Hashable, Sendable {
    package var ok: Bool
    package var status: ExperimentStatus
    /// How many runs of it are still going.
    package var activeRunCount: Int64

    package init(ok: Bool, status: ExperimentStatus, activeRunCount: Int64) {
        (self.ok, self.status, self.activeRunCount) = (ok, status, activeRunCount)
    }
}
