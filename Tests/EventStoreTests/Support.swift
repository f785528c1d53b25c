import CSQLite
import Crypto
import DatabaseCore
import JSON
import Platform
import PostgresTestSupport
import Shared
import Testing

@testable import EventStore

/// A log in a file of its own, with entropy and time of the test.
final class Bench: Sendable {
    let folder: String
    private let scratch: ScratchDatabase
    let log: EventLog
    static let start = Timestamp("2026-03-04T05:06:07.089Z")!

    var database: any Database { scratch.database }
    /// Another process's way to the same log; Postgres only.
    func another() throws -> any Database { try scratch.another([EventTable.migration]) }

    /// The file, on SQLite.
    var path: String { scratch.path }
    static var isSQLite: Bool { TestBackends.chosen == .sqlite }

    init(seed: UInt64 = 1, migrations: [Migration] = [EventTable.migration]) throws {
        folder = "/tmp/aos-test-\(SystemEntropy().integer(in: 0...Int64.max))"
        try Files.makeFolder(folder)
        scratch = try ScratchDatabase(in: folder, migrations) { Issue.record("storage fault: \($0)") }
        let entropy = SeededEntropy(seed: seed)
        log = EventLog { entropy.bytes($0) }
    }

    deinit { try? Files.removeTree(folder) }

    @discardableResult
    func append(_ drafts: EventDraft..., at now: Timestamp = Bench.start) throws -> [Recorded<DomainEvent>] {
        try database.writeAndWait { [log] in try log.append(drafts, at: now, in: $0) }
    }

    func verify() throws -> LogVerification { try database.read { try LogVerifier.verifyLog(in: $0) } }

    func stored() throws -> [StoredEvent] {
        try database.read { try EventQueries.events(EventFilter(), limit: 1_000_000, in: $0) }
    }

    /// Runs text on a second connection, as somebody with the file in his hands, or the server's owner, would; the settings
    /// are the database's own.
    func tamper(_ text: String) throws {
        #if Postgres
            if let postgres = scratch.postgres {
                do { try postgres.run(text) } catch { throw Refused(message: "\(error)") }
                return
            }
        #endif
        var handle: OpaquePointer?
        defer { sqlite3_close_v2(handle) }
        try #require(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK)
        guard sqlite3_exec(handle, text, nil, nil, nil) == SQLITE_OK else {
            throw Refused(message: String(cString: sqlite3_errmsg(handle)))
        }
    }

    struct Refused: Error { var message: String }

    /// Where the exact bytes of a payload's part stand.
    static func stored(_ column: String) -> String {
        isSQLite || column == "payload_salt" || !EventTable.payloadColumns.contains(column) ? column : "\(column)_text"
    }

    static let storedPayload = EventTable.payloadColumns.map(stored)

    /// Other bytes than any salt's.
    static let otherSalt = isSQLite ? "x'00112233445566778899aabbccddeeff'" : "'\\x00112233445566778899aabbccddeeff'"

    static let dropTriggers = isSQLite ? dropSQLiteTriggers : dropPostgresTriggers

    private static let dropPostgresTriggers = """
        ALTER TABLE evt_events DISABLE TRIGGER USER; ALTER TABLE evt_stream_heads DISABLE TRIGGER USER;
        ALTER TABLE evt_events DROP CONSTRAINT IF EXISTS evt_events_zone_check,
            DROP CONSTRAINT IF EXISTS evt_events_actor_type_check, DROP CONSTRAINT IF EXISTS evt_events_stream_type_check,
            DROP CONSTRAINT IF EXISTS evt_events_redaction_level_check;
        """

    private static let dropSQLiteTriggers = """
        DROP TRIGGER evt_events_are_not_deleted; DROP TRIGGER evt_events_are_only_erased;
        DROP TRIGGER evt_events_are_appended; DROP TRIGGER evt_stream_heads_are_not_deleted;
        DROP TRIGGER evt_stream_heads_only_grow; DROP TRIGGER evt_stream_heads_are_not_replaced;
        PRAGMA ignore_check_constraints = ON;
        """
}

/// A harmless event in a room, or in the workspace's stream.
func note(_ text: String, room: RoomID? = "room_a", key: String? = nil, actor: Actor = .operatorUser) -> EventDraft {
    EventDraft(
        .run(.completed(RunCompleted(runID: "run_1", summary: text))),
        in: EventScope(workspaceID: "ws_test", roomID: room, runID: "run_1", correlationID: "corr_1"), by: actor,
        idempotencyKey: key)
}

/// The record of an erasure, as the api makes one.
func erased(_ target: EventEnvelope) -> EventDraft {
    EventDraft(
        .system(
            .eventErased(
                EventErased(
                    targetEventID: target.eventID, targetEventType: target.eventType, reason: "why", remains: [:]))),
        in: EventScope(of: target), by: .operatorUser)
}

func room(_ title: String, _ id: RoomID = "room_a", topic: String? = nil) -> EventDraft {
    EventDraft(
        .room(.created(RoomCreated(title: title, topic: topic, roomMode: "default", defaultLang: "en"))),
        in: EventScope(workspaceID: "ws_test", roomID: id, correlationID: "corr_1"), by: .operatorUser)
}
