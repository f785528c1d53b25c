package import JSON

/// Refusals by policy; an allow stands in the `policy_context` of the event it let through.
package enum PolicyEvent: EventFamily {
    case denied(PolicyDenied)
    case requiresApproval(PolicyRequiresApproval)

    package static let members: [EventMember<PolicyEvent>] = [
        .init(PolicyEvent.denied), .init(PolicyEvent.requiresApproval),
    ]

    package var payload: any EventPayload {
        switch self {
        case .denied(let payload): payload
        case .requiresApproval(let payload): payload
        }
    }
}

extension PolicyEvent {
    package var refusal: PolicyRefusal {
        switch self {
        case .denied(let event): event.refusal
        case .requiresApproval(let event): event.refusal
        }
    }

    package var decision: PolicyDecision {
        switch self {
        case .denied: .deny
        case .requiresApproval: .requireApproval
        }
    }

    /// The event of a verdict that is no allow.
    package init(_ decision: PolicyDecision, _ refusal: PolicyRefusal) {
        switch decision {
        case .deny: self = .denied(PolicyDenied(refusal))
        case .requireApproval: self = .requiresApproval(PolicyRequiresApproval(refusal))
        case .allow: preconditionFailure("what is allowed is not refused")
        }
    }
}

/// An action was refused.
package struct PolicyDenied: EventPayload {
    package static let type = "policy.denied"

    package var refusal: PolicyRefusal

    package init(_ refusal: PolicyRefusal) { self.refusal = refusal }
    package init(from decoder: any Decoder) throws { refusal = try PolicyRefusal(from: decoder) }
    package func encode(to encoder: any Encoder) throws { try refusal.encode(to: encoder) }
}

/// An action was stopped until somebody approves it.
package struct PolicyRequiresApproval: EventPayload {
    package static let type = "policy.requires_approval"

    package var refusal: PolicyRefusal

    package init(_ refusal: PolicyRefusal) { self.refusal = refusal }
    package init(from decoder: any Decoder) throws { refusal = try PolicyRefusal(from: decoder) }
    package func encode(to encoder: any Encoder) throws { try refusal.encode(to: encoder) }
}

/// What was asked, what the gate said and by which rule, with the redacted arguments.
package struct PolicyRefusal: Hashable, Sendable, Codable {
    package var category: String
    package var action: String
    package var reasonCode: String
    package var reason: String?
    package var ruleID: String
    package var policyVersion: String
    package var enforcementMode: EnforcementMode
    package var blocked: Bool
    package var argsHash: String?
    package var arguments: JSONValue?
    package var toolCallID: ToolCallID?
    package var approvalID: ApprovalID?

    package init(category: String, action: String, verdict: PolicyVerdict, mode: EnforcementMode) {
        (self.category, self.action) = (category, action)
        (reasonCode, reason, ruleID) = (verdict.reasonCode, verdict.reason, verdict.ruleID)
        (policyVersion, enforcementMode, blocked) = (PolicyVerdict.policyVersion, mode, mode == .enforce)
    }
}

/// What the policy gate says to an action, and why.
package struct PolicyVerdict: Hashable, Sendable, Codable {
    /// The version of the built-in rules; it grows with every change of a rule.
    package static let policyVersion = "builtin-2"

    package var decision: PolicyDecision
    package var reasonCode: String
    package var reason: String?
    package var ruleID: String

    package init(_ decision: PolicyDecision, _ reasonCode: String, rule: String, reason: String? = nil) {
        (self.decision, self.reasonCode, ruleID, self.reason) = (decision, reasonCode, rule, reason)
    }
}
