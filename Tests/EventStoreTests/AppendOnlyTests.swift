import DatabaseCore
import Shared
import Testing

@testable import EventStore

/// The log is append-only for every connection, also for one without our settings.
struct AppendOnlyTests {
    private let bench: Bench

    init() throws {
        bench = try Bench()
        try bench.append(room("A"), note("one", key: "k1"), note("two"), room("B", "room_b"))
    }

    /// The statement is refused by a foreign connection and by the writer, and nothing has changed.
    private func expectRefused(_ statement: String) throws {
        let before = try dump()
        #expect(throws: Bench.Refused.self, "\(statement)") { try bench.tamper(statement) }
        let error = #expect(throws: DatabaseError.self, "\(statement)") {
            try bench.database.writeAndWait { try $0.execute(SQL(unsafeText: statement)) }
        }
        #expect(error?.kind == .constraint, "\(statement)")
        #expect(try dump() == before, "\(statement)")
        #expect(try bench.verify().valid)
    }

    private func dump() throws -> [String] {
        try bench.database.read { transaction in
            try transaction.all("SELECT * FROM evt_events ORDER BY global_seq") { row in
                try (EventTable.headerColumns + Bench.storedPayload).map { "\(try row.value($0))" }.joined(
                    separator: "|")
            }
                + transaction.all("SELECT * FROM evt_stream_heads ORDER BY stream_id") { row in
                    "\(try row.get("stream_id", as: String.self)) \(try row.get("next_seq", as: Int.self))"
                }
        }
    }

    @Test("No column of an event can be changed", arguments: EventTable.headerColumns + EventTable.payloadColumns)
    func update(_ column: String) throws {
        let isNumber = ["global_seq", "event_version", "stream_seq", "contains_secrets"].contains(column)
        let value =
            switch column {
            case "contains_secrets": Bench.isSQLite ? "1 - contains_secrets" : "NOT contains_secrets"
            case "occurred_at", "recorded_at": "'2001-01-01T00:00:00.000Z'"
            case _ where isNumber: "\(column) + 1000"
            case "actor_type": "'agent'"
            case "zone": "'sandbox'"
            case "stream_type": "'thread'"
            case "redaction_level": "'full'"
            case "payload_salt": Bench.otherSalt
            case "causation_id", "prev_event_hash": "'other'"
            // Where JSON is made of the text, it has to stay JSON.
            case _ where EventTable.payloadColumns.contains(column): "' ' || \(Bench.stored(column))"
            default: "coalesce(\(column), '') || 'x'"
            }
        let column = Bench.stored(column)
        try expectRefused("UPDATE evt_events SET \(column) = \(value) WHERE global_seq = 2")
        guard Bench.isSQLite else { return }
        // To null alone, which is no erasure either.
        try expectRefused(
            "UPDATE OR IGNORE evt_events SET event_hash = 'x', \(column) = \(value) WHERE global_seq = 2"
                .replacing("event_hash = 'x', event_hash", with: "event_hash"))
    }

    @Test("A payload cannot be set to null in part", arguments: EventTable.payloadColumns)
    func partialErasure(_ kept: String) throws {
        let erased = Bench.storedPayload.filter { $0 != Bench.stored(kept) }.map { "\($0) = NULL" }.joined(
            separator: ", ")
        try expectRefused("UPDATE evt_events SET \(erased) WHERE global_seq = 2")
    }

    @Test(
        "Events are neither deleted nor replaced nor inserted out of turn",
        arguments: [
            "DELETE FROM evt_events WHERE global_seq = 2",
            "DELETE FROM evt_events",
            "DELETE FROM evt_stream_heads",
            "DELETE FROM evt_stream_heads WHERE stream_id = 'room_a'",
            "UPDATE evt_stream_heads SET next_seq = next_seq - 1",
            "UPDATE evt_stream_heads SET next_seq = next_seq",
            "UPDATE evt_stream_heads SET stream_id = 'room_z', next_seq = next_seq + 1 WHERE stream_id = 'room_a'",
        ])
    func deletions(_ statement: String) throws { try expectRefused(statement) }

    @Test(
        "Postgres: nothing is truncated, and an upsert is an update", .enabled(if: !Bench.isSQLite),
        arguments: [
            "TRUNCATE evt_events, evt_subjects", "TRUNCATE evt_events CASCADE", "TRUNCATE evt_stream_heads",
            """
            INSERT INTO evt_stream_heads (stream_type, stream_id, next_seq) VALUES ('room', 'room_a', 1)
                ON CONFLICT (stream_type, stream_id) DO UPDATE SET next_seq = 1
            """,
        ])
    func truncations(_ statement: String) throws { try expectRefused(statement) }

    @Test(
        "SQLite: a head is not replaced", .enabled(if: Bench.isSQLite),
        arguments: [
            "INSERT OR REPLACE INTO evt_stream_heads (stream_type, stream_id, next_seq) VALUES ('room', 'room_a', 9)",
            "REPLACE INTO evt_stream_heads (stream_type, stream_id, next_seq) VALUES ('room', 'room_a', 1)",
        ])
    func replacedHeads(_ statement: String) throws { try expectRefused(statement) }

    @Test(
        "INSERT OR REPLACE does not get behind the triggers, whatever it collides with", .enabled(if: Bench.isSQLite),
        arguments: ["global_seq", "event_id", "stream", "idempotency_key"])
    func replace(_ collision: String) throws {
        let columns = EventTable.headerColumns + EventTable.payloadColumns
        let values = columns.map { column in
            switch column {
            case "global_seq": collision == column ? "2" : "5"
            case "event_id": collision == column ? "event_id" : "'e-new'"
            case "stream_seq": collision == "stream" ? "stream_seq" : "4"
            case "idempotency_key": collision == column ? "idempotency_key" : "NULL"
            default: column
            }
        }
        for verb in ["INSERT OR REPLACE", "REPLACE"] {
            try expectRefused(
                """
                \(verb) INTO evt_events (\(columns.joined(separator: ", ")))
                SELECT \(values.joined(separator: ", ")) FROM evt_events WHERE global_seq = 2
                """)
        }
        // The same row without a collision is an append, which the triggers let through: so it was they who refused.
        let free = zip(columns, values).map { column, _ in
            switch column {
            case "global_seq": "5"
            case "event_id": "'e-new'"
            case "stream_seq": "4"
            case "idempotency_key": "NULL"
            default: column
            }
        }
        try bench.tamper(
            """
            INSERT INTO evt_events (\(columns.joined(separator: ", ")))
            SELECT \(free.joined(separator: ", ")) FROM evt_events WHERE global_seq = 2
            """)
    }

    @Test("A stream's head cannot be pushed out by its row number", .enabled(if: Bench.isSQLite))
    func headsByRowNumber() throws {
        for statement in [
            "INSERT OR REPLACE INTO evt_stream_heads (rowid, stream_type, stream_id, next_seq) VALUES (1, 'room', 'z', 1)",
            "UPDATE OR REPLACE evt_stream_heads SET rowid = 1, next_seq = next_seq + 1 WHERE rowid = 2",
        ] {
            #expect(throws: Bench.Refused.self, "\(statement)") { try bench.tamper(statement) }
        }
        #expect(try bench.verify().valid)
    }

    @Test("A new event takes the next place only", arguments: [0, 2, 4, 6, 100])
    func place(_ globalSeq: Int) throws {
        let columns = EventTable.headerColumns + Bench.storedPayload
        let values = columns.map { column in
            switch column {
            case "global_seq": "\(globalSeq)"
            case "event_id": "'e-new'"
            case "stream_seq": "77"
            case "idempotency_key": "NULL"
            default: column
            }
        }
        try expectRefused(
            """
            INSERT INTO evt_events (\(columns.joined(separator: ", ")))
            SELECT \(values.joined(separator: ", ")) FROM evt_events WHERE global_seq = 2
            """)
    }

    @Test("The one change allowed is to erase the whole payload, once")
    func erasure() throws {
        let erase =
            "UPDATE evt_events SET \(Bench.storedPayload.map { "\($0) = NULL" }.joined(separator: ", ")) WHERE global_seq = 2"
        try bench.tamper(erase)
        // Erased and not recorded is changed.
        let unexplained = try bench.verify()
        #expect(unexplained.faults.map(\.kind) == [.payloadDigestMismatch] && unexplained.faults[0].globalSeq == 2)
        try bench.append(erased(try #require(try bench.stored().first { $0.envelope.globalSeq == 2 }).envelope))
        let verification = try bench.verify()
        #expect(verification.valid)
        #expect(verification.erased == 1)
        #expect(verification.events == 5)
        let event = try #require(try bench.stored().first { $0.envelope.globalSeq == 2 })
        #expect(event.payload == nil)
        #expect(try event.typed() == nil)
        // A second erasure would change nothing and is refused like any other update.
        #expect(throws: Bench.Refused.self) { try bench.tamper(erase) }
        // And what is erased cannot be filled in again.
        #expect(throws: Bench.Refused.self) {
            try bench.tamper("UPDATE evt_events SET \(Bench.stored("data")) = '{}' WHERE global_seq = 2")
        }
    }
}
