/// A thread of its own that does jobs in turn: for what would hold up others.
package final class JobQueue: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var isStopping = false
    }

    private let name: String
    private let jobsMax: Int
    private let state = Monitor(State())

    /// - Parameter jobsMax: Jobs that may wait; more are refused.
    package init(_ name: String, jobsMax: Int) { (self.name, self.jobsMax) = (name, jobsMax) }

    package func start() -> Thread {
        Thread.start(name) { [self] in
            while let job = next() { job() }
        }
    }

    /// False when too many wait already, or the queue stops.
    package func add(_ job: @escaping @Sendable () -> Void) -> Bool {
        state.update { state in
            guard state.jobs.count < jobsMax, !state.isStopping else { return false }
            state.jobs.append(job)
            return true
        }
    }

    /// Takes no more jobs; the thread ends when those that wait are done.
    package func stop() { state.update { $0.isStopping = true } }

    private func next() -> (@Sendable () -> Void)? {
        let job: (@Sendable () -> Void)?? = state.wait { state in
            if !state.jobs.isEmpty { return .some(state.jobs.removeFirst()) }
            return state.isStopping ? .some(nil) : nil
        }
        return job ?? nil
    }
}
