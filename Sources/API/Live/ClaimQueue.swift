import Platform
import Shared
import Synchronization

/// Claims that wait for a run: one queued run wakes one of them.
final class ClaimQueue: Sendable {
    static let waitersMax = 4096

    /// What a claim wants.
    struct Wish: Sendable {
        var workspace: WorkspaceID
        /// Nil for all.
        var rooms: [RoomID]?
        var isPlanRequired: Bool
    }

    /// A run that has become claimable.
    struct Offer: Sendable {
        var workspace: WorkspaceID
        var room: RoomID?
        /// Nil where the event does not say.
        var hasPlan: Bool?

        func suits(_ wish: Wish) -> Bool {
            guard wish.workspace == workspace, !(wish.isPlanRequired && hasPlan == false) else { return false }
            return wish.rooms.map { rooms in room.map { rooms.contains($0) } ?? false } ?? true
        }
    }

    private struct Waiter {
        var id: UInt64
        var wish: Wish
        var deadlineMs: Int64
        /// Tries to claim again.
        var retry: @Sendable () -> Void
        /// Answers that there is none.
        var giveUp: @Sendable () -> Void
    }

    private struct State {
        var nextID: UInt64 = 0
        var waiters: [Waiter] = []
        /// Runs that have become claimable.
        var offers: UInt64 = 0
    }

    private let state = Mutex(State())

    /// How many runs have become claimable so far. A claim asks before it looks for one.
    var offerCount: UInt64 { state.withLock { $0.offers } }

    enum Waiting {
        /// With a number to take the claim out with.
        case waits(UInt64)
        /// A run has become claimable since the claim looked: it looks again.
        case looksAgain
        case isFull
    }

    /// Adds a claim that found nothing.
    /// - Parameter offerCount: ``offerCount`` before the claim looked, so that no wake-up falls in between: those of other
    ///   processes' commits come on another thread than the claim's own.
    func wait(
        _ wish: Wish, untilMs deadline: Int64, since offerCount: UInt64, retry: @escaping @Sendable () -> Void,
        giveUp: @escaping @Sendable () -> Void
    ) -> Waiting {
        state.withLock { state in
            guard state.offers == offerCount else { return .looksAgain }
            guard state.waiters.count < Self.waitersMax else { return .isFull }
            state.nextID += 1
            state.waiters.append(
                Waiter(id: state.nextID, wish: wish, deadlineMs: deadline, retry: retry, giveUp: giveUp))
            return .waits(state.nextID)
        }
    }

    func leave(_ id: UInt64) { state.withLock { $0.waiters.removeAll { $0.id == id } } }

    var waiterCount: Int { state.withLock { $0.waiters.count } }

    /// Wakes for each run the claim that has waited longest of those that may have it. Where it is not known whether the
    /// run has a plan, also the first that needs none.
    func wake(_ offers: [Offer]) {
        let woken = state.withLock { state in
            state.offers += UInt64(offers.count)
            return offers.flatMap { Self.take($0, &state.waiters) }
        }
        for waiter in woken { waiter.retry() }
    }

    private static func take(_ offer: Offer, _ waiters: inout [Waiter]) -> [Waiter] {
        guard let first = waiters.firstIndex(where: { offer.suits($0.wish) }) else { return [] }
        let taken = waiters.remove(at: first)
        guard offer.hasPlan == nil, taken.wish.isPlanRequired,
            let next = waiters.firstIndex(where: { !$0.wish.isPlanRequired && offer.suits($0.wish) })
        else { return [taken] }
        return [taken, waiters.remove(at: next)]
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
