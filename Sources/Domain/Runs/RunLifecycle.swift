import JSON
package import Shared

/// What can happen to a run, whole: `docs/reference/LIFECYCLES.md` is printed from this table. A trigger that is not
/// listed for a status is refused.
package enum RunLifecycle {
    package enum Trigger: String, CaseIterable, Sendable {
        case claim, start, park, settle, release, drain, loseLease, requestCancel, cancel, complete, fail
    }

    package struct Transition: Sendable {
        package var to: RunStatus
        /// The type of the event that records it.
        package var event: String
        package var route: String
        package var who: String
    }

    package static func transition(_ status: RunStatus, by trigger: Trigger) -> Transition? {
        switch (status, trigger) {
        case (.queued, .claim):
            Transition(to: .running, event: RunStarted.type, route: "POST /v1/runs/claim", who: "engine")
        case (.queued, .start):
            Transition(to: .running, event: RunStarted.type, route: "POST /v1/runs/{run_id}/start", who: "operator")
        case (.running, .park):
            Transition(to: .waiting, event: RunWaiting.type, route: "POST /v1/runs/{run_id}/park", who: "holder")
        case (.waiting, .settle):
            Transition(to: .queued, event: RunRequeued.type, route: "a decision, a timer, a lifted halt", who: "api")
        case (.running, .release), (.running, .drain):
            Transition(
                to: .queued, event: RunRequeued.type, route: "POST /v1/runs/{run_id}/lease/release", who: "holder")
        case (.running, .loseLease):
            Transition(to: .queued, event: RunRequeued.type, route: "the lease ran out", who: "api")
        case (.queued, .requestCancel), (.running, .requestCancel), (.waiting, .requestCancel):
            Transition(
                to: status, event: RunCancelRequested.type, route: "POST /v1/runs/{run_id}/cancel", who: "operator")
        case (.queued, .cancel), (.waiting, .cancel):
            Transition(
                to: .cancelled, event: RunCancelled.type, route: "POST /v1/runs/{run_id}/cancel", who: "operator")
        case (.running, .cancel):
            Transition(
                to: .cancelled, event: RunCancelled.type, route: "POST /v1/runs/{run_id}/cancelled", who: "holder")
        case (.queued, .complete), (.running, .complete):
            Transition(
                to: .succeeded, event: RunCompleted.type, route: "POST /v1/runs/{run_id}/complete",
                who: "holder, operator")
        case (.queued, .fail), (.running, .fail), (.waiting, .fail):
            Transition(
                to: .failed, event: RunFailed.type, route: "POST /v1/runs/{run_id}/fail", who: "holder, operator")
        default: nil
        }
    }

    /// The status after the trigger.
    /// - Throws: the code that clients of the surface know for the refused trigger.
    @discardableResult
    package static func advance(_ run: Run, by trigger: Trigger) throws(Rejection) -> RunStatus {
        if let transition = transition(run.status, by: trigger) { return transition.to }
        let reason: ReasonCode =
            if run.status.isTerminal {
                switch trigger {
                case .claim, .start: .runNotQueued
                case .park, .release, .drain, .loseLease, .settle: .runNotRunning
                case .requestCancel, .cancel, .complete, .fail: .runAlreadyEnded
                }
            } else {
                switch trigger {
                case .claim, .start: .runNotQueued
                default: .runNotRunning
                }
            }
        throw Rejection(
            reason, "the run is \(run.status.rawValue): it cannot \(trigger.rawValue)",
            details: ["run_id": .string(run.runID.rawValue), "status": .string(run.status.rawValue)])
    }
}
