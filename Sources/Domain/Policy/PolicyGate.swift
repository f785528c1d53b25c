package import JSON
package import Shared

/// What kind of question the gate is asked.
package enum PolicyCategory: String, CaseIterable, Sendable {
    /// Whether an action may be taken at all (`POST /v1/policy/evaluate`).
    case action
    case dataAccess = "data_access"
    case egress
    case toolCall = "tool_call"

    /// What a lesson from it is filed under.
    var lesson: LessonCategory {
        switch self {
        case .action: .action
        case .dataAccess: .data
        case .egress: .egress
        case .toolCall: .tool
        }
    }
}

/// What somebody wants to do, as the gate is asked.
package struct PolicyQuestion: Sendable {
    package var category: PolicyCategory
    package var action: ActionName
    package var workspaceID: WorkspaceID
    package var roomID: RoomID?
    package var runID: RunID?
    package var zone: Zone
    /// Of the exact call, where there is one: what a `once` approval is bound to.
    package var argsHash: String?
    /// The call, where it is known: an approval that was asked for one call is not used up by another.
    package var toolCallID: ToolCallID?
    package var context: JSONObject

    package init(
        category: PolicyCategory, action: ActionName, workspaceID: WorkspaceID, roomID: RoomID? = nil,
        runID: RunID? = nil, zone: Zone = .supervised, argsHash: String? = nil, toolCallID: ToolCallID? = nil,
        context: JSONObject = [:]
    ) {
        (self.category, self.action, self.workspaceID, self.zone) = (category, action, workspaceID, zone)
        (self.roomID, self.runID, self.argsHash) = (roomID, runID, argsHash)
        (self.toolCallID, self.context) = (toolCallID, context)
    }
}

/// What the gate knows when it is asked.
package struct PolicyFacts: Sendable {
    package var killSwitch: KillSwitch
    /// Approved approvals of the workspace for the action, newest decision first.
    package var approvals: [Approval]
    package var now: Timestamp
    /// How long the decision has taken so far, in microseconds: kept with what it lets through.
    package var elapsedMicroseconds: @Sendable () -> Int64

    package init(
        killSwitch: KillSwitch, approvals: [Approval], now: Timestamp,
        elapsedMicroseconds: @escaping @Sendable () -> Int64 = { 0 }
    ) {
        (self.killSwitch, self.approvals, self.now) = (killSwitch, approvals, now)
        self.elapsedMicroseconds = elapsedMicroseconds
    }
}

/// A verdict, and the approval it rests on, if it does.
package struct PolicyOutcome: Sendable {
    package var verdict: PolicyVerdict
    package var approval: Approval?

    package init(_ verdict: PolicyVerdict, approval: Approval? = nil) {
        (self.verdict, self.approval) = (verdict, approval)
    }
}

/// One rule of the gate: it decides, or leaves the question to the next one.
protocol PolicyRule: SendableMetatype {
    static var id: String { get }
    static func judge(_ question: PolicyQuestion, _ facts: PolicyFacts) -> PolicyVerdict?
}

/// The policy gate: the first rule that decides, wins; what no rule knows is denied.
///
/// A rule that asks for an approval is answered by one that covers the question, whatever its action. A denial is not:
/// nobody can approve past the kill switch, or what nobody knows.
package enum PolicyGate {
    private static let rules: [any PolicyRule.Type] = [
        KillSwitchRule.self,
        ActionRegistryRule.self,
        ExternalWriteRule.self,
        DataAccessRule.self,
        KnownActionRule.self,
        UnknownActionRule.self,
    ]

    package static func evaluate(_ question: PolicyQuestion, _ facts: PolicyFacts) -> PolicyOutcome {
        let verdict = judge(question, facts)
        guard verdict.decision == .requireApproval,
            let approval = facts.approvals.first(where: { $0.covers(question, at: facts.now) })
        else { return PolicyOutcome(verdict) }
        return PolicyOutcome(
            PolicyVerdict(
                .allow, "approval_allows_action", rule: verdict.ruleID, reason: "approved by \(approval.approvalID)"),
            approval: approval)
    }

    private static func judge(_ question: PolicyQuestion, _ facts: PolicyFacts) -> PolicyVerdict {
        for rule in rules {
            if let verdict = rule.judge(question, facts) { return verdict }
        }
        preconditionFailure("the last rule decides every question")
    }

    /// The event of a refusal: what was asked, redacted when it is recorded, and what the gate said.
    package static func refusal(
        _ verdict: PolicyVerdict, of question: PolicyQuestion, _ mode: EnforcementMode, in scope: EventScope,
        by actor: Actor, causedBy cause: EventID? = nil, _ change: (inout PolicyRefusal) -> Void = { _ in }
    ) -> EventDraft {
        var refusal = PolicyRefusal(
            category: question.category.rawValue, action: question.action.rawValue, verdict: verdict, mode: mode)
        refusal.argsHash = question.argsHash
        change(&refusal)
        return EventDraft(
            .policy(PolicyEvent(verdict.decision, refusal)), in: scope, by: actor, causedBy: cause,
            zone: question.zone, policyContext: question.context)
    }

    /// The action by its one name: blanks around it go, the old spellings become the new ones.
    package static func normalize(_ action: String) -> ActionName {
        switch Limits.trimmed(action) ?? "" {
        case "external_write": .externalWrite
        case "data_read": .dataRead
        case "data_write": .dataWrite
        case let other: ActionName(rawValue: other)
        }
    }
}

extension ActionName {
    /// What leaves the machine and cannot be taken back: held by the kill switch, approved one by one.
    package var isExternalWrite: Bool { Self.externalWrites.contains(rawValue) }

    package static let externalWrites = ["external.write", "email.send", "payment.execute", "api.call.mutating"]
}
