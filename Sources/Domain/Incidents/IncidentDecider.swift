import JSON
package import Shared

/// What somebody says went wrong, checked.
package struct IncidentReport: Sendable {
    package var title: String
    package var severity: IncidentSeverity?
    /// Makes the report unique in its stream.
    package var idempotencyKey: String?
    fileprivate var request: OpenIncident

    package init(_ request: OpenIncident) throws(Rejection) {
        guard let title = Limits.trimmed(request.title) ?? Limits.trimmed(request.summary) else {
            throw .field("title", .missingTitle, "title is required, or else a summary")
        }
        self.title = Limits.cut(title, bytesMax: Limits.titleBytesMax)
        severity = request.severity.flatMap { IncidentSeverity(word: $0) }
        idempotencyKey = try EnvelopeKey.chosen(request.idempotencyKey)
        self.request = request
    }
}

/// Incidents: opened by anybody, closed when they are understood and something was learned.
package enum IncidentDecider {
    /// The category of what ``runFailed(_:_:cause:)`` opens.
    package static let runFailedCategory = "run_failed"

    /// Where an incident belongs: what is not said follows from its run.
    package static func scope(
        of report: IncidentReport, _ run: Run?, in workspace: WorkspaceID, correlationID: String
    ) throws(Rejection) -> EventScope {
        let request = report.request
        if let run, let room = request.roomID, room != run.roomID {
            throw .field("room_id", .runRoomMismatch, "room_id: the run is not in this room")
        }
        if let run, let thread = request.threadID, thread != run.threadID {
            throw .field("thread_id", .runThreadMismatch, "thread_id: the run is not in this thread")
        }
        return EventScope(
            workspaceID: workspace, roomID: request.roomID ?? run?.roomID,
            threadID: request.threadID ?? run?.threadID, runID: run?.runID,
            correlationID: Limits.trimmed(request.correlationID) ?? run?.correlationID ?? correlationID)
    }

    package static func open(
        _ id: IncidentID, _ report: IncidentReport, in scope: EventScope, _ facts: CommandFacts
    ) -> EventDraft {
        let request = report.request
        let opened = IncidentOpened(
            incidentID: id, category: Limits.trimmed(request.category), title: report.title,
            summary: Limits.trimmed(request.summary), severity: report.severity, runID: scope.runID,
            entityType: Limits.trimmed(request.entityType), entityID: Limits.trimmed(request.entityID),
            details: request.details)
        return EventDraft(
            .incident(.opened(opened)), in: scope, by: facts.actor, idempotencyKey: report.idempotencyKey)
    }

    /// What a failure opens by itself, on the run's stream, so that it is seen where the run is (decision 0007).
    /// - Parameter failure: The recorded failure: what it says has no secrets any more.
    package static func runFailed(_ id: IncidentID, _ run: Run, _ failure: Recorded<RunFailed>) -> EventDraft {
        let what = run.title ?? run.runID.rawValue
        let message = failure.event.message ?? failure.event.error?["message"]?.stringValue
        var details: JSONObject = ["attempt_no": .integer(Int64(run.attemptNo))]
        details["code"] = failure.event.error?["code"]
        let opened = IncidentOpened(
            incidentID: id, category: runFailedCategory,
            title: Limits.cut("Run failed triage: \(what)", bytesMax: Limits.titleBytesMax),
            summary: message.map { Limits.cut($0, bytesMax: Limits.textBytesMax) }, severity: .high, runID: run.runID,
            entityType: "run", entityID: run.runID.rawValue, details: .object(details))
        return EventDraft(
            .incident(.opened(opened)), in: run.scope, by: .automation, causedBy: failure.envelope.eventID,
            idempotencyKey: EnvelopeKey.runFailed(run.runID, in: run.workspaceID))
    }

    package static func updateRCA(
        _ incident: Incident, _ request: UpdateRCA, _ facts: CommandFacts
    ) throws(Rejection) -> EventDraft {
        try requireOpen(incident)
        var rca = request.analysis?.objectValue ?? [:]
        if let summary = Limits.trimmed(request.summary) { rca["summary"] = .string(summary) }
        guard !rca.isEmpty else {
            throw Rejection(.missingRCAPayload, "give a summary, or an analysis with at least one member")
        }
        return draft(
            .rcaUpdated(IncidentRCAUpdated(incidentID: incident.incidentID, rca: .object(rca))), incident, facts)
    }

    package static func logLearning(
        _ id: LearningID, _ incident: Incident, _ request: LogLearning, _ facts: CommandFacts
    ) throws(Rejection) -> EventDraft {
        let note = try Limits.require(request.note, "note", bytesMax: Limits.textBytesMax, .missingNote)
        try requireOpen(incident)
        var tags: [String] = []
        for case let tag? in (request.tags ?? []).map(Limits.trimmed) where !tags.contains(tag) { tags.append(tag) }
        return draft(
            .learningLogged(
                IncidentLearningLogged(incidentID: incident.incidentID, learningID: id, note: note, tags: tags)),
            incident, facts)
    }

    package static func close(
        _ incident: Incident, _ request: CloseIncident, _ facts: CommandFacts
    ) throws(Rejection) -> EventDraft {
        guard incident.status == .open else {
            throw Rejection(.incidentAlreadyClosed, "the incident is closed already", details: fact(incident))
        }
        guard incident.rcaUpdatedAt != nil else {
            throw Rejection(
                .incidentCloseBlockedMissingRCA, "the incident has no root cause yet; write it first",
                details: fact(incident))
        }
        guard incident.learningCount > 0 else {
            throw Rejection(
                .incidentCloseBlockedMissingLearning, "nothing was learned from the incident yet; log it first",
                details: fact(incident))
        }
        return draft(
            .closed(IncidentClosed(incidentID: incident.incidentID, reason: Limits.trimmed(request.reason))), incident,
            facts)
    }

    private static func requireOpen(_ incident: Incident) throws(Rejection) {
        guard incident.status == .open else {
            throw Rejection(.incidentClosed, "the incident is closed; open another one", details: fact(incident))
        }
    }

    private static func fact(_ incident: Incident) -> JSONObject {
        ["incident_id": .string(incident.incidentID.rawValue)]
    }

    private static func draft(_ event: IncidentEvent, _ incident: Incident, _ facts: CommandFacts) -> EventDraft {
        EventDraft(.incident(event), in: incident.eventScope, by: facts.actor, causedBy: incident.lastEventID)
    }

    // MARK: The folds

    package static func evolve(_ incident: Incident?, _ recorded: Recorded<IncidentEvent>) -> Incident? {
        let envelope = recorded.envelope
        if case .opened(let opened) = recorded.event {
            var incident = Incident(
                incidentID: opened.incidentID, workspaceID: envelope.workspaceID, title: opened.title,
                by: envelope.actor, correlationID: envelope.correlationID, at: recorded.at)
            (incident.roomID, incident.threadID) = (envelope.roomID, envelope.threadID)
            (incident.runID, incident.category) = (envelope.runID ?? opened.runID, opened.category)
            (incident.summary, incident.severity) = (opened.summary, opened.severity)
            (incident.entityType, incident.entityID) = (opened.entityType, opened.entityID)
            (incident.details, incident.lastEventID) = (opened.details ?? [:], envelope.eventID)
            incident.lastEventOccurredAt = envelope.occurredAt
            return incident
        }
        guard var incident else { return nil }
        (incident.updatedAt, incident.lastEventID) = (recorded.at, envelope.eventID)
        incident.lastEventOccurredAt = envelope.occurredAt
        switch recorded.event {
        case .opened: break
        case .rcaUpdated(let updated): (incident.rca, incident.rcaUpdatedAt) = (updated.rca, recorded.at)
        case .learningLogged: incident.learningCount += 1
        case .closed(let closed):
            (incident.status, incident.closedAt, incident.closedReason) = (.closed, recorded.at, closed.reason)
        }
        return incident
    }

    package static func evolve(
        _ learning: IncidentLearning?, _ recorded: Recorded<IncidentLearningLogged>
    ) -> IncidentLearning? {
        let (envelope, logged) = (recorded.envelope, recorded.event)
        var learning = IncidentLearning(
            learningID: logged.learningID, incidentID: logged.incidentID, workspaceID: envelope.workspaceID,
            note: logged.note, tags: logged.tags, by: envelope.actor, at: recorded.at)
        (learning.roomID, learning.runID, learning.lastEventID) = (envelope.roomID, envelope.runID, envelope.eventID)
        return learning
    }
}

extension Incident {
    package var eventScope: EventScope {
        EventScope(
            workspaceID: workspaceID, roomID: roomID, threadID: threadID, runID: runID, correlationID: correlationID)
    }
}
