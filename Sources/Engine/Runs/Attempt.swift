import HTTP
import JSON
import Platform
import Shared

/// One try of a step's call: ask, act within the permit, report.
struct Attempt {
    enum End {
        case succeeded(ToolCallID, output: JSONValue)
        case failed(ToolFailure)
        case waits(Wait)
        case interrupted
    }

    let executor: StepExecutor
    let stepID: StepID
    /// Secrets still open.
    let arguments: JSONValue
    let tryNo: Int

    /// A step of a plan makes one call.
    private static let ordinal = 1
    private static let permitMsDefault: Int64 = 1_000
    private static let permitPauseMsMax: Int64 = 2_000

    private var context: RunContext { executor.context }
    private var step: PlanStep { executor.step }
    private var held: HeldRun { context.held }
    private var writer: RunWriter { context.writer }
    private var action: ActionName { ToolCatalogue.action(tool: step.tool, arguments: arguments) }
    private var isExternal: Bool { action == .externalRead || action == .externalWrite }
    private var isExternalWrite: Bool { action == .externalWrite }

    func run(_ stop: StopSignal) throws(RunWriter.Failure) -> End {
        let prepared = prepare()
        /// Given, and run out before the effect was started.
        var unused: ToolCallPermit?
        var pauseMs: Int64 = 50
        while true {
            if let end = try reasonNotToAsk(stop, unused) { return end }
            let askedAt = context.clock.monotonicMilliseconds()
            let answer: (status: HTTPStatus, answer: ToolCallPermit)
            do throws(RunWriter.Failure) {
                answer = try ask()
            } catch {
                guard case .refused(let problem, _) = error else { throw error }
                if let unused { try giveBack(unused) }
                return try end(refused: problem)
            }
            let permit = answer.answer
            switch answer.status.code {
            case 202: return .waits(waitForApproval(permit))
            case 200: return end(known: permit)
            default: break
            }
            if let wait = longSleep() { return .waits(wait) }
            let leftMs =
                (permit.permitTTLMs ?? Self.permitMsDefault) - (context.clock.monotonicMilliseconds() - askedAt)
            if leftMs <= 0 {
                unused = permit
                _ = held.pause(milliseconds: pauseMs, stop)
                pauseMs = min(pauseMs * 2, Self.permitPauseMsMax)
                continue
            }
            return try act(prepared, permit, leftMs, stop)
        }
    }

    private func reasonNotToAsk(_ stop: StopSignal, _ unused: ToolCallPermit?) throws(RunWriter.Failure) -> End? {
        let end: End? =
            if let cause = stop.cause {
                cause == .drained ? .interrupted : .failed(.stopped(cause))
            } else if held.isDraining {
                .interrupted
            } else if isExternalWrite, context.isKillSwitchEngaged() {
                halt
            } else {
                nil
            }
        if end != nil, stop.cause != .lost, let unused { try giveBack(unused) }
        return end
    }

    /// A permit that was not used: nothing has happened, and whoever goes on must know that.
    private func giveBack(_ permit: ToolCallPermit) throws(RunWriter.Failure) {
        let failure = ToolFailure(
            StepExecutor.permitUnused, "the permit was not used; nothing was started", retryable: true,
            beforeStart: true)
        try report(failure, permit, isUnknown: false)
    }

    private var halt: End { .waits(Wait(.halt, planStepID: step.id.rawValue)) }

    /// What can be done without changing anything, also without a permit. A failure is reported only when the api has
    /// let the call through.
    private func prepare() -> Result<PreparedCall, ToolFailure> {
        do throws(ToolFailure) {
            guard step.tool != .approval else { return .success(approval(reason: nil)) }
            guard let tool = context.tools[step.tool] else {
                throw ToolFailure("tool_unavailable", "this engine has no tool \(step.tool.rawValue)")
            }
            var input = ToolInput(
                runID: context.runID, stepID: stepID, arguments: try withSecrets(), workdir: context.workdir,
                timeoutMs: step.timeoutMs.map(Int64.init), masker: context.masker)
            (input.writer, input.effectKey) = (writer, "\(context.runID)/\(step.id)/\(Self.ordinal)")
            return .success(try tool.prepare(input))
        } catch { return .failure(error) }
    }

    private func withSecrets() throws(ToolFailure) -> JSONValue {
        do {
            return try Template.resolveSecrets(in: arguments) { name in
                guard let value = context.secrets[name] else {
                    throw ToolFailure("secret_not_found", "secret \(name) was not read at the run's start")
                }
                return value
            }
        } catch let failure as ToolFailure {
            throw failure
        } catch { throw ToolFailure("template_failed", "\(error)") }
    }

    private func ask() throws(RunWriter.Failure) -> (status: HTTPStatus, answer: ToolCallPermit) {
        try writer.send(
            .requestToolCall,
            RequestToolCall(
                claimToken: writer.token, toolName: step.tool.rawValue, title: step.title, input: arguments,
                ordinal: Self.ordinal,
                tryNo: tryNo, effect: step.declaredEffect),
            ["step_id": stepID.rawValue])
    }

    // MARK: Answers

    private func waitForApproval(_ permit: ToolCallPermit) -> Wait {
        Wait(
            .approval, planStepID: step.id.rawValue, approvalID: permit.approvalID, toolCallID: permit.toolCallID)
    }

    private func end(known permit: ToolCallPermit) -> End {
        switch permit.status {
        case .succeeded: .succeeded(permit.toolCallID, output: permit.output ?? [:])
        case .failed: .failed(ToolFailure(recorded: permit.error ?? [:]))
        case .unknown: .waits(Wait(.unknown, planStepID: step.id.rawValue, toolCallID: permit.toolCallID))
        case .waiting, .running: .waits(waitForApproval(permit))
        }
    }

    private func end(refused problem: Problem) throws(RunWriter.Failure) -> End {
        switch problem.code {
        case .killSwitchActive, .killSwitchSetByEnvironment:
            return halt
        case .outcomeUnknown:
            let call =
                problem.details?["tool_call_id"]?.stringValue.map { ToolCallID($0) } ?? executor.known.call?.toolCallID
            return .waits(Wait(.unknown, planStepID: step.id.rawValue, toolCallID: call))
        case .runCancelRequested:
            held.requestCancel()
            return .failed(.stopped(.cancelled))
        case .toolCallLimitReached:
            held.reachLimit("max_tool_calls")
            return .failed(ToolFailure(problem.reasonCode, problem.detail))
        default:
            if problem.details?["parkable"]?.boolValue == true { return halt }
            var details: JSONObject = [:]
            for name in ["rule_id", "approval_id", "tool_call_id"] { details[name] = problem.details?[name] }
            return .failed(ToolFailure(problem.reasonCode, problem.detail, details: details))
        }
    }

    /// The wait that a long sleep parks with; nil when it can be slept here.
    private func longSleep() -> Wait? {
        guard step.tool == .sleep, let until = arguments["until"]?.stringValue.flatMap({ Timestamp($0) }),
            until.milliseconds - context.clock.wallMilliseconds() > StepExecutor.sleepHereMsMax
        else { return nil }
        return Wait(.timer, planStepID: step.id.rawValue, wakeAt: until)
    }

    private func approval(reason: String?) -> PreparedCall {
        PreparedCall { _ in
            var output: JSONObject = ["decision": "approved"]
            if let reason { output["reason"] = .string(reason) }
            return .success(output)
        }
    }

    // MARK: Acting

    private func act(
        _ prepared: Result<PreparedCall, ToolFailure>, _ permit: ToolCallPermit, _ leftMs: Int64, _ stop: StopSignal
    ) throws(RunWriter.Failure) -> End {
        if isExternalWrite, context.isKillSwitchEngaged() {
            try giveBack(permit)
            return halt
        }
        let startedAt = context.clock.monotonicMilliseconds()
        let result: Result<JSONObject, ToolFailure>
        switch prepared {
        case .failure(let failure): result = .failure(failure)
        case .success(let call):
            let ready = step.tool == .approval ? approval(reason: permit.reason) : call
            result = ready.run(PreparedCall.Permit(leftMs: leftMs, stop: stop))
        }
        let durationMs = context.clock.monotonicMilliseconds() - startedAt
        if held.isLost { throw .lost }
        switch result {
        case .success(let output):
            log("step_call_succeeded", nil, durationMs)
            let value = JSONValue.object(output)
            try report(permit, wanted: .succeeded) { () throws(RunWriter.Failure) in
                try writer.send(
                    .succeedToolCall, EndToolCall(claimToken: writer.token, output: value),
                    ["tool_call_id": permit.toolCallID.rawValue])
            }
            return .succeeded(permit.toolCallID, output: value)
        case .failure(let failure):
            log("step_call_failed", failure.code, durationMs)
            return try end(failure.masked(context.masker), permit)
        }
    }

    private func end(_ failure: ToolFailure, _ permit: ToolCallPermit) throws(RunWriter.Failure) -> End {
        if failure.stopped == .lost { throw .lost }
        // Broken off by a drain: whoever goes on repeats what may be repeated.
        if failure.stopped == .drained, permit.effect != .once { return .interrupted }
        let isUnknown = failure.isUncertain && permit.effect == .once
        try report(failure, permit, isUnknown: isUnknown)
        if isUnknown, failure.stopped != .cancelled, failure.stopped != .limit {
            return .waits(Wait(.unknown, planStepID: step.id.rawValue, toolCallID: permit.toolCallID))
        }
        return failure.stopped == .drained ? .interrupted : .failed(failure)
    }

    private func report(
        _ failure: ToolFailure, _ permit: ToolCallPermit, isUnknown: Bool
    ) throws(RunWriter.Failure) {
        try report(permit, wanted: isUnknown ? .unknown : .failed) { () throws(RunWriter.Failure) in
            try writer.send(
                .failToolCall,
                EndToolCall(
                    claimToken: writer.token, message: failure.message, error: failure.json(isUnknown: isUnknown)),
                ["tool_call_id": permit.toolCallID.rawValue])
        }
    }

    /// A report whose first try stayed unanswered may find its own work done.
    private func report(
        _ permit: ToolCallPermit, wanted: ToolCallStatus,
        _ send: () throws(RunWriter.Failure) -> (status: HTTPStatus, answer: Done)
    ) throws(RunWriter.Failure) {
        do throws(RunWriter.Failure) {
            _ = try send()
        } catch {
            guard error.code == .toolCallNotRunning, case .refused(let problem, _) = error else { throw error }
            let call = try writer.send(.toolCall, Nothing(), ["tool_call_id": permit.toolCallID.rawValue])
            guard call.answer.toolCall.status == wanted else { throw .refused(problem, isRepeat: false) }
        }
    }

    private func log(_ event: String, _ code: String?, _ durationMs: Int64) {
        context.log.info(
            event,
            [
                "run": .text(context.runID.rawValue), "step": .text(step.id.rawValue),
                "tool": .text(step.tool.rawValue),
                "try": .number(Int64(tryNo)), "code": .text(code ?? "-"), "duration_ms": .number(durationMs),
            ])
    }
}

extension ToolFailure {
    /// Without secrets in any text.
    func masked(_ masker: Masker) -> ToolFailure {
        var clean = self
        clean.message = masker.masked(message)
        if case .object(let details)? = RecordedText.capped(.object(details), masker) { clean.details = details }
        return clean
    }
}
