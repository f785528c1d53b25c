import API
import DatabaseCore
import PostgresTestSupport
import TestSupport
import Testing

/// People and reports read the tables by SQL: their names and columns are on the wire too (`contract/API_CORE.md`,
/// appendix B; lease columns excepted, RULINGS 23).
struct ReadTablesTests {
    static let tables: [(name: String, columns: String)] = [
        (
            "evt_events",
            """
            event_id event_type event_version occurred_at recorded_at workspace_id mission_id room_id thread_id run_id
            step_id actor_type actor_id actor_principal_id zone stream_type stream_id stream_seq correlation_id causation_id
            redaction_level contains_secrets policy_context model_context display data idempotency_key prev_event_hash
            event_hash entity_type entity_id actor
            """
        ),
        ("evt_stream_heads", "stream_type stream_id next_seq"),
        (
            "proj_rooms",
            """
            room_id workspace_id mission_id title topic room_mode default_lang tool_policy_ref created_at updated_at
            last_event_id
            """
        ),
        ("proj_threads", "thread_id workspace_id room_id title status created_at updated_at last_event_id"),
        (
            "proj_messages",
            """
            message_id workspace_id room_id thread_id sender_type sender_id content_md lang parent_message_id run_id step_id
            labels created_at updated_at deleted last_event_id
            """
        ),
        (
            "proj_approvals",
            """
            approval_id workspace_id room_id thread_id run_id step_id action status title request context scope expires_at
            requested_by_type requested_by_id requested_at decided_by_type decided_by_id decided_at decision decision_reason
            correlation_id created_at updated_at last_event_id last_event_occurred_at
            """
        ),
        (
            "proj_runs",
            """
            run_id workspace_id room_id thread_id experiment_id status title goal input output error tags created_at
            started_at ended_at updated_at correlation_id last_event_id last_event_occurred_at
            """
        ),
        (
            "proj_steps",
            """
            step_id run_id workspace_id room_id thread_id kind status title input output error created_at updated_at
            last_event_id
            """
        ),
        (
            "proj_tool_calls",
            """
            tool_call_id workspace_id room_id thread_id run_id step_id tool_name title status input output error started_at
            ended_at updated_at correlation_id last_event_id
            """
        ),
        (
            "proj_artifacts",
            """
            artifact_id workspace_id room_id thread_id run_id step_id kind title mime_type size_bytes sha256 content_type
            content_text content_json content_uri metadata created_at updated_at correlation_id last_event_id
            """
        ),
        (
            "proj_incidents",
            """
            incident_id workspace_id room_id thread_id run_id status title summary severity rca rca_updated_at learning_count
            closed_reason created_by_type created_by_id created_at closed_at updated_at correlation_id last_event_id
            last_event_occurred_at
            """
        ),
    ]

    @Test("The tables that people read have the names and columns of the contract")
    func columns() throws {
        let api = try TestAPI(.router)
        defer { api.stop() }
        let room = try api.room()
        _ = try api.run(in: room)
        let storage = try api.storage
        api.stop()
        let database = try Storage.open(storage)
        defer { database.close() }
        for (name, columns) in Self.tables {
            let list = columns.split(whereSeparator: \.isWhitespace).joined(separator: ", ")
            let rows = try database.read { transaction in
                try transaction.all(SQL(unsafeText: "SELECT \(list) FROM \(name)")) { row in
                    try list.split(separator: ", ").map { try row.value(String($0)) }
                }
            }
            if ["evt_events", "evt_stream_heads", "proj_rooms", "proj_runs"].contains(name) {
                #expect(!rows.isEmpty, "\(name)")
            }
        }
        // The time of the last event is what the event says.
        let differing = try database.read { transaction in
            try transaction.all(
                """
                SELECT r.run_id FROM proj_runs r JOIN evt_events e ON e.event_id = r.last_event_id
                WHERE r.last_event_occurred_at <> e.occurred_at OR r.last_event_occurred_at IS NULL
                """
            ) { try $0.get("run_id", as: String.self) }
        }
        #expect(differing == [])
    }

    @Test("On Postgres the columns have types of its own", .enabled(if: TestBackends.chosen == .postgres))
    func types() throws {
        let api = try TestAPI(.router)
        defer { api.stop() }
        let database = try Storage.open(try api.storage)
        defer { database.close() }
        let types = try database.read { transaction in
            try transaction.all(
                """
                SELECT table_name || '.' || column_name AS name, data_type AS type FROM information_schema.columns
                WHERE table_schema = current_schema()
                """
            ) { (try $0.get("name", as: String.self), try $0.get("type", as: String.self)) }
        }
        let byName = Dictionary(uniqueKeysWithValues: types)
        for (name, type) in [
            ("evt_events.data", "jsonb"), ("evt_events.data_text", "text"), ("evt_events.policy_context", "jsonb"),
            ("evt_events.recorded_at", "timestamp with time zone"), ("evt_events.contains_secrets", "boolean"),
            ("evt_events.global_seq", "bigint"), ("evt_events.payload_salt", "bytea"), ("proj_runs.input", "jsonb"),
            ("proj_runs.tags", "jsonb"), ("proj_runs.created_at", "timestamp with time zone"),
            ("proj_runs.has_plan", "boolean"), ("proj_messages.deleted", "boolean"),
            ("proj_artifacts.size_bytes", "bigint"), ("proj_scorecards.score", "double precision"),
            ("op_leases.expires_at", "timestamp with time zone"),
        ] { #expect(byName[name] == type, "\(name)") }
    }
}
