import DatabaseCore
import EventStore
import Platform
import Shared

/// An event as it goes out after its commit.
struct CommittedEvent: Sendable {
    let envelope: EventEnvelope
    /// Nil where the payload was erased, or a newer program recorded a type that this one does not know.
    let event: DomainEvent?
    let frame: @Sendable (EventTopic) -> EventHub.Frame

    init(_ recorded: Recorded<DomainEvent>) {
        (envelope, event) = (recorded.envelope, recorded.event)
        frame = { EventHub.frame(recorded, $0) }
    }

    init(_ stored: StoredEvent) throws {
        (envelope, event) = (stored.envelope, try stored.typed()?.event)
        frame = { EventHub.frame(stored, $0) }
    }
}

/// Where several processes write: hands every event of the log on, once and in the order of recording, whoever recorded
/// it. What this process commits itself comes from memory while nothing is missing before it; all else is read.
final class LogTail: Sendable {
    /// Events that are read at once.
    static let pageEvents = 500
    /// How soon it is tried again when the log cannot be read.
    static let retryMilliseconds: Int64 = 200

    private struct State {
        /// The last event that was handed on.
        var position: Int64
        /// Counts the reasons to read; reading has caught up when it has served all.
        var wanted = 0
        var served = 0
        var isStopping = false
    }

    private let database: any Database
    private let state: Monitor<State>

    init(_ database: any Database) {
        (self.database, state) = (database, Monitor(State(position: 0)))
    }

    /// Everything up to there is known already.
    func begin(after position: Int64) { state.update { $0.position = position } }

    /// Another process may have committed.
    func mayHaveMore() { state.update { $0.wanted += 1 } }

    /// This process has committed.
    func committed(_ events: [CommittedEvent], deliver: ([CommittedEvent]) -> Void) {
        guard let first = events.first?.envelope.globalSeq, let last = events.last?.envelope.globalSeq else { return }
        state.update { state in
            guard state.wanted == state.served, first == state.position + 1 else {
                state.wanted += 1
                return
            }
            // Inside, so that nothing that is read comes between.
            deliver(events)
            state.position = last
        }
    }

    func start(deliver: @escaping @Sendable ([CommittedEvent]) -> Void) -> Thread {
        database.onOthersCommit { [weak self] in self?.mayHaveMore() }
        return Thread.start("api-log-tail") { [self] in
            while let (position, wanted) = next() { read(after: position, serving: wanted, deliver) }
        }
    }

    func stop() { state.update { $0.isStopping = true } }

    private func next() -> (position: Int64, wanted: Int)? {
        let next: (Int64, Int)?? = state.wait { state in
            if state.isStopping { return .some(nil) }
            return state.wanted == state.served ? nil : .some((state.position, state.wanted))
        }
        return next ?? nil
    }

    private func read(after position: Int64, serving wanted: Int, _ deliver: ([CommittedEvent]) -> Void) {
        do {
            var filter = EventFilter()
            filter.afterGlobalSeq = position
            let page = try database.read { transaction in
                try EventQueries.events(filter, limit: Self.pageEvents, in: transaction).map { try CommittedEvent($0) }
            }
            state.update { state in
                deliver(page)
                if let last = page.last { state.position = last.envelope.globalSeq }
                if page.count < Self.pageEvents { state.served = wanted }
            }
        } catch {
            // The database is away; what is missing now is read when it is back.
            _ = state.wait(milliseconds: Self.retryMilliseconds) { $0.isStopping ? true : nil }
        }
    }
}
