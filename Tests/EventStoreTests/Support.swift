import CSQLite
import Crypto
import DatabaseCore
import DatabaseSQLite
import JSON
import Platform
import Shared
import Testing

@testable import EventStore

/// A log in a file of its own, with entropy and time of the test.
final class Bench: Sendable {
    let folder: String
    let database: any Database
    private let close: @Sendable () -> Void
    let log: EventLog
    static let start = Timestamp("2026-03-04T05:06:07.089Z")!

    var path: String { "\(folder)/log.db" }

    init(seed: UInt64 = 1, migrations: [Migration] = [EventTable.migration]) throws {
        folder = "/tmp/aos-test-\(SystemEntropy().integer(in: 0...Int64.max))"
        try Files.makeFolder(folder)
        let sqlite = try SQLiteDatabase(path: "\(folder)/log.db", migrations: migrations) {
            Issue.record("storage fault: \($0)")
        }
        (database, close) = (sqlite, { sqlite.close() })
        let entropy = SeededEntropy(seed: seed)
        log = EventLog { entropy.bytes($0) }
    }

    deinit {
        close()
        try? Files.removeTree(folder)
    }

    @discardableResult
    func append(_ drafts: EventDraft..., at now: Timestamp = Bench.start) throws -> [Recorded<DomainEvent>] {
        try database.writeAndWait { [log] in try log.append(drafts, at: now, in: $0) }
    }

    func verify() throws -> LogVerification { try database.read { try LogVerifier.verifyLog(in: $0) } }

    func stored() throws -> [StoredEvent] {
        try database.read { try EventQueries.events(EventFilter(), limit: 1_000_000, in: $0) }
    }

    /// Runs text on a second connection, as somebody with the file in his hands would; the settings are SQLite's own.
    func tamper(_ text: String) throws {
        var handle: OpaquePointer?
        defer { sqlite3_close_v2(handle) }
        try #require(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK)
        guard sqlite3_exec(handle, text, nil, nil, nil) == SQLITE_OK else {
            throw Refused(message: String(cString: sqlite3_errmsg(handle)))
        }
    }

    struct Refused: Error { var message: String }

    static let dropTriggers = """
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

func room(_ title: String, _ id: RoomID = "room_a", topic: String? = nil) -> EventDraft {
    EventDraft(
        .room(.created(RoomCreated(title: title, topic: topic, roomMode: "default", defaultLang: "en"))),
        in: EventScope(workspaceID: "ws_test", roomID: id, correlationID: "corr_1"), by: .operatorUser)
}
