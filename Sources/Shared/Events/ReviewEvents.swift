package import JSON

/// How work was judged, and what was learned from it.
package enum ReviewEvent: EventFamily {
    case scorecardRecorded(ScorecardRecorded)
    case lessonLogged(LessonLogged)

    package static let members: [EventMember<ReviewEvent>] = [
        .init(ReviewEvent.scorecardRecorded), .init(ReviewEvent.lessonLogged),
    ]

    package var payload: any EventPayload {
        switch self {
        case .scorecardRecorded(let payload): payload
        case .lessonLogged(let payload): payload
        }
    }
}

/// A judgement by measured values.
package struct ScorecardRecorded: EventPayload {
    package static let type = "scorecard.recorded"

    package var scorecardID: ScorecardID
    package var experimentID: ExperimentID?
    package var runID: RunID?
    package var evidenceID: EvidenceID?
    package var agentID: String?
    package var principalID: String?
    package var templateKey: String
    package var templateVersion: String
    /// In the order of their keys.
    package var metrics: [ScorecardMetric]
    package var metricsHash: String
    package var score: Double
    package var decision: ScorecardDecision
    package var rationale: String?
    package var metadata: JSONValue?

    package init(
        scorecardID: ScorecardID, experimentID: ExperimentID? = nil, runID: RunID? = nil, evidenceID: EvidenceID? = nil,
        agentID: String? = nil, principalID: String? = nil, templateKey: String, templateVersion: String,
        metrics: [ScorecardMetric], metricsHash: String, score: Double, decision: ScorecardDecision,
        rationale: String? = nil,
        metadata: JSONValue? = nil
    ) {
        self.scorecardID = scorecardID
        self.experimentID = experimentID
        self.runID = runID
        self.evidenceID = evidenceID
        self.agentID = agentID
        self.principalID = principalID
        self.templateKey = templateKey
        self.templateVersion = templateVersion
        self.metrics = metrics
        self.metricsHash = metricsHash
        self.score = score
        self.decision = decision
        self.rationale = rationale
        self.metadata = metadata
    }
}

/// Something worth keeping for the next time.
package struct LessonLogged: EventPayload {
    package static let type = "lesson.logged"

    package var lessonID: LessonID
    package var experimentID: ExperimentID?
    package var runID: RunID?
    package var scorecardID: ScorecardID?
    package var incidentID: IncidentID?
    package var category: String
    package var summary: String
    package var actionItems: [String]?
    package var tags: [String]?
    package var metadata: JSONValue?

    package init(
        lessonID: LessonID, experimentID: ExperimentID? = nil, runID: RunID? = nil, scorecardID: ScorecardID? = nil,
        incidentID: IncidentID? = nil, category: String, summary: String, actionItems: [String]? = nil,
        tags: [String]? = nil, metadata: JSONValue? = nil
    ) {
        self.lessonID = lessonID
        self.experimentID = experimentID
        self.runID = runID
        self.scorecardID = scorecardID
        self.incidentID = incidentID
        self.category = category
        self.summary = summary
        self.actionItems = actionItems
        self.tags = tags
        self.metadata = metadata
    }
}
