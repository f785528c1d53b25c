package import HTTPClient
package import Platform
package import Shared

/// A run in the engine's hands: its lease, who must stop when it is gone, and what its steps report.
///
/// Three threads look at it: the run's own, the one that keeps leases, and the one that hears the api's orders.
package final class HeldRun: Sendable {
    /// What has become of a step that was running.
    struct StepReport: Sendable {
        var step: PlanStepID
        var end: StepEnd
    }

    private struct State {
        /// When the lease was last known to be ours, on the engine's own clock.
        var renewedAt: Int64
        var lostReason: String?
        var isCancelRequested = false
        var isDraining = false
        var limit: String?
        var reports: [StepReport] = []
        var nextCall = 0
        var calls: [Int: Call] = [:]
        /// Every call has to end at once, also of clean-ups.
        var stopsAll: StopSignal.Cause?
    }

    private struct Call {
        var stop: StopSignal
        var isCleanUp: Bool
    }

    package let run: ClaimedRun
    /// Cancelled when the lease is lost, so that no write of ours is under way any more.
    package let cancellation = HTTPCancellation()
    private let clock: any Clock
    private let state: Monitor<State>

    package init(_ run: ClaimedRun, clock: any Clock) {
        (self.run, self.clock) = (run, clock)
        state = Monitor(State(renewedAt: clock.monotonicMilliseconds()))
    }

    package var id: RunID { run.runID }
    package var ttlMs: Int64 { max(1, run.leaseTTLMs) }

    // MARK: The lease

    /// A heartbeat is due this long after the last good one.
    package var beatMs: Int64 { max(1, ttlMs / 3) }
    /// Without a heartbeat for this long the run counts as lost, whatever the api would say.
    package var patienceMs: Int64 { ttlMs * 4 / 5 }

    package var renewedAt: Int64 { state.read { $0.renewedAt } }
    package var lossDueAt: Int64 { renewedAt + patienceMs }
    package var isLost: Bool { state.read { $0.lostReason != nil } }
    package var lostReason: String? { state.read { $0.lostReason } }

    /// The api has confirmed the lease for one more term, counted from when it was asked.
    package func renewed(askedAt: Int64) {
        state.update { $0.renewedAt = max($0.renewedAt, askedAt) }
    }

    /// Ends everything of the run on this machine. Nothing is written any more.
    package func lose(_ reason: String) {
        let calls = state.update { state -> [Call] in
            guard state.lostReason == nil else { return [] }
            state.lostReason = reason
            return Array(state.calls.values)
        }
        for call in calls { call.stop.stop(.lost) }
        cancellation.cancel()
    }

    /// Counts the run as lost when too long has passed without a heartbeat.
    package func checkLease() {
        if clock.monotonicMilliseconds() >= lossDueAt { lose("no heartbeat got through for \(patienceMs) ms") }
    }

    // MARK: Orders

    package var isCancelRequested: Bool { state.read { $0.isCancelRequested } }
    package var isDraining: Bool { state.read { $0.isDraining } }
    /// Which limit of the plan was reached.
    package var limit: String? { state.read { $0.limit } }

    /// Stops all calls but those of clean-ups.
    package func requestCancel() {
        stop(.cancelled) { state in
            defer { state.isCancelRequested = true }
            return !state.isCancelRequested
        }
    }

    package func reachLimit(_ reason: String) {
        stop(.limit) { state in
            defer { state.limit = state.limit ?? reason }
            return state.limit == nil
        }
    }

    /// No new call starts; running ones go on until ``stopAll(_:)``.
    package func drain() { state.update { $0.isDraining = true } }

    /// Stops every call, also of clean-ups, also those that would start later.
    package func stopAll(_ cause: StopSignal.Cause) {
        let calls = state.update { state -> [Call] in
            if state.stopsAll == nil { state.stopsAll = cause }
            return Array(state.calls.values)
        }
        for call in calls { call.stop.stop(cause) }
    }

    private func stop(_ cause: StopSignal.Cause, _ isNew: (inout State) -> Bool) {
        let calls = state.update { state -> [Call] in
            isNew(&state) ? state.calls.values.filter { !$0.isCleanUp } : []
        }
        for call in calls { call.stop.stop(cause) }
    }

    // MARK: Steps

    /// Gives a signal that stops when what runs under it must stop; stopped already if that is so.
    package func during<Result>(isCleanUp: Bool, _ body: (StopSignal) -> Result) -> Result {
        let stop = StopSignal()
        let (id, cause) = state.update { state -> (Int, StopSignal.Cause?) in
            state.nextCall += 1
            state.calls[state.nextCall] = Call(stop: stop, isCleanUp: isCleanUp)
            return (state.nextCall, Self.causeToStop(state, isCleanUp: isCleanUp))
        }
        if let cause { stop.stop(cause) }
        defer { state.update { _ = $0.calls.removeValue(forKey: id) } }
        return body(stop)
    }

    private static func causeToStop(_ state: State, isCleanUp: Bool) -> StopSignal.Cause? {
        if state.lostReason != nil { return .lost }
        if let cause = state.stopsAll { return cause }
        if isCleanUp { return nil }
        return state.isCancelRequested ? .cancelled : state.limit != nil ? .limit : nil
    }

    /// Waits, unless the run is lost or drained, or the signal stops. True when the time has passed in peace.
    package func pause(milliseconds: Int64, _ stop: StopSignal) -> Bool {
        state.wait(milliseconds: milliseconds) { state in
            state.lostReason != nil || state.isDraining || stop.cause != nil ? true : nil
        } == nil
    }

    /// Waits. True when the run was lost meanwhile.
    func waitForLoss(milliseconds: Int64) -> Bool {
        state.wait(milliseconds: milliseconds) { $0.lostReason != nil ? true : nil } ?? false
    }

    func report(_ report: StepReport) { state.update { $0.reports.append(report) } }

    /// Waits until that many steps have ended. False when the time has passed.
    func waitForReports(_ count: Int, milliseconds: Int64) -> Bool {
        state.wait(milliseconds: milliseconds) { $0.reports.count >= count ? true : nil } ?? false
    }

    /// Waits for steps to end, or for an order that `isNews` recognises.
    func nextReports(milliseconds: Int64, isNews: (_ isCancelled: Bool, _ isDraining: Bool, _ limit: String?) -> Bool)
        -> [StepReport]
    {
        state.wait(milliseconds: milliseconds) { state -> [StepReport]? in
            let hasNews =
                state.lostReason != nil || isNews(state.isCancelRequested, state.isDraining, state.limit)
            guard hasNews || !state.reports.isEmpty else { return nil }
            defer { state.reports = [] }
            return state.reports
        } ?? []
    }
}
