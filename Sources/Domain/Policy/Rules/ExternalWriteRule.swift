import Shared

/// An external write needs an approval whose scope covers it.
enum ExternalWriteRule: PolicyRule {
    static let id = "external_write"

    static func judge(_ question: PolicyQuestion, _ facts: PolicyFacts) -> PolicyOutcome? {
        guard question.action.isExternalWrite || question.action == .approvalRequest else { return nil }
        if let approval = facts.approvals.first(where: { covers($0, question, at: facts.now) }) {
            return PolicyOutcome(
                PolicyVerdict(
                    .allow, "approval_allows_action", rule: id, reason: "approved by \(approval.approvalID)"),
                approval: approval)
        }
        return PolicyOutcome(
            PolicyVerdict(
                .requireApproval, ReasonCode.externalWriteRequiresApproval.rawValue, rule: id,
                reason: "\(question.action) needs an approval"))
    }

    /// Whether the approval lets exactly this happen, now.
    static func covers(_ approval: Approval, _ question: PolicyQuestion, at now: Timestamp) -> Bool {
        guard approval.status == .approved, approval.workspaceID == question.workspaceID,
            PolicyGate.normalize(approval.action) == question.action,
            approval.expiresAt.map({ $0 > now }) ?? true, let scope = approval.scope
        else { return false }
        return switch scope.type {
        case .once:
            approval.consumedAt == nil && scope.argsHash != nil && scope.argsHash == question.argsHash
                && (scope.runID == nil || scope.runID == question.runID)
                && isMeant(approval, for: question.toolCallID)
        case .run: question.runID != nil && (scope.runID ?? approval.runID) == question.runID
        case .room: question.roomID != nil && (scope.roomID ?? approval.roomID) == question.roomID
        case .workspace: true
        case .template: false
        }
    }

    /// An approval that was asked for one call is for no other.
    private static func isMeant(_ approval: Approval, for call: ToolCallID?) -> Bool {
        guard let asked = approval.toolCallID, let call else { return true }
        return asked == call
    }
}
