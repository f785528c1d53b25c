package import JSON

/// What is learned from refusals by policy.
package enum LearningEvent: EventFamily {
    case fromFailure(LearningFromFailure)
    case constraintLearned(ConstraintLearned)
    case mistakeRepeated(MistakeRepeated)

    package static let members: [EventMember<LearningEvent>] = [
        .init(LearningEvent.fromFailure), .init(LearningEvent.constraintLearned), .init(LearningEvent.mistakeRepeated),
    ]

    package var payload: any EventPayload {
        switch self {
        case .fromFailure(let payload): payload
        case .constraintLearned(let payload): payload
        case .mistakeRepeated(let payload): payload
        }
    }
}

/// A refusal, as the pattern it is an instance of.
package struct LearningFromFailure: EventPayload {
    package static let type = "learning.from_failure"

    package var category: String
    package var action: String
    package var decision: PolicyDecision
    package var reasonCode: String
    package var reason: String?
    package var enforcementMode: EnforcementMode
    package var blocked: Bool
    package var subjectKey: String
    package var principalID: String?
    package var agentID: String?
    package var patternHash: String
    package var guidance: String
    package var context: JSONValue
    package var policyEventID: EventID

    package init(
        category: String, action: String, decision: PolicyDecision, reasonCode: String, reason: String? = nil,
        enforcementMode: EnforcementMode, blocked: Bool, subjectKey: String, principalID: String? = nil,
        agentID: String? = nil, patternHash: String, guidance: String, context: JSONValue, policyEventID: EventID
    ) {
        self.category = category
        self.action = action
        self.decision = decision
        self.reasonCode = reasonCode
        self.reason = reason
        self.enforcementMode = enforcementMode
        self.blocked = blocked
        self.subjectKey = subjectKey
        self.principalID = principalID
        self.agentID = agentID
        self.patternHash = patternHash
        self.guidance = guidance
        self.context = context
        self.policyEventID = policyEventID
    }
}

/// What the subject should know from now on.
package struct ConstraintLearned: EventPayload {
    package static let type = "constraint.learned"

    package var constraintID: ConstraintID
    package var category: String
    package var action: String
    package var reasonCode: String
    package var patternHash: String
    package var guidance: String
    package var seenCount: Int64
    package var repeatCount: Int64
    package var subjectKey: String
    package var principalID: String?
    package var agentID: String?
    package var learnedFromEventID: EventID

    package init(
        constraintID: ConstraintID, category: String, action: String, reasonCode: String, patternHash: String,
        guidance: String, seenCount: Int64, repeatCount: Int64, subjectKey: String, principalID: String? = nil,
        agentID: String? = nil, learnedFromEventID: EventID
    ) {
        self.constraintID = constraintID
        self.category = category
        self.action = action
        self.reasonCode = reasonCode
        self.patternHash = patternHash
        self.guidance = guidance
        self.seenCount = seenCount
        self.repeatCount = repeatCount
        self.subjectKey = subjectKey
        self.principalID = principalID
        self.agentID = agentID
        self.learnedFromEventID = learnedFromEventID
    }
}

/// The same refusal a second time.
package struct MistakeRepeated: EventPayload {
    package static let type = "mistake.repeated"

    package var constraintID: ConstraintID
    package var category: String
    package var action: String
    package var reasonCode: String
    package var repeatCount: Int64
    package var patternHash: String
    package var guidance: String
    package var subjectKey: String
    package var principalID: String?
    package var agentID: String?
    package var learnedFromEventID: EventID

    package init(
        constraintID: ConstraintID, category: String, action: String, reasonCode: String, repeatCount: Int64,
        patternHash: String, guidance: String, subjectKey: String, principalID: String? = nil, agentID: String? = nil,
        learnedFromEventID: EventID
    ) {
        self.constraintID = constraintID
        self.category = category
        self.action = action
        self.reasonCode = reasonCode
        self.repeatCount = repeatCount
        self.patternHash = patternHash
        self.guidance = guidance
        self.subjectKey = subjectKey
        self.principalID = principalID
        self.agentID = agentID
        self.learnedFromEventID = learnedFromEventID
    }
}
