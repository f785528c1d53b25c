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

extension Endpoint where Body == CheckPlan, Answer == PlanCheck {
    package static var checkPlan: Self {
        .init(
            .post, "/v1/plans/check",
            "What a plan would do, before it is a run: its steps, and what the gate would say to each. Nothing is recorded.",
            refuses: [.missingField, .planInvalid, .secretInPlan, .roomNotFound],
            example: CheckPlan(plan: [
                "version": 1,
                "steps": [["id": "count", "tool": "shell", "with": ["argv": ["wc", "-l", "README.md"]]]],
            ]),
            notes: """
                A wrong plan is refused exactly as `POST /v1/runs` would, with a pointer to every fault. Arguments that are still \
                templates count as the strictest they can become, and the verdict is of now: the kill switch may be another later.
                """)
    }
}

/// A plan to look at: the value of `input.plan`.
package struct CheckPlan: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [.present("plan")]

    package var plan: JSONValue?
    package var roomID: RoomID?

    package init(plan: JSONValue? = nil, roomID: RoomID? = nil) { (self.plan, self.roomID) = (plan, roomID) }
}

/// What the plan would do.
package struct PlanCheck: Codable, Hashable, Sendable {
    /// A step as the gate sees it.
    package struct Step: Codable, Hashable, Sendable {
        package var planStepID: String
        package var title: String?
        package var tool: String
        package var needs: [String]
        package var when: String
        package var effect: Effect
        package var action: String
        package var decision: PolicyDecision
        package var reasonCode: String
        package var reason: String?
        package var ruleID: String

        package init(_ step: PlanStep, effect: Effect, action: ActionName, verdict: PolicyVerdict) {
            (planStepID, title, tool) = (step.id.description, step.title, step.tool.rawValue)
            (needs, when) = (step.needs.map(\.description), step.when.rawValue)
            (self.effect, self.action) = (effect, action.rawValue)
            (decision, reasonCode, reason) = (verdict.decision, verdict.reasonCode, verdict.reason)
            ruleID = verdict.ruleID
        }
    }

    package var steps: [Step]
    /// Secrets that it names, and that an engine will look up before anything is dispatched.
    package var secretNames: [String]

    package init(steps: [Step], secretNames: [String]) { (self.steps, self.secretNames) = (steps, secretNames) }
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
