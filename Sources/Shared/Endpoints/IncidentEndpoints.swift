import HTTP
package import JSON

// Incidents: opened by people and by the system, understood, learned from, closed.

extension Endpoint where Body == OpenIncident, Answer == IncidentOpenedAnswer {
    package static var openIncident: Self {
        .init(
            .post, "/v1/incidents",
            "Opens an incident; the same idempotency_key on the same stream is answered 200 with the first one.",
            .created, also: [.ok],
            refuses: [
                .actorClaimMismatch, .idempotencyConflict, .missingTitle, .roomNotFound, .runNotFound,
                .runRoomMismatch, .runThreadMismatch, .threadNotFound,
            ], example: OpenIncident(title: "Report went out twice", severity: "high", category: "quality"))
    }
}

extension Endpoint where Body == Nothing, Answer == IncidentList {
    package static var incidents: Self {
        .init(
            .get, "/v1/incidents", "Incidents, newest change first.",
            query: [
                .choice("status", IncidentStatus.self, "Only those in this state.", .invalidStatus),
                .choice("severity", IncidentSeverity.self, "Only those of this severity.", .invalidSeverity),
                .equals("category"), .equals("room_id"), .equals("run_id"), .limit(50, max: 200), .cursor,
            ])
    }
}

extension Endpoint where Body == Nothing, Answer == IncidentAnswer {
    package static var incident: Self {
        .init(
            .get, "/v1/incidents/{incident_id}", "One incident, and what was learned from it.",
            refuses: [.incidentNotFound])
    }
}

extension Endpoint where Body == UpdateRCA, Answer == Done {
    package static var updateRCA: Self {
        .init(
            .post, "/v1/incidents/{incident_id}/rca", "Writes the root cause analysis, in the place of an earlier one.",
            refuses: [.actorClaimMismatch, .incidentNotFound, .incidentClosed, .missingRCAPayload],
            example: UpdateRCA(summary: "The retry did not check whether the first call had arrived"))
    }
}

extension Endpoint where Body == LogLearning, Answer == LearningLoggedAnswer {
    package static var logLearning: Self {
        .init(
            .post, "/v1/incidents/{incident_id}/learning", "Keeps something that was learned.", .created,
            refuses: [.actorClaimMismatch, .incidentNotFound, .incidentClosed],
            example: LogLearning(note: "Ask for the outcome before trying again", tags: ["retries"]))
    }
}

extension Endpoint where Body == CloseIncident, Answer == Done {
    package static var closeIncident: Self {
        .init(
            .post, "/v1/incidents/{incident_id}/close",
            "Closes an incident that has a root cause and at least one learning.",
            refuses: [
                .actorClaimMismatch, .incidentNotFound, .incidentAlreadyClosed, .incidentCloseBlockedMissingRCA,
                .incidentCloseBlockedMissingLearning,
            ], example: CloseIncident(reason: "Fixed and tested"))
    }
}

/// What went wrong.
package struct OpenIncident: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .text("title", bytesMax: Limits.titleBytesMax),
        .text("summary", bytesMax: Limits.textBytesMax),
        .choice("severity", IncidentSeverity.words, .invalidSeverity),
        .text("category", bytesMax: Limits.nameBytesMax),
        .object("details"),
        .text("entity_type", bytesMax: Limits.nameBytesMax),
        .text("entity_id", bytesMax: Limits.nameBytesMax),
        .text("correlation_id", bytesMax: Limits.nameBytesMax),
        .text("idempotency_key", bytesMax: Limits.nameBytesMax, .invalidIdempotencyKey),
    ]

    package var title: String?
    package var summary: String?
    package var severity: String?
    package var category: String?
    package var details: JSONValue?
    package var entityType: String?
    package var entityID: String?
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var runID: RunID?
    package var correlationID: String?
    package var idempotencyKey: String?
    package var actorType: String?
    package var actorID: String?

    package init(
        title: String? = nil, summary: String? = nil, severity: String? = nil, category: String? = nil,
        details: JSONValue? = nil, entityType: String? = nil, entityID: String? = nil, roomID: RoomID? = nil,
        threadID: ThreadID? = nil, runID: RunID? = nil, correlationID: String? = nil, idempotencyKey: String? = nil,
        actorType: String? = nil, actorID: String? = nil
    ) {
        (self.title, self.summary, self.severity, self.category) = (title, summary, severity, category)
        (self.details, self.entityType, self.entityID) = (details, entityType, entityID)
        (self.roomID, self.threadID, self.runID) = (roomID, threadID, runID)
        (self.correlationID, self.idempotencyKey) = (correlationID, idempotencyKey)
        (self.actorType, self.actorID) = (actorType, actorID)
    }
}

/// The incident that was opened, now or when the key was used first.
package struct IncidentOpenedAnswer: Codable, Hashable, Sendable {
    package var incidentID: IncidentID
    package var deduped: Bool

    package init(incidentID: IncidentID, deduped: Bool) {
        (self.incidentID, self.deduped) = (incidentID, deduped)
    }
}

/// Incidents, newest change first.
package struct IncidentList: Codable, Hashable, Sendable {
    package var incidents: [Incident]
    package var nextCursor: String?

    package init(incidents: [Incident], nextCursor: String? = nil) {
        (self.incidents, self.nextCursor) = (incidents, nextCursor)
    }
}

/// One incident, with what was learned from it, oldest first.
package struct IncidentAnswer: Codable, Hashable, Sendable {
    package var incident: Incident
    package var learning: [IncidentLearning]

    package init(incident: Incident, learning: [IncidentLearning]) {
        (self.incident, self.learning) = (incident, learning)
    }
}

/// Why it went wrong: a sentence, an object, or both.
package struct UpdateRCA: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .text("summary", bytesMax: Limits.textBytesMax),
        .object("analysis"),
    ]

    package var summary: String?
    package var analysis: JSONValue?
    package var actorType: String?
    package var actorID: String?

    package init(
        summary: String? = nil, analysis: JSONValue? = nil, actorType: String? = nil, actorID: String? = nil
    ) {
        (self.summary, self.analysis, self.actorType, self.actorID) = (summary, analysis, actorType, actorID)
    }
}

/// What was learned.
package struct LogLearning: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .required("note", .missingNote, bytesMax: Limits.textBytesMax),
        .list("tags", itemsMax: Limits.tagsMax),
    ]

    package var note: String?
    package var tags: [String]?
    package var actorType: String?
    package var actorID: String?

    package init(note: String? = nil, tags: [String]? = nil, actorType: String? = nil, actorID: String? = nil) {
        (self.note, self.tags, self.actorType, self.actorID) = (note, tags, actorType, actorID)
    }
}

package struct LearningLoggedAnswer: Codable, Hashable, Sendable {
    package var learningID: LearningID

    package init(learningID: LearningID) {
        self.learningID = learningID
    }
}

/// It is understood.
package struct CloseIncident: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [.text("reason", bytesMax: Limits.textBytesMax)]

    package var reason: String?
    package var actorType: String?
    package var actorID: String?

    package init(reason: String? = nil, actorType: String? = nil, actorID: String? = nil) {
        (self.reason, self.actorType, self.actorID) = (reason, actorType, actorID)
    }
}
