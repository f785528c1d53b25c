package import JSON
package import Shared

/// Runs: what may become of one, and the events that say so.
package enum RunDecider {
    /// - Parameter planSecret: Where the input holds something secret-shaped, if it does.
    package static func create(
        _ id: RunID, _ request: CreateRun, in workspace: WorkspaceID, roomID: RoomID, correlationID: String,
        planSecret: (pointer: String, ruleID: String)?, _ facts: CommandFacts
    ) throws(Rejection) -> Decision<RunID> {
        if let plan = request.input?["plan"] { _ = try self.plan(plan, secret: planSecret) }
        let scope = EventScope(
            workspaceID: workspace, roomID: roomID, threadID: request.threadID, runID: id, correlationID: correlationID)
        let created = RunCreated(
            runID: id, experimentID: request.experimentID, title: Limits.trimmed(request.title),
            goal: Limits.trimmed(request.goal), input: request.input, tags: request.tags)
        return Decision([EventDraft(.run(.created(created)), in: scope, by: facts.actor)], id)
    }

    /// The plan that the value of `input.plan` is.
    /// - Parameter secret: Where the input holds something secret-shaped, if it does.
    package static func plan(
        _ value: JSONValue, secret: (pointer: String, ruleID: String)?
    ) throws(Rejection) -> Plan {
        let plan: Plan
        do throws(PlanFaults) {
            plan = try Plan.parse(value).get()
        } catch {
            let faults = error.faults.map { fault -> JSONValue in
                ["pointer": .string(fault.pointer), "detail": .string(fault.detail)]
            }
            let first = error.faults.first.map { "\($0.pointer): \($0.detail)" } ?? "the plan cannot be read"
            let more = error.faults.count + error.omitted - 1
            throw Rejection(
                .planInvalid, more > 0 ? "\(first) (and \(more) more)" : first,
                details: ["faults": .array(faults), "omitted": .integer(Int64(error.omitted))])
        }
        if let secret {
            throw Rejection(
                .secretInPlan,
                "\(secret.pointer) looks like a secret (\(secret.ruleID)); name it with ${{ secrets.NAME }} instead",
                details: ["pointer": .string(secret.pointer), "rule_id": .string(secret.ruleID)])
        }
        return plan
    }

    // MARK: Starting and giving back

    package static func claim(_ run: Run, by engine: EngineID?, _ facts: CommandFacts) throws(Rejection) -> EventDraft {
        try RunLifecycle.advance(run, by: .claim)
        return draft(.started(RunStarted(runID: run.runID, attemptNo: run.attemptNo + 1, engineID: engine)), run, facts)
    }

    /// For an executor of the operator's own: only runs without a plan, which no engine of ours takes.
    package static func start(_ run: Run, _ facts: CommandFacts) throws(Rejection) -> EventDraft {
        try RunLifecycle.advance(run, by: .start)
        guard !run.hasPlan else {
            throw Rejection(.runHasPlan, "the run has a plan: an engine claims and starts it")
        }
        return draft(.started(RunStarted(runID: run.runID, attemptNo: run.attemptNo + 1)), run, facts)
    }

    package static func requeue(_ run: Run, _ reason: RequeueReason, _ facts: CommandFacts) throws(Rejection)
        -> EventDraft
    {
        let trigger: RunLifecycle.Trigger =
            switch reason {
            case .leaseExpired: .loseLease
            case .released: .release
            case .drained: .drain
            case .waitSettled: .settle
            }
        try RunLifecycle.advance(run, by: trigger)
        return draft(.requeued(RunRequeued(runID: run.runID, reason: reason, attemptNo: run.attemptNo)), run, facts)
    }

    /// - Parameter isSettled: Whether one of the waits is over already; then the run goes straight back to the queue.
    package static func park(
        _ run: Run, _ waits: [Wait], isSettled: Bool, _ facts: CommandFacts
    ) throws(Rejection) -> [EventDraft] {
        try RunLifecycle.advance(run, by: .park)
        guard !waits.isEmpty else {
            throw .field("waits", .missingField, "waits is required: name what the run waits for")
        }
        guard waits.count <= Plan.stepsMax else {
            throw .field("waits", .invalidField, "waits: expected at most \(Plan.stepsMax), found \(waits.count)")
        }
        let waiting = draft(.waiting(RunWaiting(runID: run.runID, waits: waits)), run, facts)
        guard isSettled else { return [waiting] }
        // Caused by the event before it, which is the one above.
        var requeued = draft(
            .requeued(RunRequeued(runID: run.runID, reason: .waitSettled, attemptNo: run.attemptNo)), run, facts)
        requeued.causationID = nil
        return [waiting, requeued]
    }

    // MARK: Ending

    package static func complete(_ run: Run, _ request: CompleteRun, _ facts: CommandFacts) throws(Rejection)
        -> EventDraft
    {
        try RunLifecycle.advance(run, by: .complete)
        return draft(
            .completed(RunCompleted(runID: run.runID, summary: request.summary, output: request.output)), run, facts)
    }

    package static func fail(_ run: Run, _ request: FailRun, _ facts: CommandFacts) throws(Rejection) -> EventDraft {
        try RunLifecycle.advance(run, by: .fail)
        return draft(.failed(RunFailed(runID: run.runID, message: request.message, error: request.error)), run, facts)
    }

    /// - Parameter isHeld: Whether an engine has to stop processes first; it confirms when none is left.
    package static func cancel(
        _ run: Run, reason: String?, isHeld: Bool, _ facts: CommandFacts
    ) throws(Rejection) -> Decision<RunStatus> {
        try RunLifecycle.advance(run, by: .requestCancel)
        var events: [EventDraft] = []
        if run.cancelRequestedAt == nil {
            events.append(draft(.cancelRequested(RunCancelRequested(runID: run.runID, reason: reason)), run, facts))
        }
        if isHeld { return Decision(events, run.status) }
        var cancelled = draft(
            .cancelled(RunCancelled(runID: run.runID, reason: reason ?? run.cancelReason)), run, facts)
        if !events.isEmpty { cancelled.causationID = nil }
        return Decision(events + [cancelled], .cancelled)
    }

    package static func confirmCancelled(_ run: Run, _ facts: CommandFacts) throws(Rejection) -> EventDraft {
        try RunLifecycle.advance(run, by: .cancel)
        guard run.cancelRequestedAt != nil else {
            throw Rejection(.runNotRunning, "nobody has asked for the run to be cancelled")
        }
        return draft(.cancelled(RunCancelled(runID: run.runID, reason: run.cancelReason)), run, facts)
    }

    private static func draft(_ event: RunEvent, _ run: Run, _ facts: CommandFacts) -> EventDraft {
        EventDraft(.run(event), in: run.scope, by: facts.actor, causedBy: run.lastEventID)
    }

    // MARK: The fold

    /// The one fold over a run's events: deciding, projecting and rebuilding all use it.
    package static func evolve(_ run: Run?, _ recorded: Recorded<RunEvent>) -> Run? {
        if case .created(let created) = recorded.event { return Run(created, recorded) }
        guard var run = run?.touched(by: recorded) else { return nil }
        switch recorded.event {
        case .created: break
        case .started(let started):
            run.status = .running
            run.attemptNo = started.attemptNo ?? run.attemptNo + 1
            run.startedAt = run.startedAt ?? recorded.at
            (run.waits, run.wakeAt) = ([], nil)
        case .waiting(let waiting):
            run.status = .waiting
            run.waits = waiting.waits
            run.wakeAt = waiting.waits.compactMap(\.wakeAt).min()
        case .requeued:
            (run.status, run.waits, run.wakeAt) = (.queued, [], nil)
        case .cancelRequested(let requested):
            (run.cancelRequestedAt, run.cancelReason) = (recorded.at, requested.reason)
        case .cancelled(let cancelled):
            run.end(.cancelled, at: recorded.at)
            if let reason = cancelled.reason { run.cancelReason = reason }
        case .completed(let completed):
            run.end(.succeeded, at: recorded.at)
            run.summary = completed.summary
            run.output = completed.output ?? [:]
        case .failed(let failed):
            run.end(.failed, at: recorded.at)
            run.error = failed.error ?? failed.message.map { ["message": .string($0)] } ?? [:]
        }
        return run
    }
}

extension Run {
    /// Where the run's events belong.
    package var scope: EventScope {
        EventScope(
            workspaceID: workspaceID, roomID: roomID, threadID: threadID, runID: runID, correlationID: correlationID)
    }

    fileprivate init(_ created: RunCreated, _ recorded: Recorded<RunEvent>) {
        let envelope = recorded.envelope
        self.init(
            runID: created.runID, workspaceID: envelope.workspaceID, correlationID: envelope.correlationID,
            at: recorded.at)
        (roomID, threadID, experimentID) = (envelope.roomID, envelope.threadID, created.experimentID)
        (title, goal, input) = (created.title, created.goal, created.input ?? [:])
        (tags, hasPlan) = (created.tags ?? [], created.input?["plan"] != nil)
        (lastEventID, lastEventOccurredAt) = (envelope.eventID, envelope.occurredAt)
    }

    fileprivate mutating func end(_ status: RunStatus, at time: Timestamp) {
        (self.status, endedAt, waits, wakeAt) = (status, time, [], nil)
    }

    /// Something happened to the run or below it.
    package func touched<Event>(by recorded: Recorded<Event>) -> Run {
        var run = followed(by: recorded)
        (run.updatedAt, run.lastEventID) = (recorded.at, recorded.envelope.eventID)
        run.lastEventOccurredAt = recorded.envelope.occurredAt
        return run
    }

    /// Something happened that is about the run, and changes nothing of it.
    package func followed<Event>(by recorded: Recorded<Event>) -> Run {
        var run = self
        run.activityAt = max(run.activityAt, recorded.at)
        return run
    }
}
