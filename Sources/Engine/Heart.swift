import APIClient
import HTTP
import HTTPClient
import JSON
import Platform
import Shared

/// Keeps the leases of all held runs, on a thread and a connection of its own. Where it fails for too long the run
/// counts as lost before the api can give it to another engine.
struct Heart {
    private static let deadlineMsMin: Int64 = 100
    private static let retryMsMax: Int64 = 500

    let worker: Worker

    func run() {
        var nextTry: [RunID: Int64] = [:]
        while !worker.state.read({ $0.isDone }) {
            worker.lives(.heartbeats, waitingFor: 0)
            let runs = worker.heldRuns.filter { !$0.isLost }
            nextTry = nextTry.filter { id, _ in runs.contains { $0.id == id } }
            let now = worker.clock.monotonicMilliseconds()
            for run in runs where now >= due(run, nextTry) {
                run.checkLease()
                guard !run.isLost else { continue }
                if beat(run, shared: runs.count) {
                    nextTry[run.id] = nil
                } else {
                    nextTry[run.id] = worker.clock.monotonicMilliseconds() + min(Self.retryMsMax, run.ttlMs / 10)
                }
                run.checkLease()
            }
            rest(until: runs.map { due($0, nextTry) }.min())
        }
    }

    private func due(_ run: HeldRun, _ nextTry: [RunID: Int64]) -> Int64 {
        min(nextTry[run.id] ?? run.renewedAt + run.beatMs, run.lossDueAt)
    }

    /// Sleeps until something is due, or until other runs are held.
    private func rest(until due: Int64?) {
        let known = Set(worker.heldRuns.filter { !$0.isLost }.map(\.id))
        let wait = due.map { max(0, $0 - worker.clock.monotonicMilliseconds()) }
        _ = worker.state.wait(milliseconds: wait) { state in
            state.isDone || state.questions[.heartbeats] != nil || !Set(state.held.keys).isSubset(of: known)
                ? true : nil
        }
    }

    /// True when the lease was renewed or is known to be lost.
    private func beat(_ run: HeldRun, shared count: Int) -> Bool {
        let askedAt = worker.clock.monotonicMilliseconds()
        let share = run.ttlMs / 6 / Int64(max(1, count))
        let deadline = max(Self.deadlineMsMin, min(share, run.lossDueAt - askedAt))
        do throws(APIFailure) {
            let answer = try worker.lines.heartbeats.call(
                .heartbeat, Fenced(claimToken: run.run.claimToken), ["run_id": run.id.rawValue],
                deadlineMilliseconds: Int(deadline))
            run.renewed(askedAt: askedAt)
            if answer.cancelRequested { run.requestCancel() }
            worker.hear(killSwitch: answer.killSwitch, epoch: nil)
            return true
        } catch {
            switch error.code {
            case .leaseTokenMismatch, .leaseExpired, .runNotRunning, .runAlreadyEnded, .runNotFound,
                .engineTokenInvalid, .engineTokenExpired, .engineInactive:
                run.lose("\(error)")
                return true
            default:
                worker.log.warning("heartbeat_failed", ["run": .text(run.id.rawValue), "reason": .text("\(error)")])
                return false
            }
        }
    }
}

/// Hears what the api wants of the engine, by a long poll.
struct ControlLine {
    private static let waitMs: Int64 = 20_000
    private static let answerSlackMs: Int64 = 10_000

    let worker: Worker

    func run() {
        var backoff = Backoff(entropy: worker.entropy)
        while !worker.state.read({ $0.isDone }) {
            worker.lives(.control, waitingFor: Self.waitMs + Self.answerSlackMs)
            do throws(APIFailure) {
                act(on: try poll())
                backoff.reset()
            } catch {
                if worker.controlling.isCancelled { return }
                let wait = backoff.next()
                worker.log.debug("control_failed", ["reason": .text("\(error)")])
                worker.lives(.control, waitingFor: wait)
                _ = worker.state.wait(milliseconds: wait) { $0.isDone ? true : nil }
            }
        }
    }

    private func poll() throws(APIFailure) -> EngineControlAnswer {
        let epoch = worker.state.read { $0.killSwitchEpoch }
        let cancelling = worker.heldRuns.filter { $0.isCancelRequested }.map(\.id)
        return try worker.lines.control.call(
            .engineControl, EngineControl(waitMs: Self.waitMs, killSwitchEpoch: epoch, cancelling: cancelling),
            ["engine_id": worker.settings.engineID.rawValue],
            deadlineMilliseconds: Int(Self.waitMs + Self.answerSlackMs), cancellation: worker.controlling)
    }

    private func act(on answer: EngineControlAnswer) {
        worker.hear(killSwitch: answer.killSwitch, epoch: answer.killSwitchEpoch)
        let runs = worker.heldRuns
        for id in answer.cancel { runs.first { $0.id == id }?.requestCancel() }
        if answer.drain, worker.state.read({ $0.phase == .working }) { worker.drain() }
    }
}
