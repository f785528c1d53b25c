import HTTP
import JSON
import Platform
import Shared

/// Carries out one step, on a thread of its own: opens it, makes its call as often as the plan allows, keeps its
/// artifacts, and says how it ended. Everything is told to the api before it counts.
struct StepExecutor: Sendable {
    /// What is known of the step from earlier claims.
    struct Known: Sendable {
        var step: Step?
        var call: ToolCall?
    }

    /// Sleeps up to this long are slept here; longer ones park the run.
    static let sleepHereMsMax: Int64 = 5_000

    /// The code of a call that was let through and then not started: it used up no try.
    static let permitUnused = "permit_unused"

    let context: RunContext
    let step: PlanStep
    let known: Known
    let scope: TemplateScope
    /// When the step's sleep ends, if it began in this claim.
    var wakeAt: Timestamp?

    private var held: HeldRun { context.held }
    private var writer: RunWriter { context.writer }
    private var isCleanUp: Bool { step.when == .always || (step.when == .failure && held.limit != nil) }

    func run() -> StepEnd {
        held.during(isCleanUp: isCleanUp) { stop in
            do throws(RunWriter.Failure) {
                return try execute(stop)
            } catch {
                switch error {
                case .lost: return .lost
                case .refused(let problem, _):
                    // The api knows better than we do what this step may do; without it the step cannot go on.
                    held.lose("step \(step.id): \(problem.reasonCode): \(problem.detail)")
                    return .lost
                }
            }
        }
    }

    private func execute(_ stop: StopSignal) throws(RunWriter.Failure) -> StepEnd {
        let stepID = try open()
        let arguments: JSONValue
        do {
            arguments = try resolvedArguments()
        } catch let failure as ToolFailure {
            return try fail(stepID, failure)
        } catch { return try fail(stepID, ToolFailure("template_failed", "\(error)")) }
        var tryNo = max(1, known.call?.tryNo ?? 1)
        if let call = known.call {
            switch call.status {
            case .succeeded, .unknown: break
            // Whatever an earlier holder let start was a try; what comes now is the next.
            case .waiting, .running: tryNo = call.tryNo + 1
            case .failed:
                let failure = ToolFailure(recorded: call.error)
                guard mayRetry(failure, after: call.tryNo) else { return try fail(stepID, failure) }
                tryNo = call.tryNo + 1
            }
        }
        while true {
            let attempt = try Attempt(executor: self, stepID: stepID, arguments: arguments, tryNo: tryNo).run(stop)
            switch attempt {
            case .succeeded(let callID, let output): return try succeed(stepID, callID, output)
            case .waits(let wait): return .waits(wait)
            case .interrupted: return .interrupted
            case .failed(let failure):
                guard failure.stopped == nil, mayRetry(failure, after: tryNo) else { return try fail(stepID, failure) }
                let delay = step.retry.delay(attempt: tryNo, random: context.entropy.fraction())
                context.log.info(
                    "step_retry",
                    [
                        "run": .text(context.runID.rawValue), "step": .text(step.id.rawValue),
                        "try": .number(Int64(tryNo)),
                        "code": .text(failure.code), "wait_ms": .number(Int64(delay)),
                    ])
                if !held.pause(milliseconds: Int64(delay), stop) {
                    if held.isLost { throw .lost }
                    if let cause = stop.cause { return try fail(stepID, .stopped(cause)) }
                    return .interrupted
                }
                tryNo += 1
            }
        }
    }

    private func mayRetry(_ failure: ToolFailure, after tryNo: Int) -> Bool {
        if failure.code == Self.permitUnused { return true }
        return failure.isRetryable && step.retry.allowsAnother(after: tryNo)
    }

    // MARK: Opening and ending

    private func open() throws(RunWriter.Failure) -> StepID {
        if let step = known.step { return step.stepID }
        return try writer.openStep(step).answer.stepID
    }

    private func succeed(
        _ stepID: StepID, _ callID: ToolCallID, _ output: JSONValue
    ) throws(RunWriter.Failure) -> StepEnd {
        do throws(ArtifactKeeper.Failure) {
            try ArtifactKeeper(context: context, stepID: stepID).keep(step.artifacts)
        } catch {
            switch error {
            case .api(let failure): throw failure
            case .tool(let failure): return try fail(stepID, failure)
            }
        }
        try writer.report(
            .succeedStep, EndStep(claimToken: writer.token, output: output), ["step_id": stepID.rawValue],
            doneWhen: [.stepAlreadyEnded])
        // Templates see what was recorded, which the api may have redacted further.
        let recorded = context.referenced.contains(step.id) ? try writer.recordedOutput(of: callID) : output
        return .ended(.succeeded, output: recorded, failure: nil)
    }

    /// Ends the step as failed, or as cancelled when that is why.
    private func fail(_ stepID: StepID, _ failure: ToolFailure) throws(RunWriter.Failure) -> StepEnd {
        if failure.stopped == .lost { throw .lost }
        let parameters = ["step_id": stepID.rawValue]
        if failure.stopped == .cancelled {
            try writer.report(
                .cancelStep, EndStep(claimToken: writer.token, reason: failure.code), parameters,
                doneWhen: [.stepAlreadyEnded])
            return .ended(.cancelled, output: [:], failure: failure)
        }
        try writer.report(
            .failStep, EndStep(claimToken: writer.token, message: failure.message, error: failure.json), parameters,
            doneWhen: [.stepAlreadyEnded])
        return .ended(.failed, output: [:], failure: failure)
    }

    // MARK: Arguments

    /// Templates filled in, secrets left open: what the api gets to see.
    private func resolvedArguments() throws -> JSONValue {
        let resolved = try step.resolvedArguments { try scope.value(of: $0) }
        let arguments = step.tool == .sleep ? sleepArguments(resolved) : resolved
        if let fault = ToolCatalogue.callFaults(tool: step.tool, arguments: arguments).first {
            throw ToolFailure("arguments_invalid", "\(fault.pointer): \(fault.detail)")
        }
        return arguments
    }

    /// A sleep is recorded with its end, so that it ends then whoever carries it on.
    private func sleepArguments(_ arguments: JSONValue) -> JSONValue {
        if let wakeAt { return ["until": .string(wakeAt.description)] }
        if let recorded = known.call?.input["until"] { return ["until": recorded] }
        guard let duration = arguments["duration_ms"]?.intValue else { return arguments }
        let start = known.step?.createdAt ?? Timestamp(milliseconds: context.clock.wallMilliseconds())
        return ["until": .string(start.adding(milliseconds: duration).description)]
    }
}

extension RunWriter {
    func openStep(_ step: PlanStep) throws(Failure) -> (status: HTTPStatus, answer: StepCreatedAnswer) {
        try send(
            .createStep,
            CreateStep(
                claimToken: token, planStepID: step.id.rawValue, kind: "tool", title: step.title ?? step.id.rawValue,
                input: step.arguments),
            ["run_id": held.id.rawValue])
    }

    func recordedOutput(of call: ToolCallID) throws(Failure) -> JSONValue {
        try send(.toolCall, Nothing(), ["tool_call_id": call.rawValue]).answer.toolCall.output
    }
}
