import Shared
import Synchronization

/// Permits for external writes that may still be used (RULINGS 25): the kill switch answers when there is none left.
///
/// A permit is good for ``permitMilliseconds`` from its issue. The engine counts from before it asked, so what has run
/// out here has run out there.
final class PermitBook: Sendable {
    static let permitMilliseconds: Int64 = 1_000

    private struct Waiter {
        var untilMs: Int64
        var answer: @Sendable () -> Void
    }

    private struct State {
        var expiries: [ToolCallID: Int64] = [:]
        var waiters: [Waiter] = []
        /// Permits of the process before this one, and of others on the same database, are not known; they run out by then.
        var unknownUntilMs: Int64
        var turnsOfOthers = 0
    }

    private let state: Mutex<State>

    init(nowMs: Int64) { state = Mutex(State(unknownUntilMs: nowMs + Self.permitMilliseconds)) }

    /// What other processes did until now counts as done by the process before.
    func begin(turnsOfOthers: Int) { state.withLock { $0.turnsOfOthers = turnsOfOthers } }

    func issue(_ call: ToolCallID, nowMs: Int64) {
        state.withLock { state in
            state.expiries[call] = nowMs + Self.permitMilliseconds
            if state.expiries.count > 1024 { state.expiries = state.expiries.filter { $0.value > nowMs } }
        }
    }

    /// The call was reported as ended: its permit is used up.
    func ended(_ call: ToolCallID, nowMs: Int64) {
        state.withLock { $0.expiries[call] = nil }
        settle(nowMs: nowMs)
    }

    /// Calls `answer` when every permit that is out now has been used up or has expired.
    /// - Parameter turnsOfOthers: As the transaction saw it after which no permit is issued any more. Every permit leaves
    ///   its mark there, so one of another process came before the transaction, and runs out within its time from now.
    func whenQuiet(nowMs: Int64, turnsOfOthers: Int, _ answer: @escaping @Sendable () -> Void) {
        state.withLock { state in
            if turnsOfOthers != state.turnsOfOthers {
                state.turnsOfOthers = turnsOfOthers
                state.unknownUntilMs = max(state.unknownUntilMs, nowMs + Self.permitMilliseconds)
            }
            let last = state.expiries.values.max() ?? 0
            state.waiters.append(Waiter(untilMs: max(last, state.unknownUntilMs), answer: answer))
        }
        settle(nowMs: nowMs)
    }

    /// Answers whom it can; called when a call has ended, and by the timer.
    func settle(nowMs: Int64) {
        let quiet = state.withLock { state -> [Waiter] in
            guard !state.waiters.isEmpty else { return [] }
            let isOut = state.unknownUntilMs > nowMs || state.expiries.values.contains { $0 > nowMs }
            let quiet = state.waiters.filter { !isOut || $0.untilMs <= nowMs }
            state.waiters.removeAll { !isOut || $0.untilMs <= nowMs }
            return quiet
        }
        for waiter in quiet { waiter.answer() }
    }
}
