import Crypto
package import DatabaseCore
package import Shared

/// Which events a reader wants; all conditions hold together.
package struct EventFilter: Sendable {
    /// Nil reads over all workspaces (verification, rebuild).
    package var workspaces: [WorkspaceID]?
    package var stream: StreamID?
    /// With a stream: only events after this number of it.
    package var afterStreamSeq: Int64?
    package var afterGlobalSeq: Int64 = 0
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var runID: RunID?
    package var stepID: StepID?
    package var correlationID: String?
    package var eventTypes: [String] = []
    package var beforeRecordedAt: Timestamp?

    package init(workspaces: [WorkspaceID]? = nil) { self.workspaces = workspaces }
}

/// Reads the log.
package enum EventQueries {
    /// Events in the order of recording, oldest first.
    package static func events(
        _ filter: EventFilter, limit: Int, in transaction: any ReadTransaction
    ) throws -> [StoredEvent] {
        try transaction.all(select(filter, limit: limit)) { try StoredEvent(row: $0) }
    }

    package static func event(_ id: EventID, in transaction: any ReadTransaction) throws -> StoredEvent? {
        try transaction.first("SELECT * FROM evt_events WHERE event_id = \(id)") { try StoredEvent(row: $0) }
    }

    /// Every event of the log, in order, one at a time.
    package static func each(
        afterGlobalSeq: Int64 = 0, in transaction: any ReadTransaction, _ body: (StoredEvent) throws -> Void
    ) throws {
        try transaction.each("SELECT * FROM evt_events WHERE global_seq > \(afterGlobalSeq) ORDER BY global_seq") {
            try body(StoredEvent(row: $0))
            return true
        }
    }

    /// The event of the stream that has this `idempotency_key` in its envelope.
    package static func event(
        key: String, in stream: StreamID, _ transaction: any ReadTransaction
    ) throws -> StoredEvent? {
        try transaction.first(
            """
            SELECT * FROM evt_events
            WHERE stream_type = \(stream.type) AND stream_id = \(stream.id) AND idempotency_key = \(key)
            """
        ) { try StoredEvent(row: $0) }
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
        try transaction.each(
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

    package static func lastGlobalSeq(in transaction: any ReadTransaction) throws -> Int64 {
        try transaction.first(EventTable.lastGlobalSeq) { try $0.get("last") } ?? 0
    }

    /// The number of the stream's last event, 0 for none.
    package static func lastSeq(of stream: StreamID, in transaction: any ReadTransaction) throws -> Int64 {
        try transaction.first(EventTable.head(of: stream)) { try $0.get("next_seq", as: Int64.self) - 1 } ?? 0
    }

    private static func select(_ filter: EventFilter, limit: Int) -> SQL {
        var sql: SQL = "SELECT * FROM evt_events WHERE global_seq > \(filter.afterGlobalSeq)"
        // A room's events are all in its stream, which has an index; a room has none of its own.
        let stream = filter.stream ?? filter.roomID.map { .room($0) }
        if let stream {
            sql.append(" AND stream_type = \(stream.type.rawValue) AND stream_id = \(stream.id)")
            if let seq = filter.afterStreamSeq { sql.append(" AND stream_seq > \(seq)") }
        }
        if let workspaces = filter.workspaces { sql.append(" AND workspace_id IN (\(list: workspaces))") }
        if let room = filter.roomID { sql.append(" AND room_id = \(room)") }
        if let thread = filter.threadID { sql.append(" AND thread_id = \(thread)") }
        if let run = filter.runID { sql.append(" AND run_id = \(run)") }
        if let step = filter.stepID { sql.append(" AND step_id = \(step)") }
        if let correlation = filter.correlationID { sql.append(" AND correlation_id = \(correlation)") }
        if !filter.eventTypes.isEmpty { sql.append(" AND event_type IN (\(list: filter.eventTypes))") }
        if let before = filter.beforeRecordedAt { sql.append(" AND recorded_at < \(before)") }
        // Within a stream both orders are the same, and the stream's index has this one.
        sql.append(stream != nil ? " ORDER BY stream_seq" : " ORDER BY global_seq")
        sql.append(" LIMIT \(limit)")
        return sql
    }
}
