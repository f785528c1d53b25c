package import JSON

/// What a scorecard's score comes to.
package enum ScorecardDecision: String, CaseIterable, Codable, Sendable { case pass, warn, fail }

/// One measured value of a scorecard, and how much it counts.
package struct ScorecardMetric: Hashable, Sendable, Codable {
    package var key: String
    package var value: Double
    package var weight: Double

    package init(key: String, value: Double, weight: Double = 1) {
        (self.key, self.value, self.weight) = (key, value, weight)
    }
}

/// A judgement of work by measured values. It is recorded once and never changes.
package struct Scorecard: Hashable, Sendable, Codable {
    package var scorecardID: ScorecardID
    package var workspaceID: WorkspaceID
    package var experimentID: ExperimentID?
    package var runID: RunID?
    package var evidenceID: EvidenceID?
    /// Whom it judges, in the words of who recorded it: this release has no registry of agents to check against.
    package var agentID: String?
    /// The same for the principal.
    package var principalID: String?
    package var templateKey: String
    package var templateVersion: String
    /// In the order of their keys.
    package var metrics: [ScorecardMetric]
    /// `sha256:` over the metrics as RFC 8785 JSON.
    package var metricsHash: String
    /// The weighted mean of the metrics, from 0 to 1.
    package var score: Double
    package var decision: ScorecardDecision
    package var rationale: String?
    package var metadata: JSONValue
    package var createdByType: ActorType
    package var createdByID: String
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var correlationID: String
    package var lastEventID: EventID?

    package init(
        scorecardID: ScorecardID, workspaceID: WorkspaceID, templateKey: String, templateVersion: String,
        by actor: Actor, correlationID: String, at time: Timestamp
    ) {
        (self.scorecardID, self.workspaceID) = (scorecardID, workspaceID)
        (self.templateKey, self.templateVersion) = (templateKey, templateVersion)
        (metrics, metricsHash, score, decision, metadata) = ([], "", 0, .fail, [:])
        (createdByType, createdByID, self.correlationID) = (actor.actorType, actor.actorID, correlationID)
        (createdAt, updatedAt) = (time, time)
    }
}

/// Something worth keeping for the next time. It is recorded once and never changes.
package struct Lesson: Hashable, Sendable, Codable {
    package var lessonID: LessonID
    package var workspaceID: WorkspaceID
    package var experimentID: ExperimentID?
    package var runID: RunID?
    package var scorecardID: ScorecardID?
    package var incidentID: IncidentID?
    package var category: String
    package var summary: String
    package var actionItems: [String]
    package var tags: [String]
    package var metadata: JSONValue
    package var createdByType: ActorType
    package var createdByID: String
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var correlationID: String
    package var lastEventID: EventID?

    package init(
        lessonID: LessonID, workspaceID: WorkspaceID, category: String, summary: String, by actor: Actor,
        correlationID: String, at time: Timestamp
    ) {
        (self.lessonID, self.workspaceID) = (lessonID, workspaceID)
        (self.category, self.summary, actionItems, tags, metadata) = (category, summary, [], [], [:])
        (createdByType, createdByID, self.correlationID) = (actor.actorType, actor.actorID, correlationID)
        (createdAt, updatedAt) = (time, time)
    }
}
