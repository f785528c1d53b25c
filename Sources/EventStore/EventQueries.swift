package import DatabaseCore
package import Shared

/// Reads the log.
package enum EventQueries {
    /// Events in the order of recording: the first ones that match.
    package static func events(
        _ filter: EventFilter, limit: Int, in transaction: any ReadTransaction
    ) throws -> [StoredEvent] {
        try transaction.all(EventSearch(filter, limit: limit, in: transaction).statement) { try StoredEvent(row: $0) }
    }

    /// The last ones that match, still oldest first: a page of those who read backwards.
    package static func lastEvents(
        _ filter: EventFilter, limit: Int, in transaction: any ReadTransaction
    ) throws -> [StoredEvent] {
        let search = try EventSearch(filter, limit: limit, isBackwards: true, in: transaction)
        return try transaction.all(search.statement) { try StoredEvent(row: $0) }.reversed()
    }

    /// The events that match, in the order of recording, one at a time, `limit` at most, until `body` says no more.
    ///
    /// Meant for a thread of its own: where only the workspace is asked for, the log is read from end to end.
    package static func each(
        _ filter: EventFilter, limit: Int, in transaction: any ReadTransaction, _ body: (StoredEvent) throws -> Bool
    ) throws {
        let search = try EventSearch(filter, limit: limit, mayScan: true, in: transaction)
        try transaction.each(search.statement) { try body(StoredEvent(row: $0)) }
    }

    package static func event(_ id: EventID, in transaction: any ReadTransaction) throws -> StoredEvent? {
        var statement = SQL(unsafeText: EventTable.selectText)
        statement.append(" WHERE event_id = \(id)")
        return try transaction.first(statement) { try StoredEvent(row: $0) }
    }

    /// Every event of the log, in order, one at a time.
    package static func each(
        afterGlobalSeq: Int64 = 0, in transaction: any ReadTransaction, _ body: (StoredEvent) throws -> Void
    ) throws {
        var statement = SQL(unsafeText: EventTable.selectText)
        statement.append(" WHERE global_seq > \(afterGlobalSeq) ORDER BY global_seq")
        try transaction.each(statement) {
            try body(StoredEvent(row: $0))
            return true
        }
    }

    package static func lastGlobalSeq(in transaction: any ReadTransaction) throws -> Int64 {
        try transaction.first(EventTable.tip) { try $0.get("global_seq") } ?? 0
    }

    /// The place of the last event that was recorded before the time, 0 for none. `recorded_at` never goes back along the
    /// log, so it is found by halving.
    package static func lastGlobalSeq(
        recordedBefore time: Timestamp, in transaction: any ReadTransaction
    ) throws -> Int64 {
        try Halving.last(upTo: lastGlobalSeq(in: transaction)) { seq in
            let recordedAt = try transaction.first(
                "SELECT recorded_at FROM evt_events WHERE global_seq >= \(seq) ORDER BY global_seq LIMIT 1"
            ) { try $0.get("recorded_at", as: Timestamp.self) }
            return recordedAt.map { $0 < time } ?? false
        }
    }

    /// The number of the stream's last event, 0 for none.
    package static func lastSeq(of stream: StreamID, in transaction: any ReadTransaction) throws -> Int64 {
        try transaction.first(EventTable.head(of: stream)) { try $0.get("next_seq", as: Int64.self) - 1 } ?? 0
    }

    /// The workspace that a stream's events belong to; nil when it has none.
    package static func workspace(of stream: StreamID, in transaction: any ReadTransaction) throws -> WorkspaceID? {
        try transaction.first(
            """
            SELECT workspace_id FROM evt_events
            WHERE stream_type = \(stream.type.rawValue) AND stream_id = \(stream.id) ORDER BY stream_seq LIMIT 1
            """
        ) { try $0.get("workspace_id") }
    }
}
