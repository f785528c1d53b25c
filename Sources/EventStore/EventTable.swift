package import DatabaseCore
import JSON
import Shared

/// `evt_events` and `evt_stream_heads`: the SQL that makes and fills them.
package enum EventTable {
    /// The payload as a reader takes it. An erasure sets all of it to null together; nothing else ever changes (RULINGS 7).
    static let payloadColumns = ["data", "policy_context", "model_context", "display", "payload_salt"]

    /// Where the exact bytes stand that were hashed. On Postgres `data` and its like are made of them, for reading with
    /// the database's own JSON operators.
    private static func storedColumns(on backend: Backend) -> [String] {
        switch backend {
        case .sqlite: payloadColumns
        case .postgres: payloadColumns.map { $0 == "payload_salt" ? $0 : "\($0)_text" }
        }
    }

    static let headerColumns = [
        "global_seq", "event_id", "event_type", "event_version", "occurred_at", "recorded_at", "workspace_id",
        "mission_id", "room_id", "thread_id", "run_id", "step_id", "actor_type", "actor_id", "actor_principal_id",
        "zone", "stream_type", "stream_id", "stream_seq", "correlation_id", "causation_id", "redaction_level",
        "contains_secrets", "idempotency_key", "entity_type", "entity_id", "payload_digest", "prev_event_hash",
        "event_hash",
    ]

    /// What a reader takes: `SELECT … FROM evt_events`.
    static func select(on backend: Backend) -> SQL {
        SQL(unsafeText: backend == .sqlite ? sqliteSelectText : postgresSelectText)
    }

    private static let sqliteSelectText = selectText(on: .sqlite)
    private static let postgresSelectText = selectText(on: .postgres)

    private static func selectText(on backend: Backend) -> String {
        let payload = zip(storedColumns(on: backend), payloadColumns).map { $0 == $1 ? $0 : "\($0) AS \($1)" }
        return "SELECT \((headerColumns + payload).joined(separator: ", ")) FROM evt_events"
    }

    package static let migration = Migration(1, "event log", schema + EventSubjects.schema)

    /// One index for each way to search (`EventSearch`). All of them grow at the end of a few ranges, and those of what
    /// most events lack cost nothing where it is lacking. All give their events in the order of the log: SQLite puts the
    /// key of the row behind every index by itself.
    private static func indexes(on backend: Backend) -> [SQL] {
        let place = backend == .sqlite ? "" : ", global_seq"
        return [
            "CREATE INDEX evt_events_by_run ON evt_events (run_id, global_seq) WHERE run_id IS NOT NULL",
            "CREATE INDEX evt_events_by_step ON evt_events (step_id\(place)) WHERE step_id IS NOT NULL",
            "CREATE INDEX evt_events_by_thread ON evt_events (thread_id\(place)) WHERE thread_id IS NOT NULL",
            "CREATE INDEX evt_events_by_correlation ON evt_events (correlation_id\(place))",
            "CREATE INDEX evt_events_by_actor ON evt_events (workspace_id, actor_type\(place))",
            "CREATE INDEX evt_events_by_principal ON evt_events (actor_principal_id\(place))",
            "CREATE INDEX evt_events_by_type ON evt_events (workspace_id, event_type\(place))",
            """
            CREATE UNIQUE INDEX evt_events_by_idempotency_key
                ON evt_events (stream_type, stream_id, idempotency_key) WHERE idempotency_key IS NOT NULL
            """,
        ].map { SQL(unsafeText: $0) }
    }

    private static let schema = Schema(
        sqlite: [
            """
            CREATE TABLE evt_events (
                global_seq INTEGER PRIMARY KEY,
                event_id TEXT NOT NULL UNIQUE,
                event_type TEXT NOT NULL,
                event_version INTEGER NOT NULL,
                occurred_at TEXT NOT NULL,
                recorded_at TEXT NOT NULL,
                workspace_id TEXT NOT NULL,
                mission_id TEXT,
                room_id TEXT,
                thread_id TEXT,
                run_id TEXT,
                step_id TEXT,
                actor_type TEXT NOT NULL CHECK (actor_type IN ('service', 'user', 'agent')),
                actor_id TEXT NOT NULL,
                actor TEXT GENERATED ALWAYS AS (actor_type || ':' || actor_id) VIRTUAL,
                actor_principal_id TEXT NOT NULL,
                zone TEXT NOT NULL CHECK (zone IN ('sandbox', 'supervised', 'high_stakes')),
                stream_type TEXT NOT NULL CHECK (stream_type IN ('room', 'thread', 'workspace')),
                stream_id TEXT NOT NULL,
                stream_seq INTEGER NOT NULL CHECK (stream_seq > 0),
                correlation_id TEXT NOT NULL,
                causation_id TEXT,
                redaction_level TEXT NOT NULL CHECK (redaction_level IN ('none', 'partial', 'full')),
                contains_secrets INTEGER NOT NULL CHECK (contains_secrets IN (0, 1)),
                idempotency_key TEXT,
                entity_type TEXT,
                entity_id TEXT,
                payload_digest TEXT NOT NULL,
                prev_event_hash TEXT,
                event_hash TEXT NOT NULL,
                data TEXT,
                policy_context TEXT,
                model_context TEXT,
                display TEXT,
                payload_salt BLOB,
                UNIQUE (stream_type, stream_id, stream_seq)
            ) STRICT
            """
        ] + indexes(on: .sqlite) + [
            """
            CREATE TABLE evt_stream_heads (
                stream_type TEXT NOT NULL,
                stream_id TEXT NOT NULL,
                next_seq INTEGER NOT NULL DEFAULT 1 CHECK (next_seq > 0),
                PRIMARY KEY (stream_type, stream_id)
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TRIGGER evt_events_are_not_deleted BEFORE DELETE ON evt_events
            BEGIN SELECT RAISE(ABORT, 'evt_events is append-only'); END
            """,
            SQL(
                unsafeText: """
                    CREATE TRIGGER evt_events_are_only_erased BEFORE UPDATE ON evt_events
                    WHEN NOT (\(erasureCondition(on: .sqlite)))
                    BEGIN SELECT RAISE(ABORT, 'evt_events is append-only'); END
                    """),
            // Also stops INSERT OR REPLACE, whose deletes fire no trigger on a connection without recursive_triggers: so
            // everything that is unique in the table is asked for here.
            """
            CREATE TRIGGER evt_events_are_appended BEFORE INSERT ON evt_events
            WHEN NEW.global_seq <> 1 + coalesce((SELECT max(global_seq) FROM evt_events), 0)
                OR EXISTS (SELECT 1 FROM evt_events WHERE event_id = NEW.event_id)
                OR EXISTS (
                    SELECT 1 FROM evt_events WHERE stream_type = NEW.stream_type AND stream_id = NEW.stream_id
                        AND stream_seq = NEW.stream_seq)
                OR (NEW.idempotency_key IS NOT NULL AND EXISTS (
                    SELECT 1 FROM evt_events WHERE stream_type = NEW.stream_type AND stream_id = NEW.stream_id
                        AND idempotency_key = NEW.idempotency_key))
            BEGIN SELECT RAISE(ABORT, 'evt_events is append-only'); END
            """,
            """
            CREATE TRIGGER evt_stream_heads_are_not_deleted BEFORE DELETE ON evt_stream_heads
            BEGIN SELECT RAISE(ABORT, 'evt_stream_heads only grows'); END
            """,
            """
            CREATE TRIGGER evt_stream_heads_only_grow BEFORE UPDATE ON evt_stream_heads
            WHEN NEW.stream_type IS NOT OLD.stream_type OR NEW.stream_id IS NOT OLD.stream_id
                OR NEW.next_seq <= OLD.next_seq
            BEGIN SELECT RAISE(ABORT, 'evt_stream_heads only grows'); END
            """,
            """
            CREATE TRIGGER evt_stream_heads_are_not_replaced BEFORE INSERT ON evt_stream_heads
            WHEN EXISTS (
                SELECT 1 FROM evt_stream_heads WHERE stream_type = NEW.stream_type AND stream_id = NEW.stream_id)
            BEGIN SELECT RAISE(ABORT, 'evt_stream_heads only grows'); END
            """,
        ],
        postgres: [
            """
            CREATE TABLE evt_events (
                global_seq BIGINT PRIMARY KEY,
                event_id TEXT COLLATE "C" NOT NULL UNIQUE,
                event_type TEXT COLLATE "C" NOT NULL,
                event_version BIGINT NOT NULL,
                occurred_at TIMESTAMPTZ NOT NULL,
                recorded_at TIMESTAMPTZ NOT NULL,
                workspace_id TEXT COLLATE "C" NOT NULL,
                mission_id TEXT COLLATE "C",
                room_id TEXT COLLATE "C",
                thread_id TEXT COLLATE "C",
                run_id TEXT COLLATE "C",
                step_id TEXT COLLATE "C",
                actor_type TEXT COLLATE "C" NOT NULL CHECK (actor_type IN ('service', 'user', 'agent')),
                actor_id TEXT COLLATE "C" NOT NULL,
                actor TEXT COLLATE "C" GENERATED ALWAYS AS (actor_type || ':' || actor_id) STORED,
                actor_principal_id TEXT COLLATE "C" NOT NULL,
                zone TEXT COLLATE "C" NOT NULL CHECK (zone IN ('sandbox', 'supervised', 'high_stakes')),
                stream_type TEXT COLLATE "C" NOT NULL CHECK (stream_type IN ('room', 'thread', 'workspace')),
                stream_id TEXT COLLATE "C" NOT NULL,
                stream_seq BIGINT NOT NULL CHECK (stream_seq > 0),
                correlation_id TEXT COLLATE "C" NOT NULL,
                causation_id TEXT COLLATE "C",
                redaction_level TEXT COLLATE "C" NOT NULL CHECK (redaction_level IN ('none', 'partial', 'full')),
                contains_secrets BOOLEAN NOT NULL,
                idempotency_key TEXT COLLATE "C",
                entity_type TEXT COLLATE "C",
                entity_id TEXT COLLATE "C",
                payload_digest TEXT COLLATE "C" NOT NULL,
                prev_event_hash TEXT COLLATE "C",
                event_hash TEXT COLLATE "C" NOT NULL,
                data_text TEXT COLLATE "C",
                policy_context_text TEXT COLLATE "C",
                model_context_text TEXT COLLATE "C",
                display_text TEXT COLLATE "C",
                payload_salt BYTEA,
                data JSONB GENERATED ALWAYS AS (data_text::jsonb) STORED,
                policy_context JSONB GENERATED ALWAYS AS (policy_context_text::jsonb) STORED,
                model_context JSONB GENERATED ALWAYS AS (model_context_text::jsonb) STORED,
                display JSONB GENERATED ALWAYS AS (display_text::jsonb) STORED,
                UNIQUE (stream_type, stream_id, stream_seq)
            )
            """
        ] + indexes(on: .postgres) + [
            """
            CREATE TABLE evt_stream_heads (
                stream_type TEXT COLLATE "C" NOT NULL,
                stream_id TEXT COLLATE "C" NOT NULL,
                next_seq BIGINT NOT NULL DEFAULT 1 CHECK (next_seq > 0),
                PRIMARY KEY (stream_type, stream_id)
            ) WITH (fillfactor = 50)
            """,
            """
            CREATE FUNCTION evt_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = '23001';
            END $$
            """,
            // The order of recording is the order of committing, whoever writes: a second writer that sees the same end of
            // the log can only take the same place, waits for the first at the key, and is refused.
            """
            CREATE FUNCTION evt_require_next_place() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.global_seq <> 1 + coalesce((SELECT max(global_seq) FROM evt_events), 0) THEN
                    RAISE EXCEPTION 'evt_events is append-only: % is not the next place', NEW.global_seq
                        USING ERRCODE = '23001';
                END IF;
                RETURN NEW;
            END $$
            """,
            """
            CREATE TRIGGER evt_events_are_appended BEFORE INSERT ON evt_events
                FOR EACH ROW EXECUTE FUNCTION evt_require_next_place()
            """,
            SQL(
                unsafeText: """
                    CREATE TRIGGER evt_events_are_only_erased BEFORE UPDATE ON evt_events
                        FOR EACH ROW WHEN (NOT (\(erasureCondition(on: .postgres))))
                        EXECUTE FUNCTION evt_refuse_change()
                    """),
            """
            CREATE TRIGGER evt_events_are_not_deleted BEFORE DELETE ON evt_events
                FOR EACH ROW EXECUTE FUNCTION evt_refuse_change()
            """,
            """
            CREATE TRIGGER evt_events_are_not_truncated BEFORE TRUNCATE ON evt_events
                FOR EACH STATEMENT EXECUTE FUNCTION evt_refuse_change()
            """,
            """
            CREATE TRIGGER evt_stream_heads_only_grow BEFORE UPDATE ON evt_stream_heads
                FOR EACH ROW WHEN (
                    NEW.stream_type IS DISTINCT FROM OLD.stream_type OR NEW.stream_id IS DISTINCT FROM OLD.stream_id
                    OR NEW.next_seq <= OLD.next_seq)
                EXECUTE FUNCTION evt_refuse_change()
            """,
            """
            CREATE TRIGGER evt_stream_heads_are_not_deleted BEFORE DELETE ON evt_stream_heads
                FOR EACH ROW EXECUTE FUNCTION evt_refuse_change()
            """,
            """
            CREATE TRIGGER evt_stream_heads_are_not_truncated BEFORE TRUNCATE ON evt_stream_heads
                FOR EACH STATEMENT EXECUTE FUNCTION evt_refuse_change()
            """,
        ])

    private static func erasureCondition(on backend: Backend) -> String {
        let same = backend == .sqlite ? "IS" : "IS NOT DISTINCT FROM"
        let stored = storedColumns(on: backend)
        let erased = stored.map { "NEW.\($0) IS NULL" }
        let kept = headerColumns.map { "NEW.\($0) \(same) OLD.\($0)" }
        return (["OLD.\(stored[0]) IS NOT NULL"] + erased + kept).joined(separator: " AND ")
    }

    private static let sqliteInsertText = insertText(on: .sqlite)
    private static let postgresInsertText = insertText(on: .postgres)

    private static func insertText(on backend: Backend) -> String {
        let columns = headerColumns + storedColumns(on: backend)
        let places = columns.indices.map { "$\($0 + 1)" }.joined(separator: ", ")
        return "INSERT INTO evt_events (\(columns.joined(separator: ", "))) VALUES (\(places))"
    }

    /// - Parameter payload: Nil for an event whose payload was erased.
    static func insert(_ envelope: EventEnvelope, _ payload: EventPayloadBytes?, on backend: Backend) -> SQL {
        SQL(
            unsafeText: backend == .sqlite ? sqliteInsertText : postgresInsertText,
            bindings: [
                .integer(envelope.globalSeq), .text(envelope.eventID.rawValue), .text(envelope.eventType),
                .integer(envelope.eventVersion), .text(envelope.occurredAt.description),
                .text(envelope.recordedAt.description), .text(envelope.workspaceID.rawValue),
                envelope.missionID.sqlValue, (envelope.roomID?.rawValue).sqlValue,
                (envelope.threadID?.rawValue).sqlValue, (envelope.runID?.rawValue).sqlValue,
                (envelope.stepID?.rawValue).sqlValue, .text(envelope.actor.actorType.rawValue),
                .text(envelope.actor.actorID), .text(envelope.actorPrincipalID), .text(envelope.zone.rawValue),
                .text(envelope.stream.type.rawValue), .text(envelope.stream.id), .integer(envelope.streamSeq),
                .text(envelope.correlationID), (envelope.causationID?.rawValue).sqlValue,
                .text(envelope.redactionLevel.rawValue), .integer(envelope.containsSecrets ? 1 : 0),
                envelope.idempotencyKey.sqlValue, envelope.entityType.sqlValue, envelope.entityID.sqlValue,
                .text(envelope.payloadDigest), envelope.prevEventHash.sqlValue, .text(envelope.eventHash),
            ] + (payload.map(stored) ?? payloadColumns.map { _ in .null }))
    }

    /// The one change that the triggers allow, and only once.
    static func erase(_ globalSeq: Int64, on backend: Backend) -> SQL {
        SQL(
            unsafeText:
                "UPDATE evt_events SET \(storedColumns(on: backend).map { "\($0) = NULL" }.joined(separator: ", ")) WHERE global_seq = $1",
            bindings: [.integer(globalSeq)])
    }

    /// The columns that an erasure sets to null, as they are stored on a server.
    package static let erasableColumns = storedColumns(on: .postgres)

    private static func stored(_ payload: EventPayloadBytes) -> [SQLValue] {
        [
            .utf8(payload.data), .utf8(payload.policyContext), .utf8(payload.modelContext), .utf8(payload.display),
            .blob(payload.salt),
        ]
    }

    /// The last event's place and time.
    static let tip: SQL = "SELECT global_seq, recorded_at FROM evt_events ORDER BY global_seq DESC LIMIT 1"

    /// The next number of a stream and the hash of its last event.
    static func head(of stream: StreamID) -> SQL {
        """
        SELECT h.next_seq, e.event_hash FROM evt_stream_heads h
        LEFT JOIN evt_events e ON e.stream_type = h.stream_type AND e.stream_id = h.stream_id
            AND e.stream_seq = h.next_seq - 1
        WHERE h.stream_type = \(stream.type.rawValue) AND h.stream_id = \(stream.id)
        """
    }

    /// The same for whoever appends: nobody else gets at the head before our commit.
    static func lockedHead(of stream: StreamID, on backend: Backend) -> SQL {
        var statement = head(of: stream)
        if backend == .postgres { statement.append(" FOR UPDATE OF h") }
        return statement
    }

    static func putHead(of stream: StreamID, nextSeq: Int64) -> SQL {
        """
        UPDATE evt_stream_heads SET next_seq = \(nextSeq)
        WHERE stream_type = \(stream.type.rawValue) AND stream_id = \(stream.id)
        """
    }

    static func addHead(of stream: StreamID, nextSeq: Int64) -> SQL {
        """
        INSERT INTO evt_stream_heads (stream_type, stream_id, next_seq)
        VALUES (\(stream.type.rawValue), \(stream.id), \(nextSeq))
        """
    }
}
