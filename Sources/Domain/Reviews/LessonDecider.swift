import JSON
package import Shared

/// Lessons: kept once, with what they were learned from.
package enum LessonDecider {
    package static func log(
        _ id: LessonID, _ request: LogLesson, in workspace: WorkspaceID, correlationID: String, _ facts: CommandFacts
    ) throws(Rejection) -> EventDraft {
        let category = try Limits.require(
            request.category, "category", bytesMax: Limits.nameBytesMax, .missingCategory)
        let summary = try Limits.require(request.summary, "summary", bytesMax: Limits.textBytesMax, .missingSummary)
        guard
            request.experimentID != nil || request.runID != nil || request.scorecardID != nil
                || request.incidentID != nil
        else {
            throw Rejection(
                .lessonContextRequired,
                "a lesson comes from something: name at least one of experiment_id, run_id, scorecard_id, incident_id")
        }
        let logged = LessonLogged(
            lessonID: id, experimentID: request.experimentID, runID: request.runID, scorecardID: request.scorecardID,
            incidentID: request.incidentID, category: category, summary: summary,
            actionItems: (request.actionItems ?? []).compactMap { Limits.trimmed($0) },
            tags: (request.tags ?? []).compactMap { Limits.trimmed($0) }, metadata: request.metadata ?? [:])
        let scope = EventScope(workspaceID: workspace, runID: request.runID, correlationID: correlationID)
        return EventDraft(.review(.lessonLogged(logged)), in: scope, by: facts.actor)
    }

    package static func evolve(_ lesson: Lesson?, _ recorded: Recorded<ReviewEvent>) -> Lesson? {
        switch recorded.event {
        case .scorecardRecorded: return lesson
        case .lessonLogged(let event):
            let envelope = recorded.envelope
            var lesson = Lesson(
                lessonID: event.lessonID, workspaceID: envelope.workspaceID, category: event.category,
                summary: event.summary, by: envelope.actor, correlationID: envelope.correlationID, at: recorded.at)
            (lesson.experimentID, lesson.runID) = (event.experimentID, event.runID)
            (lesson.scorecardID, lesson.incidentID) = (event.scorecardID, event.incidentID)
            (lesson.actionItems, lesson.tags) = (event.actionItems ?? [], event.tags ?? [])
            (lesson.metadata, lesson.lastEventID) = (event.metadata ?? [:], envelope.eventID)
            return lesson
        }
    }
}
