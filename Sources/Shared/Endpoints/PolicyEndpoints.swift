import HTTP
package import JSON

// The policy gate: what it says, what it goes by, and what was learned from it.

extension Endpoint where Body == EvaluatePolicy, Answer == PolicyAnswer {
    package static var evaluatePolicy: Self {
        .init(
            .post, "/v1/policy/evaluate",
            "What the gate says to an action. A refusal is recorded and learned from, unless it is a `dry_run`.",
            refuses: [.actorClaimMismatch, .roomNotFound, .runNotFound, .stepNotFound],
            example: EvaluatePolicy(
                action: "external.write", roomID: ExampleIDs.room, context: ["why": "a report"], dryRun: true))
    }
}

extension Endpoint where Body == Nothing, Answer == ActionRegistryAnswer {
    package static var actionRegistry: Self {
        .init(.get, "/v1/action-registry", "The actions that policy knows beforehand, and what they take, by name.")
    }
}

extension Endpoint where Body == Nothing, Answer == ConstraintList {
    package static var constraints: Self {
        .init(
            .get, "/v1/constraints", "What was learned from refusals, last seen first.",
            query: [
                .equals("principal_id"), .equals("agent_id"),
                .choice("category", LessonCategory.self, "Only lessons about this."), .limit(50, max: 200), .cursor,
            ])
    }
}

/// An action to ask the gate about.
package struct EvaluatePolicy: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .required("action", .missingAction, bytesMax: Limits.nameBytesMax),
        .text("actor_id", bytesMax: Limits.nameBytesMax),
        .text("principal_id", bytesMax: Limits.nameBytesMax),
        .object("context"),
    ]

    package var action: String?
    package var actorType: String?
    package var actorID: String?
    package var principalID: String?
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var runID: RunID?
    package var stepID: StepID?
    package var context: JSONObject?
    /// One that is unknown counts as none: `supervised`.
    package var zone: String?
    /// The same answer, and nothing is recorded or learned.
    package var dryRun: Bool?

    package init(
        action: String? = nil, actorType: String? = nil, actorID: String? = nil, principalID: String? = nil,
        roomID: RoomID? = nil, threadID: ThreadID? = nil, runID: RunID? = nil, stepID: StepID? = nil,
        context: JSONObject? = nil, zone: String? = nil, dryRun: Bool? = nil
    ) {
        (self.action, self.actorType, self.actorID, self.principalID) = (action, actorType, actorID, principalID)
        (self.roomID, self.threadID, self.runID, self.stepID) = (roomID, threadID, runID, stepID)
        (self.context, self.zone, self.dryRun) = (context, zone, dryRun)
    }
}

/// The gate's verdict.
package struct PolicyAnswer: Codable, Hashable, Sendable {
    package var decision: PolicyDecision
    package var reasonCode: String
    package var reason: String?
    package var ruleID: String
    package var policyVersion: String

    package init(_ verdict: PolicyVerdict) {
        (decision, reasonCode, reason) = (verdict.decision, verdict.reasonCode, verdict.reason)
        (ruleID, policyVersion) = (verdict.ruleID, PolicyVerdict.policyVersion)
    }
}

/// The action registry.
package struct ActionRegistryAnswer: Codable, Hashable, Sendable {
    package var actions: [RegisteredAction]

    package init(actions: [RegisteredAction]) { self.actions = actions }
}

/// Constraints, last seen first.
package struct ConstraintList: PagedAnswer, Codable, Hashable, Sendable {
    package var constraints: [Constraint]
    package var nextCursor: String?

    package init(constraints: [Constraint], nextCursor: String? = nil) {
        (self.constraints, self.nextCursor) = (constraints, nextCursor)
    }
}
