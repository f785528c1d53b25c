import Shared

extension Approval {
    /// Whether it lets exactly this happen, now.
    func covers(_ question: PolicyQuestion, at now: Timestamp) -> Bool {
        guard status == .approved, workspaceID == question.workspaceID, consumedAt == nil,
            PolicyGate.normalize(action) == question.action, expiresAt.map({ $0 > now }) ?? true, let scope
        else { return false }
        return switch scope.type {
        case .once:
            scope.argsHash != nil && scope.argsHash == question.argsHash
                && (scope.runID == nil || scope.runID == question.runID) && isMeant(for: question.toolCallID)
        case .run: question.runID != nil && (scope.runID ?? runID) == question.runID
        case .room: question.roomID != nil && (scope.roomID ?? roomID) == question.roomID
        case .workspace: true
        case .template: false
        }
    }

    /// An approval that was asked for one call is for no other.
    private func isMeant(for call: ToolCallID?) -> Bool {
        guard let asked = toolCallID, let call else { return true }
        return asked == call
    }
}
