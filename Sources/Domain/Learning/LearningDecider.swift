package import Shared

/// Learning from failure: what follows from each refusal by policy (`contract/API_HARDENING.md` 9).
///
/// A refusal is always recorded; a lesson is not, once the same pattern has been learned ``countedMax`` times: then it is
/// learned again only after ``quietMilliseconds``, so that a loop that does not listen cannot fill the log with lessons.
package enum LearningDecider {
    package static let countedMax: Int64 = 10
    package static let quietMilliseconds: Int64 = 60_000
    /// The time that makes a mistake a repeated one: said once.
    private static let repeated: Int64 = 2

    /// The events that follow from a refusal, each caused by the one before it.
    /// - Parameter hash: SHA-256, in hexadecimal, of the pattern's canonical form.
    /// - Parameter known: What the subject has learned from the pattern before.
    package static func learn(
        from refusal: Recorded<PolicyEvent>, _ pattern: FailurePattern, hash: String, known: Constraint?,
        newID: ConstraintID
    ) -> [EventDraft] {
        if let known, known.seenCount >= countedMax,
            refusal.at < known.lastSeenAt.adding(milliseconds: quietMilliseconds)
        {
            return []
        }
        let (envelope, recorded) = (refusal.envelope, refusal.event.refusal)
        let subject = subjectKey(of: envelope)
        let guidance = Guidance.sentence(for: pattern.reasonCode, blocked: pattern.blocked)
        let seen = (known?.seenCount ?? 0) + 1
        let id = known?.constraintID ?? newID
        let failure = LearningFromFailure(
            category: pattern.category, action: pattern.action, decision: refusal.event.decision,
            reasonCode: pattern.reasonCode, reason: recorded.reason, enforcementMode: recorded.enforcementMode,
            blocked: pattern.blocked, subjectKey: subject, principalID: envelope.actorPrincipalID, patternHash: hash,
            guidance: guidance, context: pattern.context, policyEventID: envelope.eventID)
        let learned = ConstraintLearned(
            constraintID: id, category: pattern.category, action: pattern.action, reasonCode: pattern.reasonCode,
            patternHash: hash, guidance: guidance, seenCount: seen, repeatCount: seen, subjectKey: subject,
            principalID: envelope.actorPrincipalID, learnedFromEventID: envelope.eventID)
        var events: [LearningEvent] = [.fromFailure(failure), .constraintLearned(learned)]
        if seen == repeated {
            events.append(
                .mistakeRepeated(
                    MistakeRepeated(
                        constraintID: id, category: pattern.category, action: pattern.action,
                        reasonCode: pattern.reasonCode, repeatCount: seen, patternHash: hash, guidance: guidance,
                        subjectKey: subject, principalID: envelope.actorPrincipalID,
                        learnedFromEventID: envelope.eventID)))
        }
        return events.enumerated().map { place, event in
            var draft = EventDraft(
                .learning(event), in: EventScope(of: envelope), by: envelope.actor,
                causedBy: place == 0 ? envelope.eventID : nil, zone: envelope.zone)
            draft.actorPrincipalID = envelope.actorPrincipalID
            return draft
        }
    }

    /// Who learns. Every event has a principal, so that it is always one.
    package static func subjectKey(of envelope: EventEnvelope) -> String { "principal:\(envelope.actorPrincipalID)" }

    // MARK: The fold

    package static func evolve(_ constraint: Constraint?, _ recorded: Recorded<LearningEvent>) -> Constraint? {
        guard case .constraintLearned(let learned) = recorded.event else { return constraint }
        var next =
            constraint
            ?? Constraint(
                constraintID: learned.constraintID, workspaceID: recorded.envelope.workspaceID,
                subjectKey: learned.subjectKey, category: learned.category, action: learned.action,
                reasonCode: learned.reasonCode, patternHash: learned.patternHash, guidance: learned.guidance,
                learnedFromEventID: learned.learnedFromEventID, at: recorded.at)
        (next.principalID, next.agentID) = (learned.principalID, learned.agentID)
        (next.guidance, next.seenCount) = (learned.guidance, learned.seenCount)
        (next.learnedFromEventID, next.lastSeenAt) = (learned.learnedFromEventID, recorded.at)
        (next.updatedAt, next.lastEventID) = (recorded.at, recorded.envelope.eventID)
        return next
    }
}
