import JSON
package import Shared

extension ToolCallDecider {
    /// The holder reports success.
    package static func succeed(
        _ call: ToolCall, _ request: EndToolCall, scope: EventScope, _ facts: CommandFacts
    ) throws(Rejection) -> EventDraft {
        try requireRunning(call)
        let event = ToolCallEvent.succeeded(ToolSucceeded(toolCallID: call.toolCallID, output: request.output))
        return EventDraft(.toolCall(event), in: scope, by: facts.actor, causedBy: call.lastEventID)
    }

    /// The holder reports failure. `error.unknown: true` says that the outcome cannot be known, which for an effect that
    /// must not happen twice is no failure: somebody has to look.
    package static func fail(
        _ call: ToolCall, _ request: EndToolCall, scope: EventScope, _ facts: CommandFacts
    ) throws(Rejection) -> EventDraft {
        try requireRunning(call)
        let isUnknown = request.error?["unknown"]?.boolValue == true && call.effect == .once
        let event: ToolCallEvent =
            isUnknown
            ? .unknown(ToolUnknown(toolCallID: call.toolCallID, reason: request.message ?? "the outcome is not known"))
            : .failed(ToolFailed(toolCallID: call.toolCallID, message: request.message, error: request.error))
        return EventDraft(.toolCall(event), in: scope, by: facts.actor, causedBy: call.lastEventID)
    }

    /// The operator says how an unknown call really ended.
    package static func resolve(
        _ call: ToolCall, _ request: ResolveToolCall, scope: EventScope, _ facts: CommandFacts
    ) throws(Rejection) -> EventDraft {
        guard call.status == .unknown else {
            throw Rejection(
                .toolCallNotUnknown, "the call is \(call.status.rawValue), expected unknown",
                details: ["status": .string(call.status.rawValue)])
        }
        guard let outcome = request.outcome else {
            throw Rejection.field("outcome", .missingField, "outcome is required: succeeded or failed")
        }
        let resolved = ToolResolved(
            toolCallID: call.toolCallID, outcome: outcome, reason: request.reason, output: request.output)
        return EventDraft(.toolCall(.resolved(resolved)), in: scope, by: facts.actor, causedBy: call.lastEventID)
    }

    private static func requireRunning(_ call: ToolCall) throws(Rejection) {
        guard call.status == .running else {
            throw Rejection(
                .toolCallNotRunning, "the call is \(call.status.rawValue), expected running",
                details: ["status": .string(call.status.rawValue)])
        }
    }

    // MARK: The fold

    package static func evolve(_ call: ToolCall?, _ recorded: Recorded<ToolCallEvent>) -> ToolCall? {
        let envelope = recorded.envelope
        var next: ToolCall
        switch recorded.event {
        case .requested(let requested):
            guard let made = call ?? ToolCall(requested.toolCallID, requested.toolName, recorded) else { return nil }
            next = made
            (next.status, next.approvalID, next.endedAt) = (.waiting, requested.approvalID, nil)
            (next.title, next.input, next.action) = (requested.title, requested.input ?? [:], requested.action)
            (next.effect, next.effectKey) = (requested.effect, requested.effectKey)
            (next.argsHash, next.attemptNo) = (requested.argsHash, requested.attemptNo)
        case .invoked(let invoked):
            guard let made = call ?? ToolCall(invoked.toolCallID, invoked.toolName, recorded) else { return nil }
            next = made
            (next.status, next.endedAt, next.error) = (.running, nil, [:])
            (next.title, next.input, next.action) = (invoked.title, invoked.input ?? [:], invoked.action)
            (next.effect, next.effectKey, next.argsHash) = (invoked.effect, invoked.effectKey, invoked.argsHash)
            (next.tryNo, next.attemptNo) = (invoked.tryNo, invoked.attemptNo)
        case .succeeded(let succeeded):
            guard let call else { return nil }
            next = call
            (next.status, next.output, next.endedAt) = (.succeeded, succeeded.output ?? [:], recorded.at)
        case .failed(let failed):
            guard let call else { return nil }
            next = call
            (next.status, next.endedAt) = (.failed, recorded.at)
            next.error = failed.error ?? failed.message.map { ["message": .string($0)] } ?? [:]
        case .unknown(let unknown):
            guard let call else { return nil }
            next = call
            (next.status, next.error) = (.unknown, ["code": "outcome_unknown", "message": .string(unknown.reason)])
        case .resolved(let resolved):
            guard let call else { return nil }
            next = call
            (next.status, next.endedAt) = (resolved.outcome == .succeeded ? .succeeded : .failed, recorded.at)
            if let output = resolved.output { next.output = output }
            if resolved.outcome == .succeeded { next.error = [:] }
        }
        (next.updatedAt, next.lastEventID) = (recorded.at, envelope.eventID)
        return next
    }
}

extension ToolCall {
    fileprivate init?(_ id: ToolCallID, _ toolName: String, _ recorded: Recorded<ToolCallEvent>) {
        guard let runID = recorded.envelope.runID, let stepID = recorded.envelope.stepID else { return nil }
        self.init(
            toolCallID: id, workspaceID: recorded.envelope.workspaceID, runID: runID, stepID: stepID,
            toolName: toolName, correlationID: recorded.envelope.correlationID, at: recorded.at)
        (roomID, threadID) = (recorded.envelope.roomID, recorded.envelope.threadID)
    }
}
