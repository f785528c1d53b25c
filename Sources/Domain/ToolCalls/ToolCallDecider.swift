import JSON
package import Shared

/// Tool calls: every act of a run asks here first, and reports here afterwards.
package enum ToolCallDecider {
    /// What a request to act is decided on.
    package struct Facts: Sendable {
        package var command: CommandFacts
        package var run: Run
        package var step: Step
        /// The call that was made under the same effect key before.
        package var existing: ToolCall?
        /// The approval that call waits for.
        package var approval: Approval?
        package var policy: PolicyFacts
        package var mode: EnforcementMode
        /// Calls the run has made.
        package var callCount: Int
        /// The most that its plan allows.
        package var callsMax: Int?
        package var newCallID: ToolCallID
        package var newApprovalID: ApprovalID

        package init(
            command: CommandFacts, run: Run, step: Step, existing: ToolCall?, approval: Approval?, policy: PolicyFacts,
            mode: EnforcementMode, callCount: Int, callsMax: Int?, newCallID: ToolCallID, newApprovalID: ApprovalID
        ) {
            (self.command, self.run, self.step, self.existing) = (command, run, step, existing)
            (self.approval, self.policy, self.mode) = (approval, policy, mode)
            (self.callCount, self.callsMax) = (callCount, callsMax)
            (self.newCallID, self.newApprovalID) = (newCallID, newApprovalID)
        }
    }

    package enum Answer: Sendable {
        /// Act now, within the permit's time.
        case permitted(ToolCallID, PolicyVerdict, ToolCallRequest)
        /// It has ended already; here is how.
        case ended(ToolCall)
        /// An approval has to come first.
        case waiting(ToolCallID, ApprovalID, PolicyVerdict, ToolCallRequest)
        /// Policy says no, and that is recorded.
        case refused(Rejection)
    }

    package static func request(_ request: ToolCallRequest, _ facts: Facts) throws(Rejection) -> Decision<Answer> {
        guard facts.run.status == .running else { throw StepDecider.notRunning(facts.run) }
        guard !facts.step.status.isTerminal || facts.step.planStepID == nil else {
            throw Rejection(.stepAlreadyEnded, "the step has ended: it is \(facts.step.status.rawValue)")
        }
        guard let call = facts.existing else {
            if let most = facts.callsMax, facts.callCount >= most {
                throw Rejection(
                    .toolCallLimitReached, "the plan allows \(most) tool calls, and all have been made",
                    details: ["max_tool_calls": .integer(Int64(most))])
            }
            return judge(request, facts, callID: facts.newCallID)
        }
        switch call.status {
        case .succeeded: return Decision([], .ended(call))
        case .failed:
            // The same try again is a lost answer; the next number is a retry.
            if request.tryNo <= call.tryNo { return Decision([], .ended(call)) }
            // No is no, however often the same thing is asked: nobody is to be worn down.
            if let approval = facts.approval, approval.status == .denied, request.argsHash == call.argsHash {
                return Decision([], .refused(denied(approval)))
            }
            return judge(request, facts, callID: call.toolCallID)
        case .unknown: return Decision([], .refused(unknown(call)))
        case .waiting: return try waiting(call, request, facts)
        case .running: return running(call, request, facts)
        }
    }

    /// A call that waits for an approval asks again.
    private static func waiting(
        _ call: ToolCall, _ request: ToolCallRequest, _ facts: Facts
    ) throws(Rejection) -> Decision<Answer> {
        guard request.argsHash == call.argsHash else {
            let rejection = Rejection(
                .approvalOutOfScope, "the arguments are not the ones an approval was asked for",
                details: ["asked_for": .string(call.argsHash), "found": .string(request.argsHash)])
            return end(call, rejection, facts)
        }
        guard let approval = facts.approval else { return judge(request, facts, callID: call.toolCallID) }
        switch approval.status {
        case .denied:
            return end(call, denied(approval), facts)
        case .approved where approval.consumedAt != nil:
            return end(
                call, Rejection(.approvalAlreadyConsumed, "the approval was used before", details: id(approval)), facts)
        // The timer that records the end may come later than the end.
        case .expired,
            _ where approval.expiresAt.map({ $0 <= facts.command.now }) ?? false:
            return end(call, Rejection(.approvalExpired, "the approval has expired", details: id(approval)), facts)
        case .approved:
            // Its own approval first: others may cover it too, and there may be more than the gate looks at.
            var facts = facts
            facts.policy.approvals.insert(approval, at: 0)
            return judge(request, facts, callID: call.toolCallID)
        case .pending, .held:
            let verdict = PolicyVerdict(
                .requireApproval, ReasonCode.externalWriteRequiresApproval.rawValue, rule: ExternalWriteRule.id,
                reason: "\(request.action) waits for \(approval.approvalID)")
            // A halt or a wider approval may have come meanwhile.
            let outcome = PolicyGate.evaluate(question(request, facts), facts.policy)
            if outcome.verdict.decision != .requireApproval { return judge(request, facts, callID: call.toolCallID) }
            return Decision([], .waiting(call.toolCallID, approval.approvalID, verdict, request))
        }
    }

    /// A call that was let through and never reported.
    private static func running(_ call: ToolCall, _ request: ToolCallRequest, _ facts: Facts) -> Decision<Answer> {
        // The same holder asks again because the answer was lost: it has not acted yet.
        if call.attemptNo == facts.run.attemptNo {
            // Its count of tries may lag behind ours when the call was taken over; where a repetition does no harm,
            // that is no reason to ask a person.
            guard request.tryNo == call.tryNo || call.effect != .once, request.argsHash == call.argsHash else {
                return Decision([], .refused(unknown(call)))
            }
            let outcome = PolicyGate.evaluate(question(request, facts), facts.policy)
            if outcome.verdict.reasonCode == ReasonCode.killSwitchActive.rawValue {
                return refuse(outcome.verdict, request, facts)
            }
            return Decision(
                [], .permitted(call.toolCallID, PolicyVerdict(.allow, "permit_renewed", rule: "permit"), request))
        }
        // The holder before this one may or may not have acted.
        if call.effect == .once {
            let reason = "the engine was lost while the call ran; whether it took effect is not known"
            let event = draft(
                .unknown(ToolUnknown(toolCallID: call.toolCallID, reason: reason)), call.lastEventID, facts)
            return Decision([event], .refused(unknown(call)))
        }
        return judge(request, facts, callID: call.toolCallID)
    }

    /// Asks the gate, and records what it says.
    private static func judge(_ request: ToolCallRequest, _ facts: Facts, callID: ToolCallID) -> Decision<Answer> {
        let outcome = PolicyGate.evaluate(question(request, facts), facts.policy)
        let isHalt = outcome.verdict.reasonCode == ReasonCode.killSwitchActive.rawValue
        switch outcome.verdict.decision {
        case .allow: return dispatch(request, outcome, facts, callID: callID)
        // Shadow mode watches and lets through; a halt is no matter of mode.
        case .deny where facts.mode == .shadow && !isHalt, .requireApproval where facts.mode == .shadow:
            let refusal = refusal(outcome.verdict, request, facts, callID: facts.existing?.toolCallID)
            var decision = dispatch(request, outcome, facts, callID: callID)
            decision.events.insert(refusal, at: 0)
            return decision
        case .deny: return refuse(outcome.verdict, request, facts)
        case .requireApproval: return ask(outcome.verdict, request, facts, callID: callID)
        }
    }

    private static func dispatch(
        _ request: ToolCallRequest, _ outcome: PolicyOutcome, _ facts: Facts, callID: ToolCallID
    ) -> Decision<Answer> {
        let invoked = ToolInvoked(
            toolCallID: callID, toolName: request.toolName, title: request.title, input: request.input,
            action: request.action.rawValue, effect: request.effect, effectKey: request.effectKey,
            argsHash: request.argsHash, tryNo: (facts.existing?.tryNo ?? 0) + 1, attemptNo: facts.run.attemptNo)
        var events: [EventDraft] = []
        if let approval = outcome.approval, approval.scope?.type == .once {
            let consumed = ApprovalConsumed(approvalID: approval.approvalID, toolCallID: callID)
            events.append(ApprovalDecider.draft(.consumed(consumed), approval, facts.command))
        }
        var event = draft(.invoked(invoked), events.isEmpty ? cause(facts) : nil, facts)
        event.policyContext = context(outcome, request, facts)
        events.append(event)
        return Decision(events, .permitted(callID, outcome.verdict, request))
    }

    private static func ask(
        _ verdict: PolicyVerdict, _ request: ToolCallRequest, _ facts: Facts, callID: ToolCallID
    ) -> Decision<Answer> {
        let approvalID = facts.newApprovalID
        let refusal = refusal(verdict, request, facts, callID: callID, approvalID: approvalID)
        let requested = ToolRequested(
            toolCallID: callID, toolName: request.toolName, title: request.title, input: request.input,
            action: request.action.rawValue, effect: request.effect, effectKey: request.effectKey,
            argsHash: request.argsHash, attemptNo: facts.run.attemptNo, approvalID: approvalID)
        let isApprovalTool = request.action == .approvalRequest
        let approval = ApprovalRequested(
            approvalID: approvalID, action: request.action.rawValue,
            title: isApprovalTool
                ? request.input["title"]?.stringValue
                : request.title ?? facts.step.title
                    ?? "\(request.toolName) in step \(facts.step.planStepID ?? facts.step.kind)",
            request: isApprovalTool
                ? request.input["request"] ?? [:]
                : ["tool": .string(request.toolName), "arguments": request.input],
            context: [
                "plan_step_id": facts.step.planStepID.map { .string($0) } ?? .null, "rule_id": .string(verdict.ruleID),
            ],
            scope: ApprovalScope(type: .once, runID: facts.run.runID, argsHash: request.argsHash),
            expiresAt: facts.command.now.adding(milliseconds: ApprovalDecider.callLifetimeMilliseconds),
            toolCallID: callID)
        return Decision(
            [
                refusal, draft(.requested(requested), nil, facts),
                draft(.approval(.requested(approval)), nil, facts),
            ], .waiting(callID, approvalID, verdict, request))
    }

    private static func refuse(
        _ verdict: PolicyVerdict, _ request: ToolCallRequest, _ facts: Facts
    ) -> Decision<Answer> {
        let isHalt = verdict.reasonCode == ReasonCode.killSwitchActive.rawValue
        let rejection = Rejection(
            isHalt ? .killSwitchActive : ReasonCode(rawValue: verdict.reasonCode) ?? .unknownAction,
            verdict.reason ?? "policy refuses \(request.action)",
            details: [
                "decision": .string(verdict.decision.rawValue), "rule_id": .string(verdict.ruleID),
                "action": .string(request.action.rawValue), "parkable": .bool(isHalt),
            ])
        return Decision([refusal(verdict, request, facts, callID: facts.existing?.toolCallID)], .refused(rejection))
    }

    private static func refusal(
        _ verdict: PolicyVerdict, _ request: ToolCallRequest, _ facts: Facts, callID: ToolCallID?,
        approvalID: ApprovalID? = nil
    ) -> EventDraft {
        PolicyGate.refusal(
            verdict, of: question(request, facts), facts.mode, in: facts.step.scope(in: facts.run),
            by: facts.command.actor, causedBy: cause(facts)
        ) { refusal in
            refusal.arguments = request.input
            (refusal.toolCallID, refusal.approvalID) = (callID, approvalID)
        }
    }

    /// The call is over without having been let through.
    private static func end(_ call: ToolCall, _ rejection: Rejection, _ facts: Facts) -> Decision<Answer> {
        let failed = ToolFailed(
            toolCallID: call.toolCallID, message: rejection.detail,
            error: ["code": .string(rejection.reason.rawValue), "message": .string(rejection.detail)])
        return Decision([draft(.failed(failed), call.lastEventID, facts)], .refused(rejection))
    }

    private static func unknown(_ call: ToolCall) -> Rejection {
        Rejection(
            .outcomeUnknown,
            "it is not known whether the call took effect; `aos run resolve` settles it",
            details: ["tool_call_id": .string(call.toolCallID.rawValue), "effect": .string(call.effect.rawValue)])
    }

    private static func question(_ request: ToolCallRequest, _ facts: Facts) -> PolicyQuestion {
        PolicyQuestion(
            category: .toolCall, action: request.action, workspaceID: facts.run.workspaceID,
            roomID: facts.run.roomID, runID: facts.run.runID, argsHash: request.argsHash,
            toolCallID: facts.existing?.toolCallID ?? facts.newCallID,
            context: ["tool_call": ["tool_name": .string(request.toolName)]])
    }

    private static func context(_ outcome: PolicyOutcome, _ request: ToolCallRequest, _ facts: Facts) -> JSONObject {
        var context: JSONObject = [
            "decision": .string(outcome.verdict.decision.rawValue),
            "reason_code": .string(outcome.verdict.reasonCode),
            "rule_id": .string(outcome.verdict.ruleID),
            "policy_version": .string(PolicyVerdict.policyVersion),
            "mode": .string(facts.mode.rawValue),
            "action": .string(request.action.rawValue),
            "args_hash": .string(request.argsHash),
            "latency_us": .integer(facts.policy.elapsedMicroseconds()),
        ]
        if let approval = outcome.approval { context["approval_id"] = .string(approval.approvalID.rawValue) }
        return context
    }

    private static func cause(_ facts: Facts) -> EventID? {
        facts.existing?.lastEventID ?? facts.step.lastEventID ?? facts.run.lastEventID
    }

    private static func denied(_ approval: Approval) -> Rejection {
        let why = approval.decisionReason.map { ": \($0)" } ?? ""
        return Rejection(.approvalDenied, "the approval was denied\(why)", details: id(approval))
    }

    private static func id(_ approval: Approval) -> JSONObject {
        ["approval_id": .string(approval.approvalID.rawValue)]
    }

    private static func draft(_ event: ToolCallEvent, _ cause: EventID?, _ facts: Facts) -> EventDraft {
        draft(.toolCall(event), cause, facts)
    }

    private static func draft(_ event: DomainEvent, _ cause: EventID?, _ facts: Facts) -> EventDraft {
        EventDraft(event, in: facts.step.scope(in: facts.run), by: facts.command.actor, causedBy: cause)
    }
}
