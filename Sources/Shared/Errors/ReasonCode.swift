package import HTTP

/// Why a request was refused. The raw value is on the wire and never changes.
package enum ReasonCode: String, CaseIterable, Codable, Sendable {
    // 400: the request itself is wrong.
    case ambiguousParameter = "ambiguous_parameter"
    case badRequest = "bad_request"
    case actorIDRequired = "actor_id_required"
    case invalidBody = "invalid_body"
    case invalidCursor = "invalid_cursor"
    case invalidDecision = "invalid_decision"
    case invalidField = "invalid_field"
    case invalidIdempotencyKey = "invalid_idempotency_key"
    case invalidJSON = "invalid_json"
    case invalidLimit = "invalid_limit"
    case invalidSchemaVersion = "invalid_schema_version"
    case invalidScope = "invalid_scope"
    case invalidStatus = "invalid_status"
    case invalidString = "invalid_string"
    case invalidUTF8 = "invalid_utf8"
    case invalidValidUntil = "invalid_valid_until"
    case invalidBeforeRecordedAt = "invalid_before_recorded_at"
    case invalidWorkspaceID = "invalid_workspace_id"
    case jsonTooDeep = "json_too_deep"
    case duplicateKey = "duplicate_key"
    case missingAction = "missing_action"
    case missingClaimToken = "missing_claim_token"
    case missingField = "missing_field"
    case missingKind = "missing_kind"
    case missingRoomID = "missing_room_id"
    case missingTitle = "missing_title"
    case missingToolName = "missing_tool_name"
    case numberOutOfRange = "number_out_of_range"
    case planInvalid = "plan_invalid"
    case secretInPlan = "secret_in_plan"
    case streamTypeAndStreamIDRequiredTogether = "stream_type_and_stream_id_required_together"
    case digestMismatch = "digest_mismatch"
    case evidenceRunMismatch = "evidence_run_mismatch"
    case experimentRoomMismatch = "experiment_room_mismatch"
    case invalidAction = "invalid_action"
    case invalidBefore = "invalid_before"
    case invalidBudgetCapUnits = "invalid_budget_cap_units"
    case invalidMetrics = "invalid_metrics"
    case invalidPayloadCombination = "invalid_payload_combination"
    case invalidRiskTier = "invalid_risk_tier"
    case invalidSeverity = "invalid_severity"
    case invalidStreamType = "invalid_stream_type"
    case lessonContextRequired = "lesson_context_required"
    case missingCategory = "missing_category"
    case missingContent = "missing_content"
    case missingEvidenceForTemplate = "missing_evidence_for_template"
    case missingHypothesis = "missing_hypothesis"
    case missingLang = "missing_lang"
    case missingNote = "missing_note"
    case missingPassphrase = "missing_passphrase"
    case missingRCAPayload = "missing_rca_payload"
    case missingRefreshToken = "missing_refresh_token"
    case missingRequiredField = "missing_required_field"
    case missingSummary = "missing_summary"
    case missingTemplateKey = "missing_template_key"
    case missingTemplateVersion = "missing_template_version"
    case parentMessageMismatch = "parent_message_mismatch"
    case qTooShort = "q_too_short"
    case runRoomMismatch = "run_room_mismatch"
    case runThreadMismatch = "run_thread_mismatch"
    case unsupportedVersion = "unsupported_version"
    case weakPassphrase = "weak_passphrase"
    // 401: nobody we know.
    case missingBearerToken = "missing_bearer_token"
    case invalidSession = "invalid_session"
    case missingEngineToken = "missing_engine_token"
    case engineTokenInvalid = "engine_token_invalid"
    case engineTokenExpired = "engine_token_expired"
    case invalidCredentials = "invalid_credentials"
    case invalidLoginLink = "invalid_login_link"
    case invalidRefreshToken = "invalid_refresh_token"
    // 403: known, and not allowed.
    case actorClaimMismatch = "actor_claim_mismatch"
    case approvalAlreadyConsumed = "approval_already_consumed"
    case approvalDenied = "approval_denied"
    case approvalExpired = "approval_expired"
    case approvalOutOfScope = "approval_out_of_scope"
    case engineActionNotAllowed = "engine_action_not_allowed"
    case engineInactive = "engine_inactive"
    case engineRoomNotAllowed = "engine_room_not_allowed"
    case engineRoomScopeRequired = "engine_room_scope_required"
    case externalWriteRequiresApproval = "external_write_requires_approval"
    case killSwitchActive = "kill_switch_active"
    case killSwitchSetByEnvironment = "kill_switch_set_by_environment"
    case operatorRequired = "operator_required"
    case originNotAllowed = "origin_not_allowed"
    case unknownAction = "unknown_action"
    case actionIrreversibleRequiresHighStakes = "action_irreversible_requires_high_stakes"
    case actionPreApprovalRequired = "action_pre_approval_required"
    case actionZoneMismatch = "action_zone_mismatch"
    case actionZoneRequiresHighStakes = "action_zone_requires_high_stakes"
    case bootstrapForbidden = "bootstrap_forbidden"
    case cookieNotAccepted = "cookie_not_accepted"
    case csrfTokenRequired = "csrf_token_required"
    case readOnlySession = "read_only_session"
    case unauthorizedWorkspace = "unauthorized_workspace"
    // 404: not here, or not yours.
    case approvalNotFound = "approval_not_found"
    case artifactNotFound = "artifact_not_found"
    case blobNotFound = "blob_not_found"
    case engineNotFound = "engine_not_found"
    case engineTokenNotFound = "engine_token_not_found"
    case eventNotFound = "event_not_found"
    case roomNotFound = "room_not_found"
    case routeNotFound = "route_not_found"
    case runNotFound = "run_not_found"
    case stepNotFound = "step_not_found"
    case threadNotFound = "thread_not_found"
    case toolCallNotFound = "tool_call_not_found"
    case evidenceNotFound = "evidence_not_found"
    case experimentNotFound = "experiment_not_found"
    case incidentNotFound = "incident_not_found"
    case lessonNotFound = "lesson_not_found"
    case messageNotFound = "message_not_found"
    case ownerNotFound = "owner_not_found"
    case scorecardNotFound = "scorecard_not_found"
    case streamNotFound = "stream_not_found"
    // 405 … 431: the protocol.
    case methodNotAllowed = "method_not_allowed"
    case payloadTooLarge = "payload_too_large"
    case unsupportedMediaType = "unsupported_media_type"
    case rangeNotSatisfiable = "range_not_satisfiable"
    case hostNotAllowed = "host_not_allowed"
    case protocolError = "protocol_error"
    case notAcceptable = "not_acceptable"
    // 409: not in this state.
    case actionMismatch = "action_mismatch"
    case approvalAlreadyDecided = "approval_already_decided"
    case approvalPending = "approval_pending"
    case eventAlreadyErased = "event_already_erased"
    case eventNotErasable = "event_not_erasable"
    case idempotencyConflict = "idempotency_conflict"
    case leaseExpired = "lease_expired"
    case leaseTokenMismatch = "lease_token_mismatch"
    case outcomeUnknown = "outcome_unknown"
    case runAlreadyEnded = "run_already_ended"
    case runCancelRequested = "run_cancel_requested"
    case runHasPlan = "run_has_plan"
    case runNotQueued = "run_not_queued"
    case runNotRunning = "run_not_running"
    case stepAlreadyEnded = "step_already_ended"
    case toolCallNotRunning = "tool_call_not_running"
    case toolCallNotUnknown = "tool_call_not_unknown"
    case toolCallLimitReached = "tool_call_limit_reached"
    case experimentHasActiveRuns = "experiment_has_active_runs"
    case experimentNotOpen = "experiment_not_open"
    case incidentAlreadyClosed = "incident_already_closed"
    case incidentCloseBlockedMissingLearning = "incident_close_blocked_missing_learning"
    case incidentCloseBlockedMissingRCA = "incident_close_blocked_missing_rca"
    case incidentClosed = "incident_closed"
    case ownerAlreadyExists = "owner_already_exists"
    case runNotEnded = "run_not_ended"
    case runTooLong = "run_too_long"
    // 410: it was here.
    case answerErased = "answer_erased"
    // 429, 500 …: ours.
    case loginThrottled = "login_throttled"
    case integrityHold = "integrity_hold"
    case internalError = "internal_error"
    case draining = "draining"
    case overloaded = "overloaded"
    case storageFull = "storage_full"
    case storageUnavailable = "storage_unavailable"

    /// The status a refusal with this code is answered with.
    package var status: HTTPStatus {
        switch self {
        case .ambiguousParameter, .badRequest, .actorIDRequired, .invalidBody, .invalidCursor, .invalidDecision,
            .invalidField, .invalidIdempotencyKey, .invalidJSON, .invalidLimit, .invalidSchemaVersion, .invalidScope,
            .invalidStatus, .invalidString, .invalidUTF8, .invalidValidUntil, .invalidBeforeRecordedAt,
            .invalidWorkspaceID, .jsonTooDeep, .duplicateKey, .missingAction, .missingClaimToken, .missingField,
            .missingKind, .missingRoomID, .missingTitle, .missingToolName, .numberOutOfRange, .planInvalid,
            .secretInPlan, .streamTypeAndStreamIDRequiredTogether, .digestMismatch, .protocolError,
            .evidenceRunMismatch, .experimentRoomMismatch, .invalidAction, .invalidBefore, .invalidBudgetCapUnits,
            .invalidMetrics, .invalidPayloadCombination, .invalidRiskTier, .invalidSeverity,
            .invalidStreamType,
            .lessonContextRequired, .missingCategory, .missingContent, .missingEvidenceForTemplate, .missingHypothesis,
            .missingLang, .missingNote, .missingPassphrase, .missingRCAPayload, .missingRefreshToken,
            .missingRequiredField, .missingSummary, .missingTemplateKey, .missingTemplateVersion,
            .parentMessageMismatch, .qTooShort, .runRoomMismatch, .runThreadMismatch, .unsupportedVersion,
            .weakPassphrase:
            .badRequest
        case .missingBearerToken, .invalidSession, .missingEngineToken, .engineTokenInvalid, .engineTokenExpired,
            .invalidCredentials, .invalidLoginLink, .invalidRefreshToken:
            .unauthorized
        case .actorClaimMismatch, .approvalAlreadyConsumed, .approvalDenied, .approvalExpired, .approvalOutOfScope,
            .engineActionNotAllowed, .engineInactive, .engineRoomNotAllowed, .engineRoomScopeRequired,
            .externalWriteRequiresApproval, .killSwitchActive, .killSwitchSetByEnvironment, .operatorRequired,
            .originNotAllowed, .unknownAction, .actionIrreversibleRequiresHighStakes, .actionPreApprovalRequired,
            .actionZoneMismatch, .actionZoneRequiresHighStakes, .bootstrapForbidden, .cookieNotAccepted,
            .csrfTokenRequired, .readOnlySession, .unauthorizedWorkspace:
            .forbidden
        case .approvalNotFound, .artifactNotFound, .blobNotFound, .engineNotFound, .engineTokenNotFound,
            .eventNotFound, .roomNotFound, .routeNotFound, .runNotFound, .stepNotFound, .threadNotFound,
            .toolCallNotFound, .evidenceNotFound, .experimentNotFound, .incidentNotFound, .lessonNotFound,
            .messageNotFound, .ownerNotFound, .scorecardNotFound, .streamNotFound:
            .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .notAcceptable: .notAcceptable
        case .payloadTooLarge: .contentTooLarge
        case .unsupportedMediaType: .unsupportedMediaType
        case .rangeNotSatisfiable: .rangeNotSatisfiable
        case .hostNotAllowed: .misdirectedRequest
        case .actionMismatch, .approvalAlreadyDecided, .approvalPending, .eventAlreadyErased, .eventNotErasable,
            .idempotencyConflict, .leaseExpired, .leaseTokenMismatch,
            .outcomeUnknown, .runAlreadyEnded, .runCancelRequested, .runHasPlan, .runNotQueued,
            .runNotRunning, .stepAlreadyEnded, .toolCallNotRunning, .toolCallNotUnknown, .toolCallLimitReached,
            .experimentHasActiveRuns, .experimentNotOpen, .incidentAlreadyClosed, .incidentCloseBlockedMissingLearning,
            .incidentCloseBlockedMissingRCA, .incidentClosed, .ownerAlreadyExists, .runNotEnded,
            .runTooLong:
            .conflict
        case .answerErased: .gone
        case .loginThrottled: .tooManyRequests
        case .internalError: .internalServerError
        case .draining, .integrityHold, .overloaded, .storageUnavailable: .serviceUnavailable
        case .storageFull: .insufficientStorage
        }
    }
}
