-- The peer for a durable append: one statement that inserts an event of the same shape and its projected row.
WITH event AS (
    INSERT INTO evt_events (event_id, event_type, occurred_at, recorded_at, workspace_id, actor_type, actor_id,
        actor_principal_id, zone, stream_type, stream_id, stream_seq, correlation_id, payload_digest, prev_event_hash,
        event_hash, data, policy_context, payload_salt)
    VALUES (gen_random_uuid()::text, 'approval.requested', now(), now(), 'ws_dev', 'user', 'operator',
        'a786c70a-8718-58aa-ba24-b06c9e2c6530', 'supervised', 'workspace', 'ws_' || :client_id,
        nextval('seq'), gen_random_uuid()::text, 'sha256:' || md5(random()::text) || md5(random()::text),
        'sha256:' || md5(random()::text) || md5(random()::text), 'sha256:' || md5(random()::text) || md5(random()::text),
        '{"action":"data.read","approval_id":"appr_x","request":{"bytes":1200,"path":"/srv/plan.txt","tags":["a","b"]},"title":"Read the plan of the night shift"}',
        '{}', '\x00112233445566778899aabbccddeeff')
    RETURNING event_id
)
INSERT INTO proj_approvals (approval_id, workspace_id, action, status, title, request, updated_at, last_event_id)
SELECT event_id, 'ws_dev', 'data.read', 'pending', 'Read the plan of the night shift',
    '{"bytes":1200,"path":"/srv/plan.txt","tags":["a","b"]}', now(), event_id FROM event;
