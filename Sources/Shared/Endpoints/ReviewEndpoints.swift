import HTTP
package import JSON

// Scorecards and lessons: how work was judged, and what was learned from it.

extension Endpoint where Body == RecordScorecard, Answer == ScorecardRecordedAnswer {
    package static var recordScorecard: Self {
        .init(
            .post, "/v1/scorecards",
            "Records a judgement by measured values: the score is their weighted mean, 0.75 passes and 0.5 warns.",
            .created,
            refuses: [
                .actorClaimMismatch, .evidenceNotFound, .evidenceRunMismatch, .experimentNotFound, .invalidMetrics,
                .missingEvidenceForTemplate, .runNotFound,
            ],
            example: RecordScorecard(
                templateKey: "answer-quality", templateVersion: "1",
                metrics: [["key": "accuracy", "value": 0.9, "weight": 2], ["key": "brevity", "value": 0.5]],
                rationale: "Right, and a little long."))
    }
}

extension Endpoint where Body == Nothing, Answer == ScorecardList {
    package static var scorecards: Self {
        .init(
            .get, "/v1/scorecards", "Scorecards, newest first.",
            query: [
                .equals("experiment_id"), .equals("run_id"), .equals("agent_id"), .limit(50, max: 200), .cursor,
            ])
    }
}

extension Endpoint where Body == Nothing, Answer == ScorecardAnswer {
    package static var scorecard: Self {
        .init(.get, "/v1/scorecards/{scorecard_id}", "One scorecard.", refuses: [.scorecardNotFound])
    }
}

extension Endpoint where Body == LogLesson, Answer == LessonLoggedAnswer {
    package static var logLesson: Self {
        .init(
            .post, "/v1/lessons", "Keeps a lesson from an experiment, a run, a scorecard or an incident.", .created,
            refuses: [
                .actorClaimMismatch, .experimentNotFound, .incidentNotFound, .lessonContextRequired, .runNotFound,
                .scorecardNotFound,
            ],
            example: LogLesson(
                runID: ExampleIDs.run, category: "prompting", summary: "Ask for the source first.",
                actionItems: ["Change the template"], tags: ["prompts"]))
    }
}

extension Endpoint where Body == Nothing, Answer == LessonList {
    package static var lessons: Self {
        .init(
            .get, "/v1/lessons", "Lessons, newest first.",
            query: [
                .equals("experiment_id"), .equals("run_id"), .equals("scorecard_id"), .equals("incident_id"),
                .limit(50, max: 200), .cursor,
            ])
    }
}

extension Endpoint where Body == Nothing, Answer == LessonAnswer {
    package static var lesson: Self {
        .init(.get, "/v1/lessons/{lesson_id}", "One lesson.", refuses: [.lessonNotFound])
    }
}

/// A judgement to record. Evidence says which run is judged; a run that is named as well must be the same.
package struct RecordScorecard: Codable, Hashable, Sendable, RuledBody {
    package var experimentID: ExperimentID?
    package var runID: RunID?
    package var evidenceID: EvidenceID?
    /// Whom it judges. Kept as it is: this release has no registry of agents.
    package var agentID: String?
    /// The principal it judges, not the one who records it. Kept as it is.
    package var principalID: String?
    package var templateKey: String?
    package var templateVersion: String?
    /// `{key, value, weight}`, each key once; a weight is 1 if it is not given.
    package var metrics: JSONValue?
    /// Whether the template is worth nothing without evidence; `metadata.justification` may stand in for it.
    package var requiresEvidence: Bool?
    package var rationale: String?
    package var metadata: JSONValue?
    package var correlationID: String?
    package var actorType: String?
    package var actorID: String?

    package static let metricsMax = 100

    package static let rules: [FieldRule] = [
        .required("template_key", .missingTemplateKey, bytesMax: Limits.nameBytesMax),
        .required("template_version", .missingTemplateVersion, bytesMax: Limits.nameBytesMax),
        .text("agent_id", bytesMax: Limits.nameBytesMax), .text("principal_id", bytesMax: Limits.nameBytesMax),
        .text("rationale", bytesMax: Limits.textBytesMax), .object("metadata"),
        .text("correlation_id", bytesMax: Limits.nameBytesMax),
    ]

    package init(
        experimentID: ExperimentID? = nil, runID: RunID? = nil, evidenceID: EvidenceID? = nil, agentID: String? = nil,
        principalID: String? = nil, templateKey: String? = nil, templateVersion: String? = nil,
        metrics: JSONValue? = nil, requiresEvidence: Bool? = nil, rationale: String? = nil, metadata: JSONValue? = nil,
        correlationID: String? = nil, actorType: String? = nil, actorID: String? = nil
    ) {
        (self.experimentID, self.runID, self.evidenceID) = (experimentID, runID, evidenceID)
        (self.agentID, self.principalID) = (agentID, principalID)
        (self.templateKey, self.templateVersion, self.metrics) = (templateKey, templateVersion, metrics)
        (self.requiresEvidence, self.rationale, self.metadata) = (requiresEvidence, rationale, metadata)
        (self.correlationID, self.actorType, self.actorID) = (correlationID, actorType, actorID)
    }
}

/// The new scorecard.
package struct ScorecardRecordedAnswer: Codable, Hashable, Sendable {
    package var scorecardID: ScorecardID

    package init(scorecardID: ScorecardID) {
        self.scorecardID = scorecardID
    }
}

/// Scorecards, newest first.
package struct ScorecardList: PagedAnswer, Codable, Hashable, Sendable {
    package var scorecards: [Scorecard]
    package var nextCursor: String?

    package init(scorecards: [Scorecard], nextCursor: String? = nil) {
        (self.scorecards, self.nextCursor) = (scorecards, nextCursor)
    }
}

/// One scorecard.
package struct ScorecardAnswer: Codable, Hashable, Sendable {
    package var scorecard: Scorecard

    package init(scorecard: Scorecard) {
        self.scorecard = scorecard
    }
}

/// A lesson to keep: it comes from at least one of an experiment, a run, a scorecard and an incident.
package struct LogLesson: Codable, Hashable, Sendable, RuledBody {
    package var experimentID: ExperimentID?
    package var runID: RunID?
    package var scorecardID: ScorecardID?
    package var incidentID: IncidentID?
    package var category: String?
    package var summary: String?
    package var actionItems: [String]?
    package var tags: [String]?
    package var metadata: JSONValue?
    package var correlationID: String?
    package var actorType: String?
    package var actorID: String?

    package static let actionItemsMax = 50

    package static let rules: [FieldRule] = [
        .required("category", .missingCategory, bytesMax: Limits.nameBytesMax),
        .required("summary", .missingSummary, bytesMax: Limits.textBytesMax),
        .list("action_items", itemsMax: actionItemsMax, bytesMax: Limits.titleBytesMax),
        .list("tags", itemsMax: Limits.tagsMax), .object("metadata"),
        .text("correlation_id", bytesMax: Limits.nameBytesMax),
    ]

    package init(
        experimentID: ExperimentID? = nil, runID: RunID? = nil, scorecardID: ScorecardID? = nil,
        incidentID: IncidentID? = nil, category: String? = nil, summary: String? = nil, actionItems: [String]? = nil,
        tags: [String]? = nil, metadata: JSONValue? = nil, correlationID: String? = nil, actorType: String? = nil,
        actorID: String? = nil
    ) {
        (self.experimentID, self.runID, self.scorecardID) = (experimentID, runID, scorecardID)
        (self.incidentID, self.category, self.summary) = (incidentID, category, summary)
        (self.actionItems, self.tags, self.metadata) = (actionItems, tags, metadata)
        (self.correlationID, self.actorType, self.actorID) = (correlationID, actorType, actorID)
    }
}

/// The new lesson.
package struct LessonLoggedAnswer: Codable, Hashable, Sendable {
    package var lessonID: LessonID

    package init(lessonID: LessonID) {
        self.lessonID = lessonID
    }
}

/// Lessons, newest first.
package struct LessonList: PagedAnswer, Codable, Hashable, Sendable {
    package var lessons: [Lesson]
    package var nextCursor: String?

    package init(lessons: [Lesson], nextCursor: String? = nil) {
        (self.lessons, self.nextCursor) = (lessons, nextCursor)
    }
}

/// One lesson.
package struct LessonAnswer: Codable, Hashable, Sendable {
    package var lesson: Lesson

    package init(lesson: Lesson) {
        self.lesson = lesson
    }
}
