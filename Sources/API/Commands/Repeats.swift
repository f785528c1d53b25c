import EventStore
import Shared

// Requests that carry a key of the envelope: unique in their stream for ever (RULINGS 12).

extension Work {
    /// What was recorded in the stream with the key before: the request is a repeat.
    func recorded(_ key: String?, in stream: StreamID) throws -> StoredEvent? {
        try key.flatMap { try EventQueries.event(idempotencyKey: $0, in: stream, transaction) }
    }
}

extension StoredEvent {
    /// The refusal of a key that stands for something else already.
    var conflict: Rejection {
        .field(
            "idempotency_key", .idempotencyConflict,
            "idempotency_key: the stream has another event with this key (\(envelope.eventType)); choose another")
    }
}
