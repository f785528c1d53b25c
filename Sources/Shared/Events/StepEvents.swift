package import JSON

/// All that can happen to a step, besides what its tool calls bring about.
package enum StepEvent: EventFamily {
    case created(StepCreated)
    case succeeded(StepSucceeded)
    case failed(StepFailed)
    case skipped(StepSkipped)
    case cancelled(StepCancelled)

    package static let members: [EventMember<StepEvent>] = [
        .init(StepEvent.created), .init(StepEvent.succeeded), .init(StepEvent.failed), .init(StepEvent.skipped),
        .init(StepEvent.cancelled),
    ]

    package var payload: any EventPayload {
        switch self {
        case .created(let payload): payload
        case .succeeded(let payload): payload
        case .failed(let payload): payload
        case .skipped(let payload): payload
        case .cancelled(let payload): payload
        }
    }
}

/// A step of a run was opened.
package struct StepCreated: EventPayload {
    package static let type = "step.created"

    package var stepID: StepID
    package var planStepID: String?
    package var kind: String
    package var title: String?
    package var input: JSONValue?

    package init(
        stepID: StepID, planStepID: String? = nil, kind: String, title: String? = nil, input: JSONValue? = nil
    ) {
        (self.stepID, self.planStepID, self.kind, self.title) = (stepID, planStepID, kind, title)
        self.input = input
    }
}

/// The step has done its work.
package struct StepSucceeded: EventPayload {
    package static let type = "step.succeeded"

    package var stepID: StepID
    package var output: JSONValue?

    package init(stepID: StepID, output: JSONValue? = nil) {
        (self.stepID, self.output) = (stepID, output)
    }
}

/// The step has failed for good, its retries included.
package struct StepFailed: EventPayload {
    package static let type = "step.failed"

    package var stepID: StepID
    package var message: String?
    package var error: JSONValue?

    package init(stepID: StepID, message: String? = nil, error: JSONValue? = nil) {
        (self.stepID, self.message, self.error) = (stepID, message, error)
    }
}

/// The step was not run: its `when` did not hold.
package struct StepSkipped: EventPayload {
    package static let type = "step.skipped"

    package var stepID: StepID
    package var reason: String?

    package init(stepID: StepID, reason: String? = nil) {
        (self.stepID, self.reason) = (stepID, reason)
    }
}

/// The step was stopped because its run was.
package struct StepCancelled: EventPayload {
    package static let type = "step.cancelled"

    package var stepID: StepID
    package var reason: String?

    package init(stepID: StepID, reason: String? = nil) {
        (self.stepID, self.reason) = (stepID, reason)
    }
}
