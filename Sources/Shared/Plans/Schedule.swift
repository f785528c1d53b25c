/// What `StepGraph` says is to be done next.
package struct Schedule: Hashable, Sendable {
    /// May start now, in the order of the plan.
    package let start: [PlanStepID]
    /// Will never run, in an order in which each follows its needs.
    package let skip: [Skip]
    /// Set once every step has ended, the skips above counted as done.
    package let outcome: PlanOutcome?
    /// Nothing runs and nothing may start, but something waits: the run parks. Never so on a stop.
    package let isParked: Bool

    package struct Skip: Hashable, Sendable {
        package let step: PlanStepID
        package let reason: SkipReason
    }
}

/// Why a step was skipped.
package enum SkipReason: String, CaseIterable, Codable, Hashable, Sendable {
    /// A step that it needs, directly or not, failed.
    case needFailed = "need_failed"
    /// A step that it needs was skipped, though nothing failed.
    case needSkipped = "need_skipped"
    /// A clean-up for a failure that did not happen.
    case notNeeded = "not_needed"
    case runCancelled = "run_cancelled"
    /// A limit of the run was reached.
    case runLimit = "run_limit"
}

/// How a run ended.
package enum PlanOutcome: String, CaseIterable, Codable, Hashable, Sendable {
    case succeeded
    case failed
    case cancelled
}

/// A stop that comes from outside the steps. A failed step is not one: `StepGraph` sees it in the states.
package struct RunStop: Hashable, Sendable {
    package let cause: Cause
    /// With the grace period gone not even `always` steps start.
    package let isGraceOver: Bool

    package init(_ cause: Cause, isGraceOver: Bool = false) {
        self.cause = cause
        self.isGraceOver = isGraceOver
    }

    package enum Cause: String, CaseIterable, Codable, Hashable, Sendable {
        /// The run is being cancelled.
        case cancel
        /// A limit of the run (time, tool calls) was reached: the run fails.
        case limit
    }
}
