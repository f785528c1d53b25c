import Crypto
package import DatabaseCore
import Shared

/// Takes a log over into another database as it is: places, hashes, erased payloads and all.
package enum LogCopy {
    /// Adds an event that was recorded elsewhere. The table refuses it if it is not the next one.
    package static func add(_ event: StoredEvent, in transaction: any WriteTransaction) throws {
        try transaction.execute(EventTable.insert(event.envelope, event.payload, on: transaction.backend))
        if let data = event.payload?.data {
            try EventSubjects.note(data, at: event.envelope.globalSeq, in: transaction)
        }
    }

    /// Takes over where each stream ends, once all its events are there.
    package static func addHeads(from source: any ReadTransaction, in transaction: any WriteTransaction) throws {
        try eachHead(source) { try transaction.execute(EventTable.addHead(of: $0, nextSeq: $1)) }
    }

    /// One digest of all heads: each stream, its next number and the hash of its last event.
    package static func headsDigest(_ transaction: any ReadTransaction) throws -> String {
        let hash = RunningSHA256()
        try transaction.scan(
            """
            SELECT h.stream_type, h.stream_id, h.next_seq, e.event_hash FROM evt_stream_heads h
            LEFT JOIN evt_events e ON e.stream_type = h.stream_type AND e.stream_id = h.stream_id
                AND e.stream_seq = h.next_seq - 1
            ORDER BY h.stream_type, h.stream_id
            """
        ) { row in
            let stream = StreamID(try row.get("stream_type"), try row.get("stream_id"))
            let eventHash = try row.get("event_hash", as: String?.self) ?? ""
            hash.update(Array("\(stream) \(try row.get("next_seq", as: Int64.self)) \(eventHash)\n".utf8)[...])
            return true
        }
        return "sha256:" + hash.hex()
    }

    private static func eachHead(
        _ transaction: any ReadTransaction, _ body: (StreamID, _ nextSeq: Int64) throws -> Void
    ) throws {
        try transaction.scan("SELECT stream_type, stream_id, next_seq FROM evt_stream_heads") { row in
            try body(StreamID(row.get("stream_type"), row.get("stream_id")), row.get("next_seq"))
            return true
        }
    }
}
