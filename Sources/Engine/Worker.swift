package import APIClient
import HTTP
import HTTPClient
import JSON
import Platform
package import Shared

/// The engine at work: claims runs, holds their leases, hears the api's orders, and ends in good order.
package final class Worker: Sendable {
    package enum Phase: Int, Comparable, Sendable {
        case working
        /// No new runs and no new calls; running calls may finish.
        case draining
        /// Running calls are stopped.
        case stopping

        package static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    package struct Settings: Sendable {
        package var engineID: EngineID
        package var room: RoomID?
        package var maxParallelRuns: Int
        package var claimWaitMs: Int64
        package var pollMs: Int64
        package var runOnce: Bool
        package var graceMs: Int64

        package init(
            engineID: EngineID, room: RoomID? = nil, maxParallelRuns: Int = 2, claimWaitMs: Int64 = 20_000,
            pollMs: Int64 = 1_000, runOnce: Bool = false, graceMs: Int64 = 10_000
        ) {
            (self.engineID, self.room, self.maxParallelRuns) = (engineID, room, maxParallelRuns)
            (self.claimWaitMs, self.pollMs, self.runOnce, self.graceMs) = (claimWaitMs, pollMs, runOnce, graceMs)
        }
    }

    /// Connections of their own for what must never wait behind anything else.
    package struct Lines: Sendable {
        package var claims: APIClient
        package var heartbeats: APIClient
        package var control: APIClient

        package init(claims: APIClient, heartbeats: APIClient, control: APIClient) {
            (self.claims, self.heartbeats, self.control) = (claims, heartbeats, control)
        }
    }

    /// The threads without which this is no engine.
    package enum Vital: CaseIterable, Sendable { case claims, heartbeats, control }

    struct State {
        var phase = Phase.working
        var held: [RunID: HeldRun] = [:]
        var isDone = false
        var isHaltedHere = false
        var isHaltedByAPI = false
        var killSwitchEpoch: Int64?
        /// Who is asked whether it lives, and whom to tell.
        var questions: [Vital: @Sendable () -> Void] = [:]
        /// Until when each has said that it may be waiting for an answer; for ever, when its work is done.
        var promises: [Vital: Int64] = [:]
    }

    /// How much longer than the long poll its answer may take.
    private static let answerSlackMs: Int64 = 10_000
    /// What a thread on a busy machine may be late.
    private static let promiseSlackMs: Int64 = 2_000
    /// What runs get, after their calls were stopped, to tell the api.
    private static let goodbyeMs: Int64 = 10_000

    let settings: Settings
    let lines: Lines
    let clock: any Clock
    let entropy: any Entropy
    let log: Log
    let state: Monitor<State>
    private let parts: WorkerParts
    private let claiming = HTTPCancellation()
    let controlling = HTTPCancellation()

    package init(_ settings: Settings, _ lines: Lines, _ parts: WorkerParts) {
        (self.settings, self.lines) = (settings, lines)
        (clock, entropy, log) = (parts.clock, parts.entropy, parts.log)
        let state = Monitor(State())
        var parts = parts
        let isEngaged = parts.isKillSwitchEngaged
        parts.isKillSwitchEngaged = { isEngaged() || state.read { $0.isHaltedHere || $0.isHaltedByAPI } }
        (self.state, self.parts) = (state, parts)
    }

    package var heldRuns: [HeldRun] { state.read { Array($0.held.values) } }

    /// Hears of the vital thread: at once while it waits no longer than it said it would, else in its next turn.
    package func ask(_ vital: Vital, _ answer: @escaping @Sendable () -> Void) {
        let now = clock.monotonicMilliseconds()
        let isWaiting = state.update { state -> Bool in
            let isWaiting = state.promises[vital] ?? .min >= now
            if !isWaiting { state.questions[vital] = answer }
            return isWaiting
        }
        if isWaiting { answer() }
    }

    /// Said by the vital thread itself.
    /// - Parameter milliseconds: How long it may wait for an answer now; nil when its work is done.
    func lives(_ vital: Vital, waitingFor milliseconds: Int64?) {
        let until = milliseconds.map { clock.monotonicMilliseconds() + $0 + Self.promiseSlackMs } ?? .max
        let answer = state.update { state -> (@Sendable () -> Void)? in
            state.promises[vital] = until
            return state.questions.removeValue(forKey: vital)
        }
        answer?()
    }

    /// Works until told to stop, or in the run-once mode until no run is left.
    package func run() {
        let heart = Thread.start("heartbeats") { [self] in
            Heart(worker: self).run()
            lives(.heartbeats, waitingFor: nil)
        }
        let control = Thread.start("control") { [self] in
            ControlLine(worker: self).run()
            lives(.control, waitingFor: nil)
        }
        claimRuns()
        lives(.claims, waitingFor: nil)
        let patience = settings.graceMs + Self.goodbyeMs
        let isEmpty = state.wait(milliseconds: patience) { $0.held.isEmpty ? true : nil } ?? false
        if !isEmpty { log.error("runs_left", ["count": .number(Int64(heldRuns.count))]) }
        state.update { $0.isDone = true }
        controlling.cancel()
        heart.join(milliseconds: Self.goodbyeMs)
        control.join(milliseconds: Self.goodbyeMs)
    }

    // MARK: Orders

    /// Stops claiming; running calls get the grace period, then they are stopped too. The second time: at once.
    package func drain() {
        let phase = state.update { state -> Phase in
            if state.phase < .stopping { state.phase = state.phase == .working ? .draining : .stopping }
            return state.phase
        }
        claiming.cancel()
        for run in heldRuns { run.drain() }
        log.info("engine_draining", ["runs": .number(Int64(heldRuns.count)), "at_once": .flag(phase == .stopping)])
        if phase == .stopping { return stopCalls() }
        Thread.start("grace") { [self] in
            let hasEnded = state.wait(milliseconds: settings.graceMs) {
                $0.held.isEmpty || $0.phase == .stopping ? true : nil
            }
            if hasEnded == nil { stopCalls() }
        }
    }

    private func stopCalls() { for run in heldRuns { run.stopAll(.drained) } }

    /// The engine's own halt of external writes.
    package func setKillSwitch(_ isEngaged: Bool) {
        state.update { $0.isHaltedHere = isEngaged }
        log.warning("kill_switch", ["engaged": .flag(isEngaged), "by": "environment"])
    }

    func hear(killSwitch isEngaged: Bool, epoch: Int64?) {
        let isNews = state.update { state -> Bool in
            defer {
                state.isHaltedByAPI = isEngaged
                state.killSwitchEpoch = epoch ?? state.killSwitchEpoch
            }
            return state.isHaltedByAPI != isEngaged
        }
        if isNews { log.warning("kill_switch", ["engaged": .flag(isEngaged), "by": "api"]) }
    }

    // MARK: Claiming

    private func claimRuns() {
        var backoff = Backoff(entropy: entropy)
        while waitForRoom() {
            do throws(APIFailure) {
                if let run = try claim() {
                    backoff.reset()
                    hold(run)
                } else {
                    backoff.reset()
                    if settings.runOnce {
                        // A run that ends may have queued another, and one that parks may be queued at once.
                        guard waitForAnEnd() else { return }
                    } else if settings.claimWaitMs == 0 {
                        pause(settings.pollMs)
                    }
                }
            } catch {
                guard state.read({ $0.phase == .working }) else { return }
                let wait = backoff.next()
                log.warning("claim_failed", ["reason": .text("\(error)"), "wait_ms": .number(wait)])
                pause(wait)
            }
        }
    }

    /// Waits until one more run may be held. False when no more shall be.
    private func waitForRoom() -> Bool {
        let most = settings.maxParallelRuns
        return waitAlive { $0.phase != .working ? false : $0.held.count < most ? true : nil }
    }

    /// Waits until a held run has ended. False when there is none.
    private func waitForAnEnd() -> Bool {
        let count = state.read { $0.held.count }
        if count == 0 { return false }
        return waitAlive { $0.phase != .working ? false : $0.held.count < count ? true : nil }
    }

    /// Waits for as long as it takes, and says meanwhile that the claims are looked after.
    private func waitAlive(until attempt: @escaping (State) -> Bool?) -> Bool {
        while true {
            lives(.claims, waitingFor: 0)
            let found = state.wait { state -> Bool?? in
                if let found = attempt(state) { return found }
                return state.questions[.claims] == nil ? nil : .some(nil)
            }
            if case .some(.some(let found)) = found { return found }
        }
    }

    private func pause(_ milliseconds: Int64) {
        lives(.claims, waitingFor: milliseconds)
        _ = state.wait(milliseconds: milliseconds) { $0.phase != .working ? true : nil }
    }

    private func claim() throws(APIFailure) -> ClaimedRun? {
        let waitMs = settings.runOnce ? 0 : settings.claimWaitMs
        lives(.claims, waitingFor: waitMs + Self.answerSlackMs)
        return try lines.claims.call(
            .claimRun,
            ClaimRun(roomID: settings.room, plan: "required", waitMs: waitMs, engineID: settings.engineID),
            deadlineMilliseconds: Int(waitMs + Self.answerSlackMs), cancellation: claiming
        ).run
    }

    private func hold(_ run: ClaimedRun) {
        let held = HeldRun(run, clock: clock)
        let isDraining = state.update { state -> Bool in
            state.held[run.runID] = held
            return state.phase != .working
        }
        if isDraining { held.drain() }
        log.info(
            "run_claimed",
            [
                "run": .text(run.runID.rawValue), "attempt": .number(Int64(run.attemptNo)),
                "title": .text(run.title ?? "-"), "lease_ms": .number(run.leaseTTLMs),
            ])
        let parts = parts
        Thread.start("run") { [state] in
            _ = RunExecutor(held, parts).execute()
            state.update { _ = $0.held.removeValue(forKey: run.runID) }
        }
    }
}
