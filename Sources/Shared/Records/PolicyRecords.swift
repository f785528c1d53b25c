/// An action that policy has an opinion on before anybody asks: what it takes, and what it would take to undo it.
package struct RegisteredAction: Hashable, Sendable, Codable {
    package enum Level: String, CaseIterable, Codable, Sendable { case low, medium, high }
    package enum Difficulty: String, CaseIterable, Codable, Sendable { case easy, moderate, hard }

    package struct Metadata: Hashable, Sendable, Codable {
        package var costImpact: Level
        package var recoveryDifficulty: Difficulty

        package init(costImpact: Level, recoveryDifficulty: Difficulty) {
            (self.costImpact, self.recoveryDifficulty) = (costImpact, recoveryDifficulty)
        }
    }

    package var actionType: ActionName
    package var reversible: Bool
    /// The zone it takes at least.
    package var zoneRequired: Zone
    package var requiresPreApproval: Bool
    package var postReviewRequired: Bool
    package var metadata: Metadata
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    package init(
        actionType: ActionName, reversible: Bool, zoneRequired: Zone, requiresPreApproval: Bool,
        postReviewRequired: Bool, metadata: Metadata, at time: Timestamp
    ) {
        (self.actionType, self.reversible, self.zoneRequired) = (actionType, reversible, zoneRequired)
        (self.requiresPreApproval, self.postReviewRequired) = (requiresPreApproval, postReviewRequired)
        (self.metadata, createdAt, updatedAt) = (metadata, time, time)
    }
}

/// What a lesson is about.
package enum LessonCategory: String, CaseIterable, Codable, Sendable { case action, data, egress, tool }

/// What a subject has learned from being refused: one row for each pattern of refusals.
package struct Constraint: Hashable, Sendable, Codable {
    package var constraintID: ConstraintID
    package var workspaceID: WorkspaceID
    /// Who learned it: `principal:<id>`.
    package var subjectKey: String
    package var principalID: String?
    package var agentID: String?
    package var category: String
    package var action: String
    package var reasonCode: String
    /// SHA-256 in hexadecimal over the pattern's RFC 8785 form.
    package var patternHash: String
    package var guidance: String
    /// How often it was learned; see `LearningDecider` for when a repetition no longer counts.
    package var seenCount: Int64
    /// The last refusal that taught it.
    package var learnedFromEventID: EventID
    package var firstLearnedAt: Timestamp
    package var lastSeenAt: Timestamp
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var lastEventID: EventID?

    package init(
        constraintID: ConstraintID, workspaceID: WorkspaceID, subjectKey: String, category: String, action: String,
        reasonCode: String, patternHash: String, guidance: String, learnedFromEventID: EventID, at time: Timestamp
    ) {
        (self.constraintID, self.workspaceID, self.subjectKey) = (constraintID, workspaceID, subjectKey)
        (self.category, self.action, self.reasonCode) = (category, action, reasonCode)
        (self.patternHash, self.guidance, seenCount) = (patternHash, guidance, 1)
        (self.learnedFromEventID, firstLearnedAt, lastSeenAt) = (learnedFromEventID, time, time)
        (createdAt, updatedAt) = (time, time)
    }
}
