import JSON
import Platform
import Shared

/// Schedules the steps of a run until nothing is left to do here. It keeps the states; `StepGraph` decides.
struct RunLoop {
    enum End {
        case ended(PlanOutcome, [PlanStepID: StepStatus], FirstFailure?)
        case waits([Wait])
        case interrupted
        case lost
    }

    struct FirstFailure {
        var step: PlanStepID
        var cause: ToolFailure
    }

    /// For killing what a lost run has started.
    private static let killMs: Int64 = 15_000
    private static let patienceMsMax: Int64 = 60_000

    let context: RunContext
    private let known: [PlanStepID: StepExecutor.Known]
    private let graph: StepGraph
    private let startedAt: Int64
    private let timeoutLeftMs: Int64
    private var states: [PlanStepID: StepStatus] = [:]
    private var waits: [PlanStepID: Wait] = [:]
    /// When the sleeps that were begun here end.
    private var wakeTimes: [PlanStepID: Timestamp] = [:]
    private var scope: TemplateScope
    private var failure: FirstFailure?
    private var isInterrupted = false
    private var stoppedAt: Int64?
    private var isGraceOver = false

    private var held: HeldRun { context.held }

    init(context: RunContext, known: [PlanStepID: StepExecutor.Known], runningMs: Int64) {
        (self.context, self.known, graph) = (context, known, StepGraph(context.plan))
        startedAt = context.clock.monotonicMilliseconds()
        timeoutLeftMs = Int64(context.plan.limits.timeoutMs) - runningMs
        scope = TemplateScope(runID: context.runID.rawValue, input: context.held.run.input)
        for (id, known) in known {
            guard let step = known.step, step.status.isTerminal else { continue }
            record(id, step.status, step.output, step.status == .failed ? ToolFailure(recorded: step.error) : nil)
        }
    }

    mutating func run() -> End {
        while true {
            if held.isLost { return leave() }
            checkLimits()
            do throws(RunWriter.Failure) {
                switch try advance() {
                case .end(let end): return end
                case .again: continue
                case .wait: awaitNews()
                }
            } catch {
                if case .refused(let problem, _) = error { held.lose("\(problem.reasonCode): \(problem.detail)") }
                return leave()
            }
        }
    }

    /// The lease is gone: what was started is being killed, and is waited for.
    private func leave() -> End {
        let running = states.values.count { $0 == .running }
        if !held.waitForReports(running, milliseconds: Self.killMs) {
            context.log.error("steps_left", ["run": .text(held.id.rawValue), "count": .number(Int64(running))])
        }
        return .lost
    }

    private enum Next {
        case end(End)
        case again, wait
    }

    /// Does all that can be done now.
    private mutating func advance() throws(RunWriter.Failure) -> Next {
        let stop = stop
        if stop != nil { try endWaiting() }
        let schedule = graph.next(states, stop: stop)
        for skip in schedule.skip { try self.skip(skip) }
        let isRunning = states.values.contains(.running)
        if let outcome = schedule.outcome { return .end(.ended(outcome, states, failure)) }
        if held.isDraining || isInterrupted { return isRunning ? .wait : .end(.interrupted) }
        for id in schedule.start { start(id) }
        guard schedule.isParked else { return .wait }
        if let wakeAt = soonTimer() {
            guard wakeAt <= context.clock.wallMilliseconds() else { return .wait }
            resumeTimers()
            return .again
        }
        return .end(.waits(context.plan.steps.compactMap { waits[$0.id] }))
    }

    private var stop: RunStop? {
        if held.isCancelRequested { return RunStop(.cancel, isGraceOver: isGraceOver) }
        return held.limit == nil ? nil : RunStop(.limit, isGraceOver: isGraceOver)
    }

    private mutating func checkLimits() {
        let now = context.clock.monotonicMilliseconds()
        held.checkLease()
        if now - startedAt >= timeoutLeftMs { held.reachLimit("timeout_ms") }
        guard held.isCancelRequested || held.limit != nil else { return }
        let since = stoppedAt ?? now
        stoppedAt = since
        if now - since >= RunExecutor.cleanUpMs, !isGraceOver {
            isGraceOver = true
            held.stopAll(held.isCancelRequested ? .cancelled : .limit)
        }
    }

    // MARK: Steps

    private mutating func start(_ id: PlanStepID) {
        guard let step = context.plan.step(id) else { preconditionFailure("the graph knows only steps of its plan") }
        states[id] = .running
        let executor = StepExecutor(
            context: context, step: step, known: known[id] ?? StepExecutor.Known(), scope: scope, wakeAt: wakeTimes[id])
        let held = held
        Thread.start("step \(id)") { held.report(HeldRun.StepReport(step: id, end: executor.run())) }
    }

    private mutating func skip(_ skip: Schedule.Skip) throws(RunWriter.Failure) {
        guard let step = context.plan.step(skip.step) else { return }
        let stepID = try stepID(of: step)
        try context.writer.report(
            .skipStep, EndStep(claimToken: context.writer.token, reason: skip.reason.rawValue),
            ["step_id": stepID.rawValue], doneWhen: [.stepAlreadyEnded])
        states[skip.step] = .skipped
    }

    private func stepID(of step: PlanStep) throws(RunWriter.Failure) -> StepID {
        if let known = known[step.id]?.step { return known.stepID }
        return try context.writer.openStep(step).answer.stepID
    }

    /// On a stop nobody waits any more.
    private mutating func endWaiting() throws(RunWriter.Failure) {
        for (id, state) in states where state == .waiting {
            guard let step = context.plan.step(id) else { continue }
            let stepID = try stepID(of: step)
            try context.writer.report(
                .cancelStep, EndStep(claimToken: context.writer.token, reason: "the run was stopped"),
                ["step_id": stepID.rawValue], doneWhen: [.stepAlreadyEnded])
            record(id, .cancelled, [:], nil)
        }
    }

    private mutating func record(_ id: PlanStepID, _ status: StepStatus, _ output: JSONValue, _ cause: ToolFailure?) {
        states[id] = status
        waits[id] = nil
        if status == .succeeded { scope.outputs[id] = output }
        guard status == .failed, failure == nil, context.plan.step(id)?.continueOnError == false else { return }
        failure = FirstFailure(step: id, cause: cause ?? ToolFailure("step_failed", "the step failed"))
    }

    private mutating func take(_ report: HeldRun.StepReport) {
        switch report.end {
        case .ended(let status, let output, let cause): record(report.step, status, output, cause)
        case .waits(let wait):
            (states[report.step], waits[report.step]) = (.waiting, wait)
            wakeTimes[report.step] = wait.wakeAt
        case .interrupted:
            states[report.step] = .queued
            isInterrupted = true
        case .lost:
            states[report.step] = .queued
            held.lose(held.lostReason ?? "a write was refused")
        }
    }

    // MARK: Waiting

    /// The next timer that ends so soon that parking is not worth it, when nothing else is waited for.
    private func soonTimer() -> Int64? {
        guard waits.values.allSatisfy({ $0.kind == .timer }), let wakeAt = waits.values.compactMap(\.wakeAt).min()
        else {
            return nil
        }
        let left = wakeAt.milliseconds - context.clock.wallMilliseconds()
        return left <= StepExecutor.sleepHereMsMax ? wakeAt.milliseconds : nil
    }

    private mutating func resumeTimers() {
        let now = context.clock.wallMilliseconds()
        for (id, wait) in waits where (wait.wakeAt?.milliseconds ?? .max) <= now {
            (states[id], waits[id]) = (.queued, nil)
        }
    }

    private mutating func awaitNews() {
        let now = context.clock.monotonicMilliseconds()
        var dueAt = min(held.lossDueAt, now + Self.patienceMsMax)
        if held.limit == nil { dueAt = min(dueAt, startedAt + timeoutLeftMs) }
        if let stoppedAt, !isGraceOver { dueAt = min(dueAt, stoppedAt + RunExecutor.cleanUpMs) }
        if let wakeAt = waits.values.compactMap(\.wakeAt).min() {
            dueAt = min(dueAt, now + wakeAt.milliseconds - context.clock.wallMilliseconds())
        }
        let (wasCancelled, wasDraining, limit) = (held.isCancelRequested, held.isDraining, held.limit)
        let isKnownStop = stoppedAt != nil
        let reports = held.nextReports(milliseconds: max(0, dueAt - now)) { isCancelled, isDraining, nowLimit in
            (isCancelled && !(wasCancelled && isKnownStop)) || (isDraining && !wasDraining)
                || (nowLimit != nil && !(limit != nil && isKnownStop))
        }
        for report in reports { take(report) }
        if !waits.isEmpty, states.values.contains(.running) { resumeTimers() }
    }
}
