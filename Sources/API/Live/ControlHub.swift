import Platform
import Shared
import Synchronization

/// Long polls of engines that wait to be told something: cancel, halt, drain.
final class ControlHub: Sendable {
    private struct Waiter {
        var id: UInt64
        var engineID: EngineID
        var deadlineMs: Int64
        /// Looks again, and answers if there is something to say or the time has passed.
        var look: @Sendable (_ isLast: Bool) -> Void
    }

    private struct State {
        var nextID: UInt64 = 0
        var waiters: [Waiter] = []
    }

    private let state = Mutex(State())

    func wait(
        _ engineID: EngineID, untilMs deadline: Int64, look: @escaping @Sendable (_ isLast: Bool) -> Void
    ) -> UInt64 {
        state.withLock { state in
            state.nextID += 1
            state.waiters.append(Waiter(id: state.nextID, engineID: engineID, deadlineMs: deadline, look: look))
            return state.nextID
        }
    }

    func leave(_ id: UInt64) { state.withLock { $0.waiters.removeAll { $0.id == id } } }

    /// Something changed for this engine, or for all.
    func wake(_ engineID: EngineID? = nil) {
        let woken = take { engineID == nil || $0.engineID == engineID }
        for waiter in woken { waiter.look(false) }
    }

    func expire(nowMs: Int64) {
        for waiter in take({ $0.deadlineMs <= nowMs }) { waiter.look(true) }
    }

    func giveUpAll() {
        for waiter in take({ _ in true }) { waiter.look(true) }
    }

    private func take(_ isWanted: (Waiter) -> Bool) -> [Waiter] {
        state.withLock { state in
            let wanted = state.waiters.filter(isWanted)
            if !wanted.isEmpty { state.waiters.removeAll(where: isWanted) }
            return wanted
        }
    }
}
