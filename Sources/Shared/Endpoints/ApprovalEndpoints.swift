import HTTP
package import JSON

// Approvals.

extension Endpoint where Body == RequestApproval, Answer == ApprovalRequestedAnswer {
    package static var requestApproval: Self {
        .init(
            .post, "/v1/approvals", "Asks for a decision.", .created,
            refuses: [.actorClaimMismatch, .invalidScope, .roomNotFound, .runNotFound, .stepNotFound],
            example: RequestApproval(
                action: "external.write", title: "Publish the report", request: ["url": "https://example.org/reports"],
                roomID: ExampleIDs.room))
    }
}

extension Endpoint where Body == Nothing, Answer == ApprovalList {
    package static var approvals: Self {
        .init(
            .get, "/v1/approvals", "Approvals, newest change first.",
            query: [
                .choice("status", ApprovalStatus.self, "Only those in this state.", .invalidStatus), .equals("room_id"),
                .limit(50, max: 200), .cursor,
            ])
    }
}

extension Endpoint where Body == Nothing, Answer == ApprovalAnswer {
    package static var approval: Self {
        .init(.get, "/v1/approvals/{approval_id}", "One approval.", refuses: [.approvalNotFound])
    }
}

extension Endpoint where Body == DecideApproval, Answer == Done {
    package static var decideApproval: Self {
        .init(
            .post, "/v1/approvals/{approval_id}/decide", "Approves, denies or holds; users only.",
            refuses: [
                .approvalNotFound, .approvalAlreadyDecided, .invalidDecision, .invalidScope, .actorClaimMismatch,
            ], example: DecideApproval(decision: "approve", reason: "Looks right"))
    }
}

/// What shall be decided.
package struct RequestApproval: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .required("action", .missingAction, bytesMax: Limits.nameBytesMax),
        .text("title", bytesMax: Limits.titleBytesMax),
        .object("request"),
        .object("context"),
        .text("correlation_id", bytesMax: Limits.nameBytesMax),
        .text("actor_id", bytesMax: Limits.nameBytesMax),
    ]

    package var action: String?
    package var title: String?
    package var request: JSONValue?
    package var context: JSONValue?
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var runID: RunID?
    package var stepID: StepID?
    package var scope: JSONValue?
    package var expiresAt: Timestamp?
    package var correlationID: String?
    package var actorType: String?
    package var actorID: String?

    package init(
        action: String? = nil, title: String? = nil, request: JSONValue? = nil, context: JSONValue? = nil,
        roomID: RoomID? = nil, threadID: ThreadID? = nil, runID: RunID? = nil, stepID: StepID? = nil,
        scope: JSONValue? = nil, expiresAt: Timestamp? = nil, correlationID: String? = nil, actorType: String? = nil,
        actorID: String? = nil
    ) {
        (self.action, self.title, self.request, self.context) = (action, title, request, context)
        (self.roomID, self.threadID, self.runID, self.stepID) = (roomID, threadID, runID, stepID)
        (self.scope, self.expiresAt, self.correlationID, self.actorType) = (scope, expiresAt, correlationID, actorType)
        self.actorID = actorID
    }
}

/// The approval.
package struct ApprovalRequestedAnswer: Codable, Hashable, Sendable {
    package var approvalID: ApprovalID

    package init(approvalID: ApprovalID) {
        self.approvalID = approvalID
    }
}

/// Approvals, newest change first.
package struct ApprovalList: PagedAnswer, Codable, Hashable, Sendable {
    package var approvals: [Approval]
    package var nextCursor: String?

    package init(approvals: [Approval], nextCursor: String? = nil) {
        (self.approvals, self.nextCursor) = (approvals, nextCursor)
    }
}

/// One approval.
package struct ApprovalAnswer: Codable, Hashable, Sendable {
    package var approval: Approval

    package init(approval: Approval) {
        self.approval = approval
    }
}

/// The decision.
package struct DecideApproval: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .choice(
            "decision", ApprovalDecision.allCases.map(\.rawValue), .invalidDecision, missing: .invalidDecision),
        .text("reason", bytesMax: Limits.textBytesMax),
        .text("actor_id", bytesMax: Limits.nameBytesMax),
    ]

    package var decision: String?
    package var reason: String?
    package var scope: JSONValue?
    package var expiresAt: Timestamp?
    package var actorType: String?
    package var actorID: String?

    package init(
        decision: String? = nil, reason: String? = nil, scope: JSONValue? = nil, expiresAt: Timestamp? = nil,
        actorType: String? = nil, actorID: String? = nil
    ) {
        (self.decision, self.reason, self.scope, self.expiresAt) = (decision, reason, scope, expiresAt)
        (self.actorType, self.actorID) = (actorType, actorID)
    }
}
