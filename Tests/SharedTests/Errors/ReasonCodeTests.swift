import HTTP
import JSON
import Testing

@testable import Shared

struct ReasonCodeTests {
    /// Written out, because clients branch on them: code → status. A change here is a change of the contract.
    static let statuses: [Int: [String]] = [
        400: [
            "evidence_run_mismatch", "experiment_room_mismatch", "invalid_action", "invalid_before",
            "invalid_budget_cap_units", "invalid_metrics", "invalid_risk_tier", "invalid_severity",
            "invalid_stream_type", "lesson_context_required", "missing_category", "missing_content",
            "missing_evidence_for_template", "missing_hypothesis", "missing_lang", "missing_note",
            "missing_passphrase", "missing_rca_payload", "missing_refresh_token", "missing_required_field",
            "missing_summary", "missing_template_key", "missing_template_version", "parent_message_mismatch",
            "q_too_short", "run_room_mismatch", "run_thread_mismatch", "unsupported_version", "weak_passphrase",
            "ambiguous_parameter", "bad_request", "actor_id_required", "invalid_body", "invalid_cursor",
            "invalid_decision",
            "invalid_field", "invalid_idempotency_key", "invalid_json", "invalid_limit", "invalid_schema_version",
            "invalid_scope", "invalid_status", "invalid_string", "invalid_utf8", "invalid_valid_until",
            "invalid_before_recorded_at", "invalid_workspace_id", "json_too_deep", "duplicate_key", "missing_action",
            "invalid_payload_combination", "missing_claim_token", "missing_field", "missing_kind", "missing_room_id",
            "missing_title",
            "missing_tool_name", "number_out_of_range", "plan_invalid", "secret_in_plan",
            "stream_type_and_stream_id_required_together", "digest_mismatch", "protocol_error",
        ],
        401: [
            "invalid_credentials", "invalid_login_link", "invalid_refresh_token", "missing_bearer_token",
            "invalid_session",
            "missing_engine_token", "engine_token_invalid",
            "engine_token_expired",
        ],
        403: [
            "action_irreversible_requires_high_stakes", "action_pre_approval_required", "action_zone_mismatch",
            "action_zone_requires_high_stakes", "bootstrap_forbidden", "cookie_not_accepted", "unauthorized_workspace",
            "csrf_token_required", "read_only_session",
            "actor_claim_mismatch", "approval_already_consumed", "approval_denied", "approval_expired",
            "approval_out_of_scope", "engine_action_not_allowed", "engine_inactive", "engine_room_not_allowed",
            "engine_room_scope_required", "external_write_requires_approval", "kill_switch_active",
            "kill_switch_set_by_environment", "operator_required", "origin_not_allowed", "unknown_action",
        ],
        404: [
            "evidence_not_found", "experiment_not_found", "incident_not_found", "lesson_not_found", "message_not_found",
            "owner_not_found", "scorecard_not_found", "stream_not_found",
            "approval_not_found", "artifact_not_found", "blob_not_found", "engine_not_found", "engine_token_not_found",
            "event_not_found", "room_not_found", "route_not_found", "run_not_found", "step_not_found",
            "thread_not_found", "tool_call_not_found",
        ],
        405: ["method_not_allowed"], 406: ["not_acceptable"], 413: ["payload_too_large"],
        415: ["unsupported_media_type"],
        416: ["range_not_satisfiable"], 421: ["host_not_allowed"],
        410: ["answer_erased"],
        409: [
            "experiment_has_active_runs", "experiment_not_open", "incident_already_closed",
            "incident_close_blocked_missing_learning", "incident_close_blocked_missing_rca", "incident_closed",
            "owner_already_exists", "run_not_ended", "run_too_long", "approval_pending", "event_already_erased",
            "event_not_erasable",
            "action_mismatch", "approval_already_decided", "idempotency_conflict", "lease_expired",
            "lease_token_mismatch", "outcome_unknown", "run_already_ended", "run_cancel_requested",
            "run_has_plan", "run_not_queued", "run_not_running", "step_already_ended", "tool_call_not_running",
            "tool_call_not_unknown", "tool_call_limit_reached",
        ],
        429: ["login_throttled"], 500: ["internal_error"],
        503: ["draining", "integrity_hold", "overloaded", "storage_unavailable"],
        507: ["storage_full"],
    ]

    @Test("Each code has the status that clients know", arguments: ReasonCode.allCases)
    func status(_ code: ReasonCode) throws {
        let expected = try #require(
            Self.statuses.first { $0.value.contains(code.rawValue) }, "\(code.rawValue) is new: add it to the table")
        #expect(code.status.code == expected.key)
    }

    @Test("No code of the table is gone")
    func complete() {
        #expect(Set(Self.statuses.values.joined()).subtracting(ReasonCode.allCases.map(\.rawValue)) == [])
    }

    @Test("A code is snake_case text", arguments: ReasonCode.allCases)
    func spelling(_ code: ReasonCode) {
        #expect(code.rawValue.utf8.allSatisfy { ($0 >= 97 && $0 <= 122) || $0 == 95 || ($0 >= 48 && $0 <= 57) })
    }

    @Test("A rejection becomes a problem with all the members that clients read")
    func problem() throws {
        let rejection = Rejection.field("title", .missingTitle, "title is required")
        let value = try JSON.value(of: Problem(rejection, requestID: "req_1"))
        #expect(
            value == [
                "type": "/problems/missing_title", "title": "Missing title", "status": 400,
                "detail": "title is required",
                "instance": "/requests/req_1", "error": "missing_title", "reason_code": "missing_title",
                "reason": "title is required", "details": ["field": "title"],
            ])
        let bare = Problem(Rejection(.draining, "going down"), requestID: "r")
        #expect(try JSON.value(of: bare)["details"] == nil)
        #expect(bare.code == .draining)
        var newer = bare
        newer.reasonCode = "from_the_future"
        #expect(newer.code == nil)
    }
}
