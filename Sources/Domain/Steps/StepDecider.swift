import JSON
package import Shared

/// Steps: opened once a plan step, ended explicitly, or driven by their calls where there is no plan.
package enum StepDecider {
    package static func create(
        _ id: StepID, _ request: CreateStep, in run: Run, _ facts: CommandFacts
    ) throws(Rejection) -> Decision<StepID> {
        let kind = try Limits.require(request.kind, "kind", bytesMax: Limits.nameBytesMax, .missingKind)
        guard run.status == .running else { throw notRunning(run) }
        var scope = run.scope
        scope.stepID = id
        let created = StepCreated(
            stepID: id, planStepID: request.planStepID, kind: kind, title: request.title, input: request.input)
        return Decision(
            [EventDraft(.step(.created(created)), in: scope, by: facts.actor, causedBy: run.lastEventID)], id)
    }

    package static func end(
        _ step: Step, as status: StepStatus, _ request: EndStep, in run: Run, _ facts: CommandFacts
    ) throws(Rejection) -> EventDraft {
        guard !step.status.isTerminal else {
            throw Rejection(
                .stepAlreadyEnded, "the step has ended: it is \(step.status.rawValue)",
                details: ["status": .string(step.status.rawValue)])
        }
        guard run.status == .running else { throw notRunning(run) }
        let id = step.stepID
        let event: StepEvent =
            switch status {
            case .succeeded: .succeeded(StepSucceeded(stepID: id, output: request.output))
            case .failed: .failed(StepFailed(stepID: id, message: request.message, error: request.error))
            case .skipped: .skipped(StepSkipped(stepID: id, reason: request.reason))
            case .cancelled: .cancelled(StepCancelled(stepID: id, reason: request.reason))
            case .queued, .running, .waiting: preconditionFailure("\(status) is no end of a step")
            }
        return EventDraft(.step(event), in: step.scope(in: run), by: facts.actor, causedBy: step.lastEventID)
    }

    static func notRunning(_ run: Run) -> Rejection {
        Rejection(
            .runNotRunning, "the run is \(run.status.rawValue), expected running",
            details: ["run_id": .string(run.runID.rawValue), "status": .string(run.status.rawValue)])
    }

    /// The fold over a step's own events.
    package static func evolve(_ step: Step?, _ recorded: Recorded<StepEvent>) -> Step? {
        let envelope = recorded.envelope
        if case .created(let created) = recorded.event {
            guard let runID = envelope.runID else { return nil }
            var step = Step(
                stepID: created.stepID, runID: runID, workspaceID: envelope.workspaceID, kind: created.kind,
                correlationID: envelope.correlationID, at: recorded.at)
            (step.roomID, step.threadID, step.planStepID) = (envelope.roomID, envelope.threadID, created.planStepID)
            (step.title, step.input, step.lastEventID) = (created.title, created.input ?? [:], envelope.eventID)
            return step
        }
        guard var step else { return nil }
        (step.updatedAt, step.lastEventID) = (recorded.at, envelope.eventID)
        step.endedAt = recorded.at
        switch recorded.event {
        case .created: break
        case .succeeded(let succeeded):
            (step.status, step.output, step.error) = (.succeeded, succeeded.output ?? step.output, [:])
        case .failed(let failed):
            step.status = .failed
            step.error = failed.error ?? failed.message.map { ["message": .string($0)] } ?? step.error
        case .skipped: step.status = .skipped
        case .cancelled: step.status = .cancelled
        }
        return step
    }

    /// How a step follows its calls. A plan's step is ended by its executor, who knows about retries.
    package static func evolve(_ step: Step?, _ recorded: Recorded<ToolCallEvent>) -> Step? {
        guard var step, !step.status.isTerminal || step.planStepID == nil else { return step }
        (step.updatedAt, step.lastEventID) = (recorded.at, recorded.envelope.eventID)
        let isDriven = step.planStepID == nil
        switch recorded.event {
        case .requested, .unknown: step.status = .waiting
        case .invoked: (step.status, step.endedAt) = (.running, nil)
        case .succeeded(let succeeded):
            if isDriven { (step.status, step.endedAt) = (.succeeded, recorded.at) }
            (step.output, step.error) = (succeeded.output ?? [:], [:])
        case .failed(let failed):
            if isDriven { (step.status, step.endedAt) = (.failed, recorded.at) }
            step.error = failed.error ?? failed.message.map { ["message": .string($0)] } ?? [:]
        case .resolved(let resolved):
            step.status = !isDriven ? .running : resolved.outcome == .succeeded ? .succeeded : .failed
            if isDriven { step.endedAt = recorded.at }
            if let output = resolved.output { step.output = output }
        }
        return step
    }
}

extension Step {
    package func scope(in run: Run) -> EventScope {
        var scope = run.scope
        scope.stepID = stepID
        return scope
    }
}
