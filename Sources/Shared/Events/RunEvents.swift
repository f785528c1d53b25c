package import JSON

/// All that can happen to a run.
package enum RunEvent: EventFamily {
    case created(RunCreated)
    case started(RunStarted)
    case waiting(RunWaiting)
    case requeued(RunRequeued)
    case cancelRequested(RunCancelRequested)
    case cancelled(RunCancelled)
    case completed(RunCompleted)
    case failed(RunFailed)

    package static let members: [EventMember<RunEvent>] = [
        .init(RunEvent.created), .init(RunEvent.started), .init(RunEvent.waiting), .init(RunEvent.requeued),
        .init(RunEvent.cancelRequested), .init(RunEvent.cancelled), .init(RunEvent.completed),
        .init(RunEvent.failed),
    ]

    package var payload: any EventPayload {
        switch self {
        case .created(let payload): payload
        case .started(let payload): payload
        case .waiting(let payload): payload
        case .requeued(let payload): payload
        case .cancelRequested(let payload): payload
        case .cancelled(let payload): payload
        case .completed(let payload): payload
        case .failed(let payload): payload
        }
    }

    /// The types of the events that end a run.
    package static let endTypes: Set<String> = [RunCancelled.type, RunCompleted.type, RunFailed.type]

    package var endsRun: Bool { Self.endTypes.contains(type(of: payload).type) }
}

/// A run was queued in a room and waits for an executor.
package struct RunCreated: EventPayload {
    package static let type = "run.created"

    package var runID: RunID
    package var experimentID: ExperimentID?
    package var title: String?
    package var goal: String?
    package var input: JSONValue?
    package var tags: [String]?

    package init(
        runID: RunID, experimentID: ExperimentID? = nil, title: String? = nil, goal: String? = nil,
        input: JSONValue? = nil,
        tags: [String]? = nil
    ) {
        (self.runID, self.experimentID, self.title, self.goal) = (runID, experimentID, title, goal)
        (self.input, self.tags) = (input, tags)
    }
}

/// An executor took the run; `attempt_no` is the fencing epoch.
package struct RunStarted: EventPayload {
    package static let type = "run.started"

    package var runID: RunID
    package var attemptNo: Int?
    package var engineID: EngineID?

    package init(runID: RunID, attemptNo: Int? = nil, engineID: EngineID? = nil) {
        (self.runID, self.attemptNo, self.engineID) = (runID, attemptNo, engineID)
    }
}

/// Nothing in the run can go on until one of the waits is settled.
package struct RunWaiting: EventPayload {
    package static let type = "run.waiting"

    package var runID: RunID
    package var waits: [Wait]

    package init(runID: RunID, waits: [Wait]) {
        (self.runID, self.waits) = (runID, waits)
    }
}

/// The run is back in the queue; any engine may claim it.
package struct RunRequeued: EventPayload {
    package static let type = "run.requeued"

    package var runID: RunID
    package var reason: RequeueReason
    package var attemptNo: Int

    package init(runID: RunID, reason: RequeueReason, attemptNo: Int) {
        (self.runID, self.reason, self.attemptNo) = (runID, reason, attemptNo)
    }
}

/// Somebody wants the run to end; its engine is being told.
package struct RunCancelRequested: EventPayload {
    package static let type = "run.cancel_requested"

    package var runID: RunID
    package var reason: String?

    package init(runID: RunID, reason: String? = nil) {
        (self.runID, self.reason) = (runID, reason)
    }
}

/// The run has ended by cancellation; no process of it is left.
package struct RunCancelled: EventPayload {
    package static let type = "run.cancelled"

    package var runID: RunID
    package var reason: String?

    package init(runID: RunID, reason: String? = nil) {
        (self.runID, self.reason) = (runID, reason)
    }
}

/// The run has succeeded.
package struct RunCompleted: EventPayload {
    package static let type = "run.completed"

    package var runID: RunID
    package var summary: String?
    package var output: JSONValue?

    package init(runID: RunID, summary: String? = nil, output: JSONValue? = nil) {
        (self.runID, self.summary, self.output) = (runID, summary, output)
    }
}

/// The run has failed.
package struct RunFailed: EventPayload {
    package static let type = "run.failed"

    package var runID: RunID
    package var message: String?
    package var error: JSONValue?

    package init(runID: RunID, message: String? = nil, error: JSONValue? = nil) {
        (self.runID, self.message, self.error) = (runID, message, error)
    }
}
