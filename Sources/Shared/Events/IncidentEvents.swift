package import JSON

/// All that can happen to an incident.
package enum IncidentEvent: EventFamily {
    case opened(IncidentOpened)
    case rcaUpdated(IncidentRCAUpdated)
    case learningLogged(IncidentLearningLogged)
    case closed(IncidentClosed)

    package static let members: [EventMember<IncidentEvent>] = [
        .init(IncidentEvent.opened), .init(IncidentEvent.rcaUpdated), .init(IncidentEvent.learningLogged),
        .init(IncidentEvent.closed),
    ]

    package var payload: any EventPayload {
        switch self {
        case .opened(let payload): payload
        case .rcaUpdated(let payload): payload
        case .learningLogged(let payload): payload
        case .closed(let payload): payload
        }
    }

    package var incidentID: IncidentID {
        switch self {
        case .opened(let event): event.incidentID
        case .rcaUpdated(let event): event.incidentID
        case .learningLogged(let event): event.incidentID
        case .closed(let event): event.incidentID
        }
    }
}

/// Something went wrong and has to be understood.
package struct IncidentOpened: EventPayload {
    package static let type = "incident.opened"

    package var incidentID: IncidentID
    package var category: String?
    package var title: String
    package var summary: String?
    package var severity: IncidentSeverity?
    package var runID: RunID?
    package var entityType: String?
    package var entityID: String?
    package var details: JSONValue?

    package init(
        incidentID: IncidentID, category: String? = nil, title: String, summary: String? = nil,
        severity: IncidentSeverity? = nil, runID: RunID? = nil, entityType: String? = nil, entityID: String? = nil,
        details: JSONValue? = nil
    ) {
        self.incidentID = incidentID
        self.category = category
        self.title = title
        self.summary = summary
        self.severity = severity
        self.runID = runID
        self.entityType = entityType
        self.entityID = entityID
        self.details = details
    }
}

/// The root cause analysis, which replaces the one before.
package struct IncidentRCAUpdated: EventPayload {
    package static let type = "incident.rca.updated"

    package var incidentID: IncidentID
    package var rca: JSONValue

    package init(incidentID: IncidentID, rca: JSONValue) {
        self.incidentID = incidentID
        self.rca = rca
    }
}

/// What was learned from it.
package struct IncidentLearningLogged: EventPayload {
    package static let type = "incident.learning.logged"

    package var incidentID: IncidentID
    package var learningID: LearningID
    package var note: String
    package var tags: [String]

    package init(incidentID: IncidentID, learningID: LearningID, note: String, tags: [String]) {
        self.incidentID = incidentID
        self.learningID = learningID
        self.note = note
        self.tags = tags
    }
}

/// It is understood, and closed.
package struct IncidentClosed: EventPayload {
    package static let type = "incident.closed"

    package var incidentID: IncidentID
    package var reason: String?

    package init(incidentID: IncidentID, reason: String? = nil) {
        self.incidentID = incidentID
        self.reason = reason
    }
}
