CREATE SEQUENCE seq;
CREATE TABLE evt_events (
    global_seq bigserial PRIMARY KEY, event_id text NOT NULL UNIQUE, event_type text NOT NULL,
    event_version int NOT NULL DEFAULT 1, occurred_at timestamptz NOT NULL, recorded_at timestamptz NOT NULL,
    workspace_id text NOT NULL, mission_id text, room_id text, thread_id text, run_id text, step_id text,
    actor_type text NOT NULL, actor_id text NOT NULL, actor_principal_id text, zone text NOT NULL,
    stream_type text NOT NULL, stream_id text NOT NULL, stream_seq bigint NOT NULL, correlation_id text NOT NULL,
    causation_id text, redaction_level text NOT NULL DEFAULT 'none', contains_secrets bool NOT NULL DEFAULT false,
    idempotency_key text, payload_digest text NOT NULL, prev_event_hash text, event_hash text NOT NULL,
    data text, policy_context text, model_context text DEFAULT '{}', display text DEFAULT '{}', payload_salt bytea,
    UNIQUE (stream_type, stream_id, stream_seq));
CREATE INDEX ON evt_events (run_id, global_seq) WHERE run_id IS NOT NULL;
CREATE INDEX ON evt_events (correlation_id);
CREATE TABLE proj_approvals (
    approval_id text PRIMARY KEY, workspace_id text NOT NULL, action text NOT NULL, status text NOT NULL, title text,
    request text NOT NULL, updated_at timestamptz NOT NULL, last_event_id text);
CREATE INDEX ON proj_approvals (workspace_id, updated_at);
