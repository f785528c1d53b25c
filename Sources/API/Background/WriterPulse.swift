import DatabaseCore
import Synchronization

/// Whether the writer still writes: it is asked to once a second by a command that changes nothing, so that a probe can be
/// answered from memory, at once, also when the disk hangs.
final class WriterPulse: Sendable {
    static let intervalMilliseconds: Int64 = 1_000
    /// A writer that has not answered for so long counts as stuck.
    static let staleMilliseconds: Int64 = 5_000

    private struct State {
        var askedMs: Int64
        var answeredMs: Int64
        var isAsked = false
        var failure: String?
        var isFull = false
    }

    private let state: Mutex<State>

    /// - Parameter nowMs: Counts as the first answer: the api writes before it serves.
    init(nowMs: Int64) { state = Mutex(State(askedMs: nowMs, answeredMs: nowMs)) }

    /// Asks, if it is time and the last question has been answered.
    func beat(nowMs: @escaping @Sendable () -> Int64, _ database: any Database) {
        let now = nowMs()
        let isDue = state.withLock { state in
            guard !state.isAsked, now - state.askedMs >= Self.intervalMilliseconds else { return false }
            (state.isAsked, state.askedMs) = (true, now)
            return true
        }
        guard isDue else { return }
        database.write { _ in
        } then: { [self] (result: Result<Void, any Error>) in
            let answered = nowMs()
            state.withLock { state in
                (state.isAsked, state.answeredMs) = (false, answered)
                if case .failure(let error) = result { state.failure = "\(error)" } else { state.failure = nil }
            }
        }
    }

    /// A full disk shows only where something is written.
    func written(_ batch: WriteBatch) {
        if batch.failure == .full {
            state.withLock { $0.isFull = true }
        } else if batch.failure == nil, batch.changes > 0 {
            state.withLock { $0.isFull = false }
        }
    }

    /// What is wrong with writing, nil while all is well.
    func fault(nowMs: Int64) -> String? {
        state.withLock { state in
            if state.isFull { return "the disk is full" }
            if let failure = state.failure { return failure }
            let silentMs = nowMs - state.answeredMs
            return silentMs > Self.staleMilliseconds ? "the writer has not answered for \(silentMs) ms" : nil
        }
    }
}
