package import JSON

/// All that can happen to an experiment.
package enum ExperimentEvent: EventFamily {
    case created(ExperimentCreated)
    case updated(ExperimentUpdated)
    case closed(ExperimentClosed)

    package static let members: [EventMember<ExperimentEvent>] = [
        .init(ExperimentEvent.created), .init(ExperimentEvent.updated), .init(ExperimentEvent.closed),
    ]

    package var payload: any EventPayload {
        switch self {
        case .created(let payload): payload
        case .updated(let payload): payload
        case .closed(let payload): payload
        }
    }
}

/// A hypothesis to be tried within a budget.
package struct ExperimentCreated: EventPayload {
    package static let type = "experiment.created"

    package var experimentID: ExperimentID
    package var title: String
    package var hypothesis: String
    package var successCriteria: JSONValue?
    package var stopConditions: JSONValue?
    package var budgetCapUnits: Int64
    package var riskTier: RiskTier
    package var metadata: JSONValue?

    package init(
        experimentID: ExperimentID, title: String, hypothesis: String, successCriteria: JSONValue? = nil,
        stopConditions: JSONValue? = nil, budgetCapUnits: Int64, riskTier: RiskTier, metadata: JSONValue? = nil
    ) {
        self.experimentID = experimentID
        self.title = title
        self.hypothesis = hypothesis
        self.successCriteria = successCriteria
        self.stopConditions = stopConditions
        self.budgetCapUnits = budgetCapUnits
        self.riskTier = riskTier
        self.metadata = metadata
    }
}

/// What of it was changed; nil is unchanged.
package struct ExperimentUpdated: EventPayload {
    package static let type = "experiment.updated"

    package var experimentID: ExperimentID
    package var title: String?
    package var hypothesis: String?
    package var successCriteria: JSONValue?
    package var stopConditions: JSONValue?
    package var budgetCapUnits: Int64?
    package var riskTier: RiskTier?
    package var metadata: JSONValue?

    package init(
        experimentID: ExperimentID, title: String? = nil, hypothesis: String? = nil, successCriteria: JSONValue? = nil,
        stopConditions: JSONValue? = nil, budgetCapUnits: Int64? = nil, riskTier: RiskTier? = nil,
        metadata: JSONValue? = nil
    ) {
        self.experimentID = experimentID
        self.title = title
        self.hypothesis = hypothesis
        self.successCriteria = successCriteria
        self.stopConditions = stopConditions
        self.budgetCapUnits = budgetCapUnits
        self.riskTier = riskTier
        self.metadata = metadata
    }
}

/// It is over; `stopped` when runs of it were still going.
package struct ExperimentClosed: EventPayload {
    package static let type = "experiment.closed"

    package var experimentID: ExperimentID
    package var status: ExperimentStatus
    package var reason: String?
    package var force: Bool
    package var activeRunCount: Int64

    package init(
        experimentID: ExperimentID, status: ExperimentStatus, reason: String? = nil, force: Bool, activeRunCount: Int64
    ) {
        self.experimentID = experimentID
        self.status = status
        self.reason = reason
        self.force = force
        self.activeRunCount = activeRunCount
    }
}
