package import DatabaseCore
import Domain
import EventStore
package import Shared

/// `proj_lessons`: all the SQL that touches it is in this file.
package enum LessonTable {
    static let table = Table<Lesson>(
        "proj_lessons", keys: ["lesson_id"],
        blank: Lesson(
            lessonID: "", workspaceID: "", category: "", summary: "", by: .api, correlationID: "", at: .zero),
        columns: [
            Column("lesson_id", \.lessonID),
            Column("workspace_id", \.workspaceID),
            Column("experiment_id", \.experimentID),
            Column("run_id", \.runID),
            Column("scorecard_id", \.scorecardID),
            Column("incident_id", \.incidentID),
            Column("category", \.category),
            Column("summary", \.summary),
            Column(json: "action_items", \.actionItems),
            Column(json: "tags", \.tags),
            Column("metadata", \.metadata),
            Column("created_by_type", \.createdByType),
            Column("created_by_id", \.createdByID),
            Column("created_at", \.createdAt),
            Column("updated_at", \.updatedAt),
            Column("correlation_id", \.correlationID),
            Column("last_event_id", \.lastEventID),
        ],
        indexes: ["CREATE INDEX proj_lessons_by_creation ON proj_lessons (workspace_id, created_at)"])

    static let projector = Projector(table) { recorded, transaction in
        guard case .review(let event) = recorded.event, case .lessonLogged(let lesson) = event else { return }
        try table.fold(lesson.lessonID, in: transaction) { LessonDecider.evolve($0, recorded.with(event)) }
    }

    /// The lesson, if it is in the workspace.
    package static func find(
        _ id: LessonID, in workspace: WorkspaceID, _ transaction: any ReadTransaction
    ) throws -> Lesson? {
        try table.find(id, in: workspace, transaction)
    }

    package struct Filter: Sendable {
        package var experimentID: ExperimentID?
        package var runID: RunID?
        package var scorecardID: ScorecardID?
        package var incidentID: IncidentID?

        package init() {}
    }

    /// Lessons, newest first.
    package static func list(
        in workspace: WorkspaceID, _ filter: Filter, after cursor: ListCursor?, limit: Int,
        _ transaction: any ReadTransaction
    ) throws -> [Lesson] {
        try table.page(
            in: workspace,
            where: [
                filter.experimentID.map { "experiment_id = \($0)" }, filter.runID.map { "run_id = \($0)" },
                filter.scorecardID.map { "scorecard_id = \($0)" }, filter.incidentID.map { "incident_id = \($0)" },
            ], newestBy: "created_at", after: cursor, limit: limit, transaction)
    }
}
