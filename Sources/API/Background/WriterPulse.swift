import DatabaseCore
import Platform
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
    private let backend: Backend

    /// - Parameter nowMs: Counts as the first answer: the api writes before it serves.
    init(nowMs: Int64, on backend: Backend) {
        state = Mutex(State(askedMs: nowMs, answeredMs: nowMs))
        self.backend = backend
    }

    /// Asks, if it is time and the last question has been answered.
    func beat(_ environment: APIEnvironment) {
        let now = environment.clock.monotonicMilliseconds()
        guard begin(nowMs: now) else { return }
        environment.database.write { _ in
        } then: { [self] (result: Result<Void, any Error>) in
            var failure: (any Error)?
            if case .failure(let error) = result { failure = error }
            answered(failure, nowMs: environment.clock.monotonicMilliseconds())
        }
    }

    /// Whether it is time to ask; then the question counts as asked.
    func begin(nowMs: Int64) -> Bool {
        state.withLock { state in
            guard !state.isAsked, nowMs - state.askedMs >= Self.intervalMilliseconds else { return false }
            (state.isAsked, state.askedMs) = (true, nowMs)
            return true
        }
    }

    func answered(_ failure: (any Error)?, nowMs: Int64) {
        state.withLock { state in
            (state.isAsked, state.answeredMs, state.failure) = (false, nowMs, failure.map { "\($0)" })
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
            if state.isFull {
                return backend == .sqlite ? "the disk is full" : "the disk of the database's server is full"
            }
            if let failure = state.failure { return failure }
            let silentMs = nowMs - state.answeredMs
            return silentMs > Self.staleMilliseconds ? "the writer has not answered for \(silentMs) ms" : nil
        }
    }
}
