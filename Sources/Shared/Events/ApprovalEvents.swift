package import JSON

/// All that can happen to an approval.
package enum ApprovalEvent: EventFamily {
    case requested(ApprovalRequested)
    case decided(ApprovalDecided)
    case consumed(ApprovalConsumed)
    case expired(ApprovalExpired)

    package static let members: [EventMember<ApprovalEvent>] = [
        .init(ApprovalEvent.requested), .init(ApprovalEvent.decided), .init(ApprovalEvent.consumed),
        .init(ApprovalEvent.expired),
    ]

    package var payload: any EventPayload {
        switch self {
        case .requested(let payload): payload
        case .decided(let payload): payload
        case .consumed(let payload): payload
        case .expired(let payload): payload
        }
    }
}

/// Somebody must decide before an action may happen.
package struct ApprovalRequested: EventPayload {
    package static let type = "approval.requested"

    package var approvalID: ApprovalID
    package var action: String
    package var title: String?
    package var request: JSONValue?
    package var context: JSONValue?
    package var scope: ApprovalScope?
    package var expiresAt: Timestamp?
    package var toolCallID: ToolCallID?

    package init(
        approvalID: ApprovalID, action: String, title: String? = nil, request: JSONValue? = nil,
        context: JSONValue? = nil, scope: ApprovalScope? = nil, expiresAt: Timestamp? = nil,
        toolCallID: ToolCallID? = nil
    ) {
        (self.approvalID, self.action, self.title, self.request) = (approvalID, action, title, request)
        (self.context, self.scope, self.expiresAt, self.toolCallID) = (context, scope, expiresAt, toolCallID)
    }
}

/// A user has decided, or has put the decision off.
package struct ApprovalDecided: EventPayload {
    package static let type = "approval.decided"

    package var approvalID: ApprovalID
    package var decision: ApprovalDecision
    package var reason: String?
    package var scope: ApprovalScope?
    package var expiresAt: Timestamp?

    package init(
        approvalID: ApprovalID, decision: ApprovalDecision, reason: String? = nil, scope: ApprovalScope? = nil,
        expiresAt: Timestamp? = nil
    ) {
        (self.approvalID, self.decision, self.reason, self.scope) = (approvalID, decision, reason, scope)
        self.expiresAt = expiresAt
    }
}

/// A dispatch has used the approval up, in the same transaction.
package struct ApprovalConsumed: EventPayload {
    package static let type = "approval.consumed"

    package var approvalID: ApprovalID
    package var toolCallID: ToolCallID

    package init(approvalID: ApprovalID, toolCallID: ToolCallID) {
        (self.approvalID, self.toolCallID) = (approvalID, toolCallID)
    }
}

/// The approval was not used in time.
package struct ApprovalExpired: EventPayload {
    package static let type = "approval.expired"

    package var approvalID: ApprovalID

    package init(approvalID: ApprovalID) {
        self.approvalID = approvalID
    }
}
