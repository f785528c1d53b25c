import Crypto
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
        try transaction.scan(search.statement) { try body(StoredEvent(row: $0)) }
    }

    package static func event(_ id: EventID, in transaction: any ReadTransaction) throws -> StoredEvent? {
        var statement = EventTable.select(on: transaction.backend)
        statement.append(" WHERE event_id = \(id)")
        return try transaction.first(statement) { try StoredEvent(row: $0) }
    }

    /// The one event of the stream that was recorded with this key, if there is one.
    package static func event(
        idempotencyKey key: String, in stream: StreamID, _ transaction: any ReadTransaction
    ) throws -> StoredEvent? {
        var statement = EventTable.select(on: transaction.backend)
        statement.append(
            """
             WHERE stream_type = \(stream.type.rawValue) AND stream_id = \(stream.id) AND idempotency_key = \(key)
            """)
        return try transaction.first(statement) { try StoredEvent(row: $0) }
    }

    /// Every event of the log, in order, one at a time.
    package static func each(
        in transaction: any ReadTransaction, _ body: (StoredEvent) throws -> Void
    ) throws {
        var statement = EventTable.select(on: transaction.backend)
        statement.append(" ORDER BY global_seq")
        try transaction.scan(statement) {
            try body(StoredEvent(row: $0))
            return true
        }
    }

    /// The place and the hash of every event, in order, until `body` returns false: a long log is passed without reading
    /// what its events say.
    package static func eachHash(
        afterGlobalSeq: Int64 = 0, in transaction: any ReadTransaction,
        _ body: (_ globalSeq: Int64, _ eventHash: String) throws -> Bool
    ) throws {
        try transaction.scan(
            "SELECT global_seq, event_hash FROM evt_events WHERE global_seq > \(afterGlobalSeq) ORDER BY global_seq"
        ) { try body($0.get("global_seq"), $0.get("event_hash")) }
    }

    /// The run's events in the stream up to the one that ended it; nil when there are none.
    /// - Parameter listedMax: So many are listed; all are counted and hashed.
    package static func evidenceWindow(
        of run: RunID, in stream: StreamID, listedMax: Int, _ transaction: any ReadTransaction
    ) throws -> EvidenceWindow? {
        let root = RunningSHA256()
        var events: [EventPointer] = []
        var (first, last, count, isEnded) = (Int64(0), Int64(0), Int64(0), false)
        // Columns before the payload only: the pages of a large payload are not even read.
        try transaction.scan(
            """
            SELECT event_id, event_type, occurred_at, stream_seq, event_hash FROM evt_events
            WHERE run_id = \(run) AND stream_type = \(stream.type) AND stream_id = \(stream.id)
            ORDER BY global_seq
            """
        ) { row in
            if count > 0 { root.update([UInt8(ascii: "\n")]) }
            root.update(try row.bytes("event_hash")[...])
            last = try row.get("stream_seq")
            let type: String = try row.get("event_type")
            if count == 0 { first = last }
            if events.count < listedMax {
                events.append(
                    EventPointer(
                        eventID: try row.get("event_id"), eventType: type, occurredAt: try row.get("occurred_at"),
                        streamSeq: last, eventHash: try row.get("event_hash")))
            }
            (count, isEnded) = (count + 1, RunEvent.endTypes.contains(type))
            return !isEnded
        }
        guard count > 0 else { return nil }
        return EvidenceWindow(
            stream: stream, fromSeq: first, toSeq: last, eventCount: count, eventHashRoot: "sha256:" + root.hex(),
            events: events, hasTerminalEvent: isEnded)
    }

    /// The first and the last event of a run, by `global_seq`; nil when it has none.
    package static func span(
        of run: RunID, in transaction: any ReadTransaction
    ) throws -> (first: Int64, last: Int64)? {
        try transaction.first(
            "SELECT min(global_seq) AS first, max(global_seq) AS last FROM evt_events WHERE run_id = \(run)"
        ) { row -> (Int64, Int64)? in
            guard let first = try row.get("first", as: Int64?.self), let last = try row.get("last", as: Int64?.self)
            else { return nil }
            return (first, last)
        } ?? nil
    }

    /// An event's type and whereabouts.
    package struct Mark: Sendable {
        package var eventID: EventID
        package var eventType: String
        package var runID: RunID?
        package var recordedAt: Timestamp
    }

    /// The last events of the log, newest first.
    package static func latest(_ limit: Int, in transaction: any ReadTransaction) throws -> [Mark] {
        try transaction.all(
            "SELECT event_id, event_type, run_id, recorded_at FROM evt_events ORDER BY global_seq DESC LIMIT \(limit)"
        ) {
            Mark(
                eventID: try $0.get("event_id"), eventType: try $0.get("event_type"), runID: try $0.get("run_id"),
                recordedAt: try $0.get("recorded_at"))
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
