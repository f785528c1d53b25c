package import DatabaseCore
import JSON
package import Shared

/// Taking what an event said out of the log (RULINGS 7): payload and salt go, the header with its digests stays.
package enum EventErasure {
    /// Few events are erasures, and each walk over the log asks for them.
    package static let migration = Migration(
        6, "erasures",
        Schema(
            sqlite: ["CREATE INDEX evt_events_erasures ON evt_events (global_seq) WHERE event_type = 'event.erased'"],
            postgres: ["CREATE INDEX evt_events_erasures ON evt_events (global_seq) WHERE event_type = 'event.erased'"])
    )

    /// Does it, and takes the notes away of whom the event was about. `event.erased` is the caller's to record.
    package static func erase(_ event: EventEnvelope, in transaction: any WriteTransaction) throws {
        try transaction.execute(EventTable.erase(event.globalSeq, on: transaction.backend))
        try transaction.execute("DELETE FROM evt_subjects WHERE global_seq = \(event.globalSeq)")
    }
}

/// What remains of erased events, as `event.erased` says.
package struct ErasedForms: Sendable {
    private var remains: [EventID: JSONValue] = [:]

    /// Those of the whole log.
    package init(in transaction: any ReadTransaction) throws {
        var statement = EventTable.select(on: transaction.backend)
        // The literal is what the index is found by.
        statement.append(" WHERE event_type = 'event.erased' ORDER BY global_seq")
        for event in try transaction.all(statement, { try StoredEvent(row: $0) }) {
            // One that cannot be read is for the verification to name.
            guard case .system(.eventErased(let erased))? = try? event.typed()?.event else { continue }
            remains[erased.targetEventID] = erased.remains
        }
    }

    package func contains(_ id: EventID) -> Bool { remains[id] != nil }

    /// The event as it is folded: what was recorded, or what remains of it. Nil for a type that this program does not know.
    package func folded(_ event: StoredEvent) throws -> Recorded<DomainEvent>? {
        if event.payload != nil { return try event.typed() }
        guard let remains = remains[event.envelope.eventID],
            let typed = try EventCatalogue.decode(event.envelope.eventType, remains)
        else { return nil }
        return Recorded(event.envelope, typed)
    }
}

extension EventQueries {
    /// Every event of the log as it is folded into read models, in order, one at a time.
    /// - Parameter body: Given nil for an event of a type that this program does not know.
    package static func eachFolded(
        in transaction: any ReadTransaction, _ body: (Recorded<DomainEvent>?) throws -> Void
    ) throws {
        let forms = try ErasedForms(in: transaction)
        try each(in: transaction) { try body(forms.folded($0)) }
    }
}
