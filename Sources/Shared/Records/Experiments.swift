package import JSON

/// `stopped` when it was closed while runs of it were still going.
package enum ExperimentStatus: String, CaseIterable, Codable, Sendable { case open, closed, stopped }

package enum RiskTier: String, CaseIterable, Codable, Sendable { case low, medium, high }

/// A hypothesis, what would show it right or wrong, and what trying it may cost.
package struct Experiment: Hashable, Sendable, Codable {
    package var experimentID: ExperimentID
    package var workspaceID: WorkspaceID
    package var roomID: RoomID?
    package var status: ExperimentStatus
    package var title: String
    package var hypothesis: String
    package var successCriteria: JSONValue
    package var stopConditions: JSONValue
    /// In units that the workspace has agreed on, whole and not negative.
    package var budgetCapUnits: Int64
    package var riskTier: RiskTier
    package var metadata: JSONValue
    package var createdByType: ActorType
    package var createdByID: String
    package var createdAt: Timestamp
    package var closedAt: Timestamp?
    package var updatedAt: Timestamp
    package var correlationID: String
    package var lastEventID: EventID?

    package init(
        experimentID: ExperimentID, workspaceID: WorkspaceID, title: String, hypothesis: String, by actor: Actor,
        correlationID: String, at time: Timestamp
    ) {
        (self.experimentID, self.workspaceID, status) = (experimentID, workspaceID, .open)
        (self.title, self.hypothesis, successCriteria, stopConditions) = (title, hypothesis, [:], [:])
        (budgetCapUnits, riskTier, metadata) = (0, .low, [:])
        (createdByType, createdByID, self.correlationID) = (actor.actorType, actor.actorID, correlationID)
        (createdAt, updatedAt) = (time, time)
    }
}
