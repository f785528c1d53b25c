package import JSON
package import Shared

/// What somebody wants to do, as the gate is asked.
package struct PolicyQuestion: Sendable {
    package var category: String
    package var action: ActionName
    package var workspaceID: WorkspaceID
    package var roomID: RoomID?
    package var runID: RunID?
    /// Of the exact call, where there is one: what a `once` approval is bound to.
    package var argsHash: String?
    /// The call, where it is known: an approval that was asked for one call is not used up by another.
    package var toolCallID: ToolCallID?
    package var context: JSONObject

    package init(
        category: String, action: ActionName, workspaceID: WorkspaceID, roomID: RoomID? = nil, runID: RunID? = nil,
        argsHash: String? = nil, toolCallID: ToolCallID? = nil, context: JSONObject = [:]
    ) {
        (self.category, self.action, self.workspaceID) = (category, action, workspaceID)
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

    package init(killSwitch: KillSwitch, approvals: [Approval], now: Timestamp) {
        (self.killSwitch, self.approvals, self.now) = (killSwitch, approvals, now)
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
    static func judge(_ question: PolicyQuestion, _ facts: PolicyFacts) -> PolicyOutcome?
}

/// The policy gate: the first rule that decides, wins; what no rule knows is denied.
package enum PolicyGate {
    private static let rules: [any PolicyRule.Type] = [
        KillSwitchRule.self,
        ExternalWriteRule.self,
        DataAccessRule.self,
        KnownActionRule.self,
        UnknownActionRule.self,
    ]

    package static func evaluate(_ question: PolicyQuestion, _ facts: PolicyFacts) -> PolicyOutcome {
        for rule in rules {
            if let outcome = rule.judge(question, facts) { return outcome }
        }
        preconditionFailure("the last rule decides every question")
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
