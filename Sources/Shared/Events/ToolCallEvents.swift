package import JSON

/// All that can happen to a tool call.
package enum ToolCallEvent: EventFamily {
    case requested(ToolRequested)
    case invoked(ToolInvoked)
    case succeeded(ToolSucceeded)
    case failed(ToolFailed)
    case unknown(ToolUnknown)
    case resolved(ToolResolved)

    package static let members: [EventMember<ToolCallEvent>] = [
        .init(ToolCallEvent.requested), .init(ToolCallEvent.invoked), .init(ToolCallEvent.succeeded),
        .init(ToolCallEvent.failed), .init(ToolCallEvent.unknown), .init(ToolCallEvent.resolved),
    ]

    package var payload: any EventPayload {
        switch self {
        case .requested(let payload): payload
        case .invoked(let payload): payload
        case .succeeded(let payload): payload
        case .failed(let payload): payload
        case .unknown(let payload): payload
        case .resolved(let payload): payload
        }
    }
}

/// A call was asked for and waits for an approval.
package struct ToolRequested: EventPayload {
    package static let type = "tool.requested"

    package var toolCallID: ToolCallID
    package var toolName: String
    package var title: String?
    package var input: JSONValue?
    package var action: String
    package var effect: Effect
    package var effectKey: String?
    package var argsHash: String
    package var attemptNo: Int
    package var approvalID: ApprovalID

    package init(
        toolCallID: ToolCallID, toolName: String, title: String? = nil, input: JSONValue? = nil, action: String,
        effect: Effect, effectKey: String? = nil, argsHash: String, attemptNo: Int, approvalID: ApprovalID
    ) {
        (self.toolCallID, self.toolName, self.title, self.input) = (toolCallID, toolName, title, input)
        (self.action, self.effect, self.effectKey, self.argsHash) = (action, effect, effectKey, argsHash)
        (self.attemptNo, self.approvalID) = (attemptNo, approvalID)
    }
}

/// A call was let through: its effect may start now, and only now.
package struct ToolInvoked: EventPayload {
    package static let type = "tool.invoked"

    package var toolCallID: ToolCallID
    package var toolName: String
    package var title: String?
    package var input: JSONValue?
    package var action: String
    package var effect: Effect
    package var effectKey: String?
    package var argsHash: String
    package var tryNo: Int
    package var attemptNo: Int

    package init(
        toolCallID: ToolCallID, toolName: String, title: String? = nil, input: JSONValue? = nil, action: String,
        effect: Effect, effectKey: String? = nil, argsHash: String, tryNo: Int, attemptNo: Int
    ) {
        (self.toolCallID, self.toolName, self.title, self.input) = (toolCallID, toolName, title, input)
        (self.action, self.effect, self.effectKey, self.argsHash) = (action, effect, effectKey, argsHash)
        (self.tryNo, self.attemptNo) = (tryNo, attemptNo)
    }
}

/// The call has done what it was asked.
package struct ToolSucceeded: EventPayload {
    package static let type = "tool.succeeded"

    package var toolCallID: ToolCallID
    package var output: JSONValue?

    package init(toolCallID: ToolCallID, output: JSONValue? = nil) {
        (self.toolCallID, self.output) = (toolCallID, output)
    }
}

/// The call has failed, with a known outcome.
package struct ToolFailed: EventPayload {
    package static let type = "tool.failed"

    package var toolCallID: ToolCallID
    package var message: String?
    package var error: JSONValue?

    package init(toolCallID: ToolCallID, message: String? = nil, error: JSONValue? = nil) {
        (self.toolCallID, self.message, self.error) = (toolCallID, message, error)
    }
}

/// It cannot be known whether the effect happened; a person or a reconcile step decides.
package struct ToolUnknown: EventPayload {
    package static let type = "tool.unknown"

    package var toolCallID: ToolCallID
    package var reason: String

    package init(toolCallID: ToolCallID, reason: String) {
        (self.toolCallID, self.reason) = (toolCallID, reason)
    }
}

/// Somebody said how an unknown call ended.
package struct ToolResolved: EventPayload {
    package static let type = "tool.resolved"

    package var toolCallID: ToolCallID
    package var outcome: ResolvedOutcome
    package var reason: String?
    package var output: JSONValue?

    package init(toolCallID: ToolCallID, outcome: ResolvedOutcome, reason: String? = nil, output: JSONValue? = nil) {
        (self.toolCallID, self.outcome, self.reason, self.output) = (toolCallID, outcome, reason, output)
    }
}

/// How somebody settles a call whose outcome was unknown.
package enum ResolvedOutcome: String, CaseIterable, Codable, Sendable { case succeeded, failed }

extension ToolCallEvent {
    /// The call it is about.
    package var toolCallID: ToolCallID {
        switch self {
        case .requested(let event): event.toolCallID
        case .invoked(let event): event.toolCallID
        case .succeeded(let event): event.toolCallID
        case .failed(let event): event.toolCallID
        case .unknown(let event): event.toolCallID
        case .resolved(let event): event.toolCallID
        }
    }
}
