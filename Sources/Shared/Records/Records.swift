package import JSON

// One struct for each thing that has a row: what the fold keeps, what the table holds and what a client reads.
// Members are the columns of `contract/API_CORE.md` appendix B and 9, and the additions of RULINGS.

package struct Room: Hashable, Sendable, Codable {
    package var roomID: RoomID
    package var workspaceID: WorkspaceID
    package var missionID: String?
    package var title: String
    package var topic: String?
    package var roomMode: String
    package var defaultLang: String
    package var toolPolicyRef: String?
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var lastEventID: EventID?

    package init(roomID: RoomID, workspaceID: WorkspaceID, title: String, at time: Timestamp) {
        (self.roomID, self.workspaceID, self.title) = (roomID, workspaceID, title)
        (roomMode, defaultLang, createdAt, updatedAt) = ("default", "en", time, time)
    }
}

package struct Run: Hashable, Sendable, Codable {
    package var runID: RunID
    package var workspaceID: WorkspaceID
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var experimentID: ExperimentID?
    package var status: RunStatus
    package var title: String?
    package var goal: String?
    package var input: JSONValue
    package var output: JSONValue
    package var error: JSONValue
    package var summary: String?
    package var tags: [String]
    /// Whether `input.plan` is there: what our engine claims; the rest is for outside executors.
    package var hasPlan: Bool
    /// How many times the run was started; the fencing epoch beside the claim token.
    package var attemptNo: Int
    package var waits: [Wait]
    /// The earliest timer among the waits.
    package var wakeAt: Timestamp?
    package var cancelRequestedAt: Timestamp?
    package var cancelReason: String?
    /// Always null: a claim token is in the claim answer and nowhere else.
    package var claimToken: String?
    /// From the lease, which is no part of history; null in a rebuilt table.
    package var claimedByActorID: String?
    package var leaseExpiresAt: Timestamp?
    package var leaseHeartbeatAt: Timestamp?
    package var createdAt: Timestamp
    package var startedAt: Timestamp?
    package var endedAt: Timestamp?
    package var updatedAt: Timestamp
    /// When something last happened to the run, or to its evidence, a scorecard or an incident of it.
    package var activityAt: Timestamp
    package var correlationID: String
    package var lastEventID: EventID?
    package var lastEventOccurredAt: Timestamp?

    package init(runID: RunID, workspaceID: WorkspaceID, correlationID: String, at time: Timestamp) {
        (self.runID, self.workspaceID, self.correlationID) = (runID, workspaceID, correlationID)
        (status, input, output, error, tags) = (.queued, [:], [:], [:], [])
        (hasPlan, attemptNo, waits) = (false, 0, [])
        (createdAt, updatedAt, activityAt) = (time, time, time)
    }
}

package struct Step: Hashable, Sendable, Codable {
    package var stepID: StepID
    package var runID: RunID
    package var workspaceID: WorkspaceID
    package var roomID: RoomID?
    package var threadID: ThreadID?
    /// The step's id in the plan: the durable key by which a re-claimed run finds it.
    package var planStepID: String?
    package var kind: String
    package var status: StepStatus
    package var title: String?
    package var input: JSONValue
    package var output: JSONValue
    package var error: JSONValue
    package var correlationID: String
    package var createdAt: Timestamp
    package var endedAt: Timestamp?
    package var updatedAt: Timestamp
    package var lastEventID: EventID?

    package init(
        stepID: StepID, runID: RunID, workspaceID: WorkspaceID, kind: String, correlationID: String, at time: Timestamp
    ) {
        (self.stepID, self.runID, self.workspaceID, self.kind) = (stepID, runID, workspaceID, kind)
        (status, input, output, error) = (.queued, [:], [:], [:])
        (self.correlationID, createdAt, updatedAt) = (correlationID, time, time)
    }
}

package struct ToolCall: Hashable, Sendable, Codable {
    package var toolCallID: ToolCallID
    package var workspaceID: WorkspaceID
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var runID: RunID
    package var stepID: StepID
    package var toolName: String
    package var title: String?
    package var status: ToolCallStatus
    package var action: String
    package var effect: Effect
    /// `<run_id>/<plan_step_id>/<ordinal>`: the same over retries and re-claims.
    package var effectKey: String?
    /// `sha256:` over the canonical tool name and arguments: what an approval is bound to.
    package var argsHash: String
    /// How often the call was dispatched.
    package var tryNo: Int
    /// The run's attempt that dispatched it last.
    package var attemptNo: Int
    package var approvalID: ApprovalID?
    package var input: JSONValue
    package var output: JSONValue
    package var error: JSONValue
    package var startedAt: Timestamp
    package var endedAt: Timestamp?
    package var updatedAt: Timestamp
    package var correlationID: String
    package var lastEventID: EventID?

    package init(
        toolCallID: ToolCallID, workspaceID: WorkspaceID, runID: RunID, stepID: StepID, toolName: String,
        correlationID: String, at time: Timestamp
    ) {
        (self.toolCallID, self.workspaceID, self.runID, self.stepID) = (toolCallID, workspaceID, runID, stepID)
        (self.toolName, status, action, effect) = (toolName, .waiting, "", .once)
        (argsHash, tryNo, attemptNo, input, output, error) = ("", 0, 0, [:], [:], [:])
        (self.correlationID, startedAt, updatedAt) = (correlationID, time, time)
    }
}

package struct Artifact: Hashable, Sendable, Codable {
    package var artifactID: ArtifactID
    package var workspaceID: WorkspaceID
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var runID: RunID
    package var stepID: StepID
    package var kind: String
    package var title: String?
    package var mimeType: String?
    package var sizeBytes: Int64?
    package var sha256: String?
    package var contentType: ArtifactContent.Kind
    package var contentText: String?
    package var contentJSON: JSONValue
    package var contentURI: String?
    package var metadata: JSONValue
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var correlationID: String
    package var lastEventID: EventID?

    package init(
        artifactID: ArtifactID, workspaceID: WorkspaceID, runID: RunID, stepID: StepID, kind: String,
        correlationID: String, at time: Timestamp
    ) {
        (self.artifactID, self.workspaceID, self.runID, self.stepID) = (artifactID, workspaceID, runID, stepID)
        (self.kind, contentType, contentJSON, metadata) = (kind, .none, [:], [:])
        (self.correlationID, createdAt, updatedAt) = (correlationID, time, time)
    }
}

/// What an artifact holds in the event itself; larger things are blobs, named by their SHA-256.
package struct ArtifactContent: Hashable, Sendable, Codable {
    package enum Kind: String, CaseIterable, Codable, Sendable { case none, text, json, uri }

    package var type: Kind
    package var text: String?
    package var json: JSONValue?
    package var uri: String?

    package init(type: Kind, text: String? = nil, json: JSONValue? = nil, uri: String? = nil) {
        (self.type, self.text, self.json, self.uri) = (type, text, json, uri)
    }
}

package struct Approval: Hashable, Sendable, Codable {
    package var approvalID: ApprovalID
    package var workspaceID: WorkspaceID
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var runID: RunID?
    package var stepID: StepID?
    package var toolCallID: ToolCallID?
    package var action: String
    package var status: ApprovalStatus
    package var title: String?
    package var request: JSONValue
    package var context: JSONValue
    package var scope: ApprovalScope?
    package var expiresAt: Timestamp?
    package var requestedByType: ActorType
    package var requestedByID: String
    package var requestedAt: Timestamp
    package var decidedByType: ActorType?
    package var decidedByID: String?
    package var decidedAt: Timestamp?
    package var decision: ApprovalDecision?
    package var decisionReason: String?
    /// When a dispatch used the approval up; a `once` approval is used at most once.
    package var consumedAt: Timestamp?
    package var correlationID: String
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var lastEventID: EventID?
    package var lastEventOccurredAt: Timestamp?

    package init(
        approvalID: ApprovalID, workspaceID: WorkspaceID, action: String, by actor: Actor, correlationID: String,
        at time: Timestamp
    ) {
        (self.approvalID, self.workspaceID, self.action, status) = (approvalID, workspaceID, action, .pending)
        (request, context, requestedByType, requestedByID) = ([:], [:], actor.actorType, actor.actorID)
        (self.correlationID, requestedAt, createdAt, updatedAt) = (correlationID, time, time, time)
    }
}

/// The halt of external writes: one row for the whole instance (RULINGS 26).
package struct KillSwitch: Hashable, Sendable, Codable {
    package var engagedByOperator: Bool
    package var engagedByEnvironment: Bool
    /// Grows with every change, so that an engine knows which state it has heard of.
    package var epoch: Int64
    package var reason: String?
    package var changedByType: ActorType?
    package var changedByID: String?
    package var changedAt: Timestamp?

    package init() { (engagedByOperator, engagedByEnvironment, epoch) = (false, false, 0) }

    package var isEngaged: Bool { engagedByOperator || engagedByEnvironment }
}

/// A claim of a run, from its start to its end. Operational: history survives its loss.
package struct RunAttempt: Hashable, Sendable, Codable {
    package var runAttemptID: AttemptID
    package var runID: RunID
    package var workspaceID: WorkspaceID
    package var roomID: RoomID?
    package var attemptNo: Int
    package var claimedByActorID: String
    package var actorPrincipalID: String?
    package var engineID: EngineID?
    package var claimedAt: Timestamp
    package var releasedAt: Timestamp?
    package var releaseReason: String?

    package init(
        runAttemptID: AttemptID, runID: RunID, workspaceID: WorkspaceID, roomID: RoomID?, attemptNo: Int,
        claimedByActorID: String, actorPrincipalID: String?, engineID: EngineID?, claimedAt: Timestamp
    ) {
        (self.runAttemptID, self.runID, self.workspaceID) = (runAttemptID, runID, workspaceID)
        (self.roomID, self.attemptNo, self.claimedByActorID) = (roomID, attemptNo, claimedByActorID)
        (self.actorPrincipalID, self.engineID, self.claimedAt) = (actorPrincipalID, engineID, claimedAt)
    }
}

package struct EngineRecord: Hashable, Sendable, Codable {
    package enum Status: String, CaseIterable, Codable, Sendable { case active, inactive }

    package var engineID: EngineID
    package var workspaceID: WorkspaceID
    package var engineName: String
    package var actorID: String
    package var principalID: String
    package var metadata: JSONValue
    package var status: Status
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var deactivatedAt: Timestamp?
    package var deactivatedReason: String?

    package init(
        engineID: EngineID, workspaceID: WorkspaceID, engineName: String, actorID: String, principalID: String,
        metadata: JSONValue, at time: Timestamp
    ) {
        (self.engineID, self.workspaceID, self.engineName) = (engineID, workspaceID, engineName)
        (self.actorID, self.principalID, self.metadata) = (actorID, principalID, metadata)
        (status, createdAt, updatedAt) = (.active, time, time)
    }
}

/// What an engine's token may do, and where.
package struct EngineScopes: Hashable, Sendable, Codable {
    package var actionTypes: [String]
    package var rooms: [String]

    package init(actionTypes: [String] = EngineScopes.defaultActions, rooms: [String] = ["*"]) {
        (self.actionTypes, self.rooms) = (actionTypes, rooms)
    }

    /// Entries that each of the lists may have.
    package static let itemsMax = 100

    /// Claim, keep, give back, and write all of a held run (RULINGS 17).
    package static let defaultActions = ["run.claim", "run.lease.heartbeat", "run.lease.release", "run.execute"]
}

package struct EngineToken: Hashable, Sendable, Codable {
    package var tokenID: EngineTokenID
    package var workspaceID: WorkspaceID
    package var engineID: EngineID
    package var principalID: String
    /// Null: an engine's scopes stand on its token, until there are capability tokens of their own.
    package var capabilityTokenID: String?
    package var tokenLabel: String?
    package var scopes: EngineScopes
    package var issuedAt: Timestamp
    package var lastSeenAt: Timestamp?
    package var validUntil: Timestamp?
    package var revokedAt: Timestamp?
    package var revokedReason: String?
    /// Who issued it.
    package var createdByPrincipalID: String?
    /// The secret, in the answer that issues it and nowhere else.
    package var engineToken: String?

    package init(
        tokenID: EngineTokenID, workspaceID: WorkspaceID, engineID: EngineID, principalID: String,
        tokenLabel: String?, scopes: EngineScopes, issuedAt: Timestamp, validUntil: Timestamp?
    ) {
        (self.tokenID, self.workspaceID, self.engineID, self.principalID) = (
            tokenID, workspaceID, engineID, principalID
        )
        (self.tokenLabel, self.scopes, self.issuedAt, self.validUntil) = (tokenLabel, scopes, issuedAt, validUntil)
    }
}
