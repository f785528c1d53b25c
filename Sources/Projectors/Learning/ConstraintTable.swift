package import DatabaseCore
import Domain
import EventStore
package import Shared

/// `proj_constraints`: all the SQL that touches it is in this file.
package enum ConstraintTable {
    static let table = Table<Constraint>(
        "proj_constraints", keys: ["constraint_id"],
        blank: Constraint(
            constraintID: "", workspaceID: "", subjectKey: "", category: "", action: "", reasonCode: "",
            patternHash: "", guidance: "", learnedFromEventID: "", at: .zero),
        columns: [
            Column("constraint_id", \.constraintID),
            Column("workspace_id", \.workspaceID),
            Column("subject_key", \.subjectKey),
            Column("principal_id", \.principalID),
            Column("agent_id", \.agentID),
            Column("category", \.category),
            Column("action", \.action),
            Column("reason_code", \.reasonCode),
            Column("pattern_hash", \.patternHash),
            Column("guidance", \.guidance),
            Column("seen_count", \.seenCount),
            Column("learned_from_event_id", \.learnedFromEventID),
            Column("first_learned_at", \.firstLearnedAt),
            Column("last_seen_at", \.lastSeenAt),
            Column("created_at", \.createdAt),
            Column("updated_at", \.updatedAt),
            Column("last_event_id", \.lastEventID),
        ],
        indexes: [
            """
            CREATE UNIQUE INDEX proj_constraints_by_pattern
                ON proj_constraints (workspace_id, subject_key, category, pattern_hash)
            """,
            "CREATE INDEX proj_constraints_by_time ON proj_constraints (workspace_id, last_seen_at)",
        ])

    static let projector = Projector(table) { recorded, transaction in
        guard case .learning(let event) = recorded.event, case .constraintLearned(let learned) = event else { return }
        try table.fold(learned.constraintID, in: transaction) { LearningDecider.evolve($0, recorded.with(event)) }
    }

    /// What the subject has learned from the pattern.
    package static func find(
        pattern hash: String, category: String, subject: String, in workspace: WorkspaceID,
        _ transaction: any ReadTransaction
    ) throws -> Constraint? {
        try table.all(
            where: """
                 WHERE workspace_id = \(workspace) AND subject_key = \(subject) AND category = \(category)
                    AND pattern_hash = \(hash)
                """, in: transaction
        ).first
    }

    /// Which constraints a list shows.
    package struct Filter: Sendable {
        package var principalID: String?
        package var agentID: String?
        package var category: LessonCategory?

        package init() {}
    }

    /// Constraints, last seen first.
    package static func list(
        in workspace: WorkspaceID, _ filter: Filter, after cursor: ListCursor?, limit: Int,
        _ transaction: any ReadTransaction
    ) throws -> [Constraint] {
        try table.page(
            in: workspace,
            where: [
                filter.principalID.map { "principal_id = \($0)" }, filter.agentID.map { "agent_id = \($0)" },
                filter.category.map { "category = \($0.rawValue)" },
            ], newestBy: "last_seen_at", after: cursor, limit: limit, transaction)
    }
}
