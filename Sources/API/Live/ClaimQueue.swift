import Platform
import Shared
import Synchronization

/// Claims that wait for a run: one queued run wakes one of them.
final class ClaimQueue: Sendable {
    static let waitersMax = 4096

    private struct Waiter {
        var id: UInt64
        var workspace: WorkspaceID
        var deadlineMs: Int64
        /// Tries to claim again.
        var retry: @Sendable () -> Void
        /// Answers that there is none.
        var giveUp: @Sendable () -> Void
    }

    private struct State {
        var nextID: UInt64 = 0
        var waiters: [Waiter] = []
    }

    private let state = Mutex(State())

    /// Adds a claim that found nothing. Called after its commit, on the writer's thread, so that no later commit's
    /// wake-up is missed.
    /// - Returns: A number to take it out with, or nil when the queue is full.
    func wait(
        in workspace: WorkspaceID, untilMs deadline: Int64, retry: @escaping @Sendable () -> Void,
        giveUp: @escaping @Sendable () -> Void
    ) -> UInt64? {
        state.withLock { state in
            guard state.waiters.count < Self.waitersMax else { return nil }
            state.nextID += 1
            state.waiters.append(
                Waiter(id: state.nextID, workspace: workspace, deadlineMs: deadline, retry: retry, giveUp: giveUp))
            return state.nextID
        }
    }

    func leave(_ id: UInt64) { state.withLock { $0.waiters.removeAll { $0.id == id } } }

    var waiterCount: Int { state.withLock { $0.waiters.count } }

    /// So many runs of the workspace have become claimable.
    func wake(_ workspace: WorkspaceID, count: Int) {
        let woken = state.withLock { state -> [Waiter] in
            var woken: [Waiter] = []
            state.waiters.removeAll { waiter in
                guard woken.count < count, waiter.workspace == workspace else { return false }
                woken.append(waiter)
                return true
            }
            return woken
        }
        for waiter in woken { waiter.retry() }
    }

    /// Answers the claims whose time has passed.
    func expire(nowMs: Int64) { giveUp { $0.deadlineMs <= nowMs } }

    /// Answers all: the server drains.
    func giveUpAll() { giveUp { _ in true } }

    private func giveUp(_ isOver: (Waiter) -> Bool) {
        let over = state.withLock { state -> [Waiter] in
            let over = state.waiters.filter(isOver)
            if !over.isEmpty { state.waiters.removeAll(where: isOver) }
            return over
        }
        for waiter in over { waiter.giveUp() }
    }
}
