import JSON
package import Shared

/// Approvals: asked for by anybody, decided by users, used up by what they allow.
package enum ApprovalDecider {
    /// How long an approval for one call can be used.
    package static let callLifetimeMilliseconds: Int64 = 24 * 3_600_000

    package static func request(
        _ id: ApprovalID, _ request: RequestApproval, in workspace: WorkspaceID, correlationID: String,
        _ facts: CommandFacts
    ) throws(Rejection) -> EventDraft {
        let action = try Limits.require(request.action, "action", bytesMax: Limits.nameBytesMax, .missingAction)
        try Limits.check(request.title, "title", bytesMax: Limits.titleBytesMax)
        try check(expiry: request.expiresAt, facts.now)
        let scope = EventScope(
            workspaceID: workspace, roomID: request.roomID, threadID: request.threadID, runID: request.runID,
            stepID: request.stepID, correlationID: correlationID)
        let requested = ApprovalRequested(
            approvalID: id, action: PolicyGate.normalize(action).rawValue, title: Limits.trimmed(request.title),
            request: request.request, context: request.context, scope: try self.scope(request.scope),
            expiresAt: request.expiresAt)
        return EventDraft(.approval(.requested(requested)), in: scope, by: facts.actor)
    }

    package static func decide(
        _ approval: Approval, _ request: DecideApproval, _ facts: CommandFacts
    ) throws(Rejection) -> EventDraft {
        guard let word = request.decision, let decision = ApprovalDecision(rawValue: word) else {
            throw Rejection(
                .invalidDecision, "decision: expected approve, deny or hold, found \(request.decision ?? "nothing")",
                details: ["field": "decision", "allowed": ["approve", "deny", "hold"]])
        }
        try Limits.check(request.reason, "reason", bytesMax: Limits.textBytesMax)
        try check(expiry: request.expiresAt, facts.now)
        switch (approval.status, decision) {
        case (.pending, _), (.held, _): break
        // Only a user may take an approval back, and only while it is not used up.
        case (.approved, .deny) where approval.consumedAt == nil && facts.actor.actorType == .user: break
        case (.expired, _):
            throw Rejection(.approvalAlreadyDecided, "the approval has expired; the action has to be asked for again")
        case (.approved, _), (.denied, _):
            throw Rejection(
                .approvalAlreadyDecided,
                "the approval is \(approval.status.rawValue)\(approval.consumedAt == nil ? "" : " and used up")",
                details: ["status": .string(approval.status.rawValue)])
        }
        if let expires = approval.expiresAt, expires <= facts.now {
            throw Rejection(.approvalAlreadyDecided, "the approval has expired; the action has to be asked for again")
        }
        let decided = ApprovalDecided(
            approvalID: approval.approvalID, decision: decision, reason: request.reason,
            scope: try scope(request.scope), expiresAt: request.expiresAt)
        return draft(.decided(decided), approval, facts)
    }

    /// - Returns: Nil when there is nothing left to expire.
    package static func expire(_ approval: Approval, _ facts: CommandFacts) -> EventDraft? {
        guard let expires = approval.expiresAt, expires <= facts.now, approval.consumedAt == nil,
            approval.status == .pending || approval.status == .held || approval.status == .approved
        else { return nil }
        return draft(.expired(ApprovalExpired(approvalID: approval.approvalID)), approval, facts)
    }

    static func draft(_ event: ApprovalEvent, _ approval: Approval, _ facts: CommandFacts) -> EventDraft {
        EventDraft(.approval(event), in: approval.eventScope, by: facts.actor, causedBy: approval.lastEventID)
    }

    private static func check(expiry: Timestamp?, _ now: Timestamp) throws(Rejection) {
        guard let expiry, expiry <= now else { return }
        throw .field("expires_at", .invalidField, "expires_at: expected a time after now, found \(expiry)")
    }

    /// A scope is kept if its type is known.
    private static func scope(_ value: JSONValue?) throws(Rejection) -> ApprovalScope? {
        guard let value, !value.isNull else { return nil }
        guard let scope = try? JSON.decode(ApprovalScope.self, from: value) else {
            throw Rejection(
                .invalidScope, "scope: expected an object with type once, run, room, workspace or template",
                details: ["field": "scope"])
        }
        if scope.type == .once, scope.argsHash == nil {
            throw Rejection(.invalidScope, "scope: a scope of type once needs args_hash", details: ["field": "scope"])
        }
        return scope
    }

    // MARK: The fold

    package static func evolve(_ approval: Approval?, _ recorded: Recorded<ApprovalEvent>) -> Approval? {
        let envelope = recorded.envelope
        if case .requested(let requested) = recorded.event {
            var approval = Approval(
                approvalID: requested.approvalID, workspaceID: envelope.workspaceID, action: requested.action,
                by: envelope.actor, correlationID: envelope.correlationID, at: recorded.at)
            (approval.roomID, approval.threadID) = (envelope.roomID, envelope.threadID)
            (approval.runID, approval.stepID) = (envelope.runID, envelope.stepID)
            (approval.toolCallID, approval.title) = (requested.toolCallID, requested.title)
            (approval.request, approval.context) = (requested.request ?? [:], requested.context ?? [:])
            (approval.scope, approval.expiresAt) = (requested.scope, requested.expiresAt)
            (approval.lastEventID, approval.lastEventOccurredAt) = (envelope.eventID, envelope.occurredAt)
            return approval
        }
        guard var approval else { return nil }
        (approval.updatedAt, approval.lastEventID) = (recorded.at, envelope.eventID)
        approval.lastEventOccurredAt = envelope.occurredAt
        switch recorded.event {
        case .requested: break
        case .decided(let decided):
            approval.status =
                switch decided.decision {
                case .approve: .approved
                case .deny: .denied
                case .hold: .held
                }
            (approval.decision, approval.decisionReason) = (decided.decision, decided.reason)
            (approval.decidedByType, approval.decidedByID) = (envelope.actor.actorType, envelope.actor.actorID)
            approval.decidedAt = recorded.at
            if let scope = decided.scope { approval.scope = scope }
            if let expires = decided.expiresAt { approval.expiresAt = expires }
        case .consumed: approval.consumedAt = recorded.at
        case .expired: approval.status = .expired
        }
        return approval
    }
}

extension Approval {
    package var eventScope: EventScope {
        EventScope(
            workspaceID: workspaceID, roomID: roomID, threadID: threadID, runID: runID, stepID: stepID,
            correlationID: correlationID)
    }

    /// Whether a run need not wait for it any more.
    package var isSettled: Bool { status == .approved || status == .denied || status == .expired }
}
