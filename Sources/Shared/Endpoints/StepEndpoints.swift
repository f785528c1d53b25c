import HTTP
package import JSON

// Steps, tool calls and artifacts.

extension Endpoint where Body == CreateStep, Answer == StepCreatedAnswer {
    package static var createStep: Self {
        .init(
            .post, "/v1/runs/{run_id}/steps", "Opens a step; the same `plan_step_id` again gives the same step (200).",
            .created, also: [.ok],
            refuses: [
                .leaseExpired, .leaseTokenMismatch, .missingClaimToken, .missingKind, .runNotFound, .runNotRunning,
            ], example: CreateStep(kind: "shell", title: "Count the lines", input: ["argv": ["wc", "-l"]]))
    }
}

extension Endpoint where Body == Nothing, Answer == StepList {
    package static var steps: Self {
        .init(.get, "/v1/runs/{run_id}/steps", "The run's steps, oldest first.", refuses: [.runNotFound])
    }
}

extension Endpoint where Body == EndStep, Answer == Done {
    package static var succeedStep: Self {
        .init(
            .post, "/v1/steps/{step_id}/succeed", "Ends the step as succeeded.",
            refuses: [
                .leaseExpired, .leaseTokenMismatch, .missingClaimToken, .runNotRunning, .stepAlreadyEnded,
                .stepNotFound,
            ], example: EndStep(output: ["lines": 42]))
    }
}

extension Endpoint where Body == EndStep, Answer == Done {
    package static var failStep: Self {
        .init(
            .post, "/v1/steps/{step_id}/fail", "Ends the step as failed.",
            refuses: [
                .leaseExpired, .leaseTokenMismatch, .missingClaimToken, .runNotRunning, .stepAlreadyEnded,
                .stepNotFound,
            ], example: EndStep(message: "no such file", error: ["exit_code": 1]))
    }
}

extension Endpoint where Body == EndStep, Answer == Done {
    package static var skipStep: Self {
        .init(
            .post, "/v1/steps/{step_id}/skip", "Ends the step as skipped.",
            refuses: [
                .leaseExpired, .leaseTokenMismatch, .missingClaimToken, .runNotRunning, .stepAlreadyEnded,
                .stepNotFound,
            ], example: EndStep(reason: "nothing to do"))
    }
}

extension Endpoint where Body == EndStep, Answer == Done {
    package static var cancelStep: Self {
        .init(
            .post, "/v1/steps/{step_id}/cancel", "Ends the step as cancelled.",
            refuses: [
                .leaseExpired, .leaseTokenMismatch, .missingClaimToken, .runNotRunning, .stepAlreadyEnded,
                .stepNotFound,
            ], example: EndStep(reason: "the run was cancelled"))
    }
}

extension Endpoint where Body == RequestToolCall, Answer == ToolCallPermit {
    package static var requestToolCall: Self {
        .init(
            .post, "/v1/steps/{step_id}/toolcalls",
            "Asks to act. 201: act now; 200: it has ended already; 202: wait for the approval; 403: no.", .created,
            also: [.ok, .accepted],
            refuses: [
                .actionMismatch, .actorClaimMismatch, .approvalAlreadyConsumed, .approvalDenied, .approvalExpired,
                .approvalOutOfScope, .killSwitchActive, .leaseExpired, .leaseTokenMismatch, .missingClaimToken,
                .missingToolName, .outcomeUnknown, .runAlreadyEnded, .runCancelRequested, .runNotRunning,
                .stepAlreadyEnded, .stepNotFound, .toolCallLimitReached, .unknownAction,
            ], example: RequestToolCall(toolName: "shell", input: ["argv": ["wc", "-l"]], ordinal: 1),
            notes: """
                The api derives action and effect from tool and arguments (PLANS.md); what the caller says of them is checked. A \
                call of a plan's step is named `<run_id>/<plan_step_id>/<ordinal>` (`ordinal` is 1 if not given): asking again, \
                also after a re-claim, finds the same call. `permit_renewed`: act within `permit_ttl_ms`; `already_ended`: here is \
                its output; `approval_allows_action` and `default_allow` say why it may. Other arguments under a name that is \
                approved are `approval_out_of_scope`. In a run without a plan the action is `tool.call.<tool_name>` and is \
                allowed: its executor is not ours to hold.
                """)
    }
}

extension Endpoint where Body == EndToolCall, Answer == Done {
    package static var succeedToolCall: Self {
        .init(
            .post, "/v1/toolcalls/{tool_call_id}/succeed", "Reports success.",
            refuses: [
                .leaseExpired, .leaseTokenMismatch, .missingClaimToken, .runNotRunning, .toolCallNotFound,
                .toolCallNotRunning,
            ], example: EndToolCall(output: ["stdout": "42"]))
    }
}

extension Endpoint where Body == EndToolCall, Answer == Done {
    package static var failToolCall: Self {
        .init(
            .post, "/v1/toolcalls/{tool_call_id}/fail", "Reports failure.",
            refuses: [
                .leaseExpired, .leaseTokenMismatch, .missingClaimToken, .runNotRunning, .toolCallNotFound,
                .toolCallNotRunning,
            ],
            example: EndToolCall(message: "no such file", error: ["exit_code": 1]))
    }
}

extension Endpoint where Body == ResolveToolCall, Answer == Done {
    package static var resolveToolCall: Self {
        .init(
            .post, "/v1/toolcalls/{tool_call_id}/resolve", "The operator says how an unknown call ended.",
            refuses: [.toolCallNotFound, .toolCallNotUnknown],
            example: ResolveToolCall(outcome: .succeeded, reason: "The report is there"))
    }
}

extension Endpoint where Body == Nothing, Answer == ToolCallList {
    package static var toolCalls: Self {
        .init(
            .get, "/v1/toolcalls", "Tool calls, oldest first.",
            query: [.equals("run_id"), .equals("step_id"), .limit(50, max: 200), .cursor])
    }
}

extension Endpoint where Body == Nothing, Answer == ToolCallAnswer {
    package static var toolCall: Self {
        .init(.get, "/v1/toolcalls/{tool_call_id}", "One tool call.", refuses: [.toolCallNotFound])
    }
}

extension Endpoint where Body == CreateArtifact, Answer == ArtifactCreatedAnswer {
    package static var createArtifact: Self {
        .init(
            .post, "/v1/steps/{step_id}/artifacts", "Keeps something of a step.", .created,
            refuses: [
                .blobNotFound, .invalidSchemaVersion, .leaseExpired, .leaseTokenMismatch, .missingClaimToken,
                .missingKind, .runNotRunning, .stepNotFound,
            ],
            example: CreateArtifact(
                kind: "note", title: "Findings", mimeType: "text/plain", content: ["type": "text", "text": "42 lines"]))
    }
}

extension Endpoint where Body == Nothing, Answer == ArtifactList {
    package static var artifacts: Self {
        .init(
            .get, "/v1/artifacts", "Artifacts, newest first.",
            query: [.equals("run_id"), .equals("step_id"), .equals("room_id"), .limit(50, max: 200), .cursor])
    }
}

extension Endpoint where Body == Nothing, Answer == ArtifactAnswer {
    package static var artifact: Self {
        .init(.get, "/v1/artifacts/{artifact_id}", "One artifact.", refuses: [.artifactNotFound])
    }
}

extension Endpoint where Body == Nothing, Answer == Nothing {
    package static var artifactContent: Self {
        .init(
            .get, "/v1/artifacts/{artifact_id}/content", "The artifact's bytes, with range and ETag.",
            also: [.partialContent, .notModified], answers: ["*/*"],
            refuses: [.artifactNotFound, .blobNotFound, .rangeNotSatisfiable])
    }
}

extension Endpoint where Body == Nothing, Answer == BlobStored {
    package static var putBlob: Self {
        .init(
            .put, "/v1/steps/{step_id}/blobs/{sha256}", "Stores bytes under their SHA-256; the body is streamed.",
            .created, also: [.ok],
            refuses: [
                .digestMismatch, .invalidField, .leaseExpired, .leaseTokenMismatch, .missingClaimToken, .runNotRunning,
            ])
    }
}

/// A step to open.
package struct CreateStep: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .text("claim_token", bytesMax: Limits.nameBytesMax), .text("plan_step_id", bytesMax: Limits.nameBytesMax),
        .required("kind", .missingKind, bytesMax: Limits.nameBytesMax), .text("title", bytesMax: Limits.titleBytesMax),
    ]

    package var claimToken: String?
    package var planStepID: String?
    package var kind: String?
    package var title: String?
    package var input: JSONValue?

    package init(
        claimToken: String? = nil, planStepID: String? = nil, kind: String? = nil, title: String? = nil,
        input: JSONValue? = nil
    ) {
        (self.claimToken, self.planStepID, self.kind, self.title) = (claimToken, planStepID, kind, title)
        self.input = input
    }
}

/// The step.
package struct StepCreatedAnswer: Codable, Hashable, Sendable {
    package var stepID: StepID

    package init(stepID: StepID) {
        self.stepID = stepID
    }
}

/// Steps, oldest first.
package struct StepList: Codable, Hashable, Sendable {
    package var steps: [Step]

    package init(steps: [Step]) {
        self.steps = steps
    }
}

/// How a step ended.
package struct EndStep: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .text("claim_token", bytesMax: Limits.nameBytesMax), .text("message", bytesMax: Limits.textBytesMax),
        .text("reason", bytesMax: Limits.textBytesMax),
    ]

    package var claimToken: String?
    package var output: JSONValue?
    package var message: String?
    package var reason: String?
    package var error: JSONValue?

    package init(
        claimToken: String? = nil, output: JSONValue? = nil, message: String? = nil, reason: String? = nil,
        error: JSONValue? = nil
    ) {
        (self.claimToken, self.output, self.message, self.reason) = (claimToken, output, message, reason)
        self.error = error
    }
}

/// What the engine wants to do: the tool with its resolved arguments, secrets as references.
package struct RequestToolCall: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .text("claim_token", bytesMax: Limits.nameBytesMax),
        .required("tool_name", .missingToolName, bytesMax: Limits.nameBytesMax),
        .text("title", bytesMax: Limits.titleBytesMax), .integer("ordinal", 1...100_000), .integer("try_no", 1...1_000),
    ]

    package var claimToken: String?
    package var toolName: String?
    package var title: String?
    package var input: JSONValue?
    /// Which call of the step this is, from 1; the default is 1. With the plan's step it makes the effect key.
    package var ordinal: Int?
    /// Which try of the call this is, from 1; the default is 1. A lost answer is asked for again with the same number.
    package var tryNo: Int?
    /// What the caller believes the action is; checked.
    package var action: String?
    /// What the plan declares.
    package var effect: Effect?
    package var agentID: String?
    package var actorType: String?
    package var actorID: String?
    package var principalID: String?
    package var zone: String?

    package init(
        claimToken: String? = nil, toolName: String? = nil, title: String? = nil, input: JSONValue? = nil,
        ordinal: Int? = nil, tryNo: Int? = nil, action: String? = nil, effect: Effect? = nil, agentID: String? = nil,
        actorType: String? = nil, actorID: String? = nil, principalID: String? = nil, zone: String? = nil
    ) {
        (self.claimToken, self.toolName, self.title, self.input) = (claimToken, toolName, title, input)
        (self.ordinal, self.tryNo, self.action, self.effect) = (ordinal, tryNo, action, effect)
        (self.agentID, self.actorType, self.actorID, self.principalID) = (agentID, actorType, actorID, principalID)
        self.zone = zone
    }
}

/// The answer to a request to act.
package struct ToolCallPermit: Codable, Hashable, Sendable {
    package var toolCallID: ToolCallID
    package var decision: PolicyDecision
    package var status: ToolCallStatus
    package var reasonCode: String
    package var reason: String?
    package var ruleID: String
    package var action: String
    package var effect: Effect
    package var argsHash: String
    package var approvalID: ApprovalID?
    /// How long after this answer the effect may be started.
    package var permitTTLMs: Int64?
    /// Of a call that has ended already.
    package var output: JSONValue?
    package var error: JSONValue?

    package init(
        toolCallID: ToolCallID, decision: PolicyDecision, status: ToolCallStatus, reasonCode: String,
        reason: String? = nil, ruleID: String, action: String, effect: Effect, argsHash: String,
        approvalID: ApprovalID? = nil, permitTTLMs: Int64? = nil, output: JSONValue? = nil, error: JSONValue? = nil
    ) {
        (self.toolCallID, self.decision, self.status, self.reasonCode) = (toolCallID, decision, status, reasonCode)
        (self.reason, self.ruleID, self.action, self.effect) = (reason, ruleID, action, effect)
        (self.argsHash, self.approvalID, self.permitTTLMs, self.output) = (argsHash, approvalID, permitTTLMs, output)
        self.error = error
    }
}

/// How a call ended.
package struct EndToolCall: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .text("claim_token", bytesMax: Limits.nameBytesMax), .text("message", bytesMax: Limits.textBytesMax),
    ]

    package var claimToken: String?
    package var output: JSONValue?
    package var message: String?
    package var error: JSONValue?

    package init(claimToken: String? = nil, output: JSONValue? = nil, message: String? = nil, error: JSONValue? = nil) {
        (self.claimToken, self.output, self.message, self.error) = (claimToken, output, message, error)
    }
}

/// How an unknown call really ended.
package struct ResolveToolCall: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .text("reason", bytesMax: Limits.textBytesMax),
        .choice("outcome", ResolvedOutcome.allCases.map(\.rawValue), missing: .missingField),
    ]

    package var outcome: ResolvedOutcome?
    package var reason: String?
    package var output: JSONValue?

    package init(outcome: ResolvedOutcome? = nil, reason: String? = nil, output: JSONValue? = nil) {
        (self.outcome, self.reason, self.output) = (outcome, reason, output)
    }
}

/// Tool calls, oldest first.
package struct ToolCallList: PagedAnswer, Codable, Hashable, Sendable {
    package var toolCalls: [ToolCall]
    package var nextCursor: String?

    package init(toolCalls: [ToolCall], nextCursor: String? = nil) {
        (self.toolCalls, self.nextCursor) = (toolCalls, nextCursor)
    }
}

/// One tool call.
package struct ToolCallAnswer: Codable, Hashable, Sendable {
    package var toolCall: ToolCall

    package init(toolCall: ToolCall) {
        self.toolCall = toolCall
    }
}

/// Something to keep.
package struct CreateArtifact: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .text("claim_token", bytesMax: Limits.nameBytesMax),
        .required("kind", .missingKind, bytesMax: Limits.nameBytesMax), .text("title", bytesMax: Limits.titleBytesMax),
        .text("mime_type", bytesMax: Limits.nameBytesMax), .object("content"),
        .integer("size_bytes", 0...9_007_199_254_740_991),
    ]

    package var claimToken: String?
    package var kind: String?
    package var title: String?
    package var mimeType: String?
    package var sizeBytes: Int64?
    /// Names a blob that was stored before.
    package var sha256: String?
    package var content: JSONValue?
    package var metadata: JSONValue?
    package var schemaVersion: String?

    package init(
        claimToken: String? = nil, kind: String? = nil, title: String? = nil, mimeType: String? = nil,
        sizeBytes: Int64? = nil, sha256: String? = nil, content: JSONValue? = nil, metadata: JSONValue? = nil,
        schemaVersion: String? = nil
    ) {
        (self.claimToken, self.kind, self.title, self.mimeType) = (claimToken, kind, title, mimeType)
        (self.sizeBytes, self.sha256, self.content, self.metadata) = (sizeBytes, sha256, content, metadata)
        self.schemaVersion = schemaVersion
    }
}

/// The artifact.
package struct ArtifactCreatedAnswer: Codable, Hashable, Sendable {
    package var artifactID: ArtifactID

    package init(artifactID: ArtifactID) {
        self.artifactID = artifactID
    }
}

/// Artifacts, newest first.
package struct ArtifactList: PagedAnswer, Codable, Hashable, Sendable {
    package var artifacts: [Artifact]
    package var nextCursor: String?

    package init(artifacts: [Artifact], nextCursor: String? = nil) {
        (self.artifacts, self.nextCursor) = (artifacts, nextCursor)
    }
}

/// One artifact.
package struct ArtifactAnswer: Codable, Hashable, Sendable {
    package var artifact: Artifact

    package init(artifact: Artifact) {
        self.artifact = artifact
    }
}

/// The stored bytes.
package struct BlobStored: Codable, Hashable, Sendable {
    package var sha256: String
    package var sizeBytes: Int64

    package init(sha256: String, sizeBytes: Int64) {
        (self.sha256, self.sizeBytes) = (sha256, sizeBytes)
    }
}
