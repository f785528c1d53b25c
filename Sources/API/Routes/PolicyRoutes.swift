import DatabaseCore
import Domain
import EventStore
import HTTP
import HTTPServer
import JSON
import Platform
import Projectors
import Shared

/// The policy gate as a question, the table it goes by, and what was learned from its refusals.
struct PolicyRoutes: Sendable {
    let environment: APIEnvironment
    let commands: CommandBus

    func mount(on routes: inout RouteTable) {
        routes.get(.actionRegistry, .engine(action: "run.execute")) { _ in
            ActionRegistryAnswer(actions: ActionRegistry.actions)
        }
        routes.get(.constraints, .engine(action: "run.execute"), constraints)
        routes.on(.checkPlan, .operatorOnly, changesNothing: true, checkPlan)
        routes.on(.evaluatePolicy, .engine(action: "run.execute"), evaluate)
    }

    @Sendable private func evaluate(_ body: EvaluatePolicy, _ context: RequestContext) throws -> Reply {
        let actor = try context.actor(type: body.actorType, id: body.actorID, principal: body.principalID)
        try context.requireRoom(body.roomID)
        let question = PolicyQuestion(
            category: .action, action: PolicyGate.normalize(body.action ?? ""), workspaceID: context.workspace,
            roomID: body.roomID, runID: body.runID, zone: body.zone.flatMap { Zone(rawValue: $0) } ?? .supervised,
            context: body.context ?? [:])
        if body.dryRun == true {
            return .now(
                try environment.database.read { try Answers.json(PolicyAnswer(verdict(question, body, $0))) })
        }
        return commands.perform(context) { work in
            let verdict = try verdict(question, body, work.transaction)
            if verdict.decision != .allow { try work.record(refusal(verdict, question, body, context, actor)) }
            return PolicyAnswer(verdict)
        }
    }

    private func verdict(
        _ question: PolicyQuestion, _ body: EvaluatePolicy, _ transaction: any ReadTransaction
    ) throws -> PolicyVerdict {
        let workspace = question.workspaceID
        if let room = body.roomID { _ = try found(room, in: workspace, transaction) }
        if let run = body.runID { _ = try found(run, in: workspace, transaction) }
        if let step = body.stepID { _ = try found(step, in: workspace, transaction) }
        return try PolicyGate.evaluate(
            question, environment.policyFacts(of: question.action, in: workspace, transaction)
        )
        .verdict
    }

    private func refusal(
        _ verdict: PolicyVerdict, _ question: PolicyQuestion, _ body: EvaluatePolicy, _ context: RequestContext,
        _ actor: Actor
    ) -> EventDraft {
        let scope = EventScope(
            workspaceID: context.workspace, roomID: body.roomID, threadID: body.threadID, runID: body.runID,
            stepID: body.stepID, correlationID: context.correlationID)
        var draft = PolicyGate.refusal(verdict, of: question, environment.enforcementMode, in: scope, by: actor) {
            $0.arguments = body.context.map { .object($0) }
        }
        // Elsewhere the claim has been checked against the credential, and is the actor's own.
        if case .header = context.caller { draft.actorPrincipalID = Limits.trimmed(body.principalID) }
        return draft
    }

    @Sendable private func checkPlan(_ body: CheckPlan, _ context: RequestContext) throws -> Reply {
        let value = body.plan ?? .null
        let plan = try RunDecider.plan(value, secret: SecretScanner.firstSecret(in: ["plan": value]))
        let check = try environment.database.read { transaction in
            if let room = body.roomID { _ = try found(room, in: context.workspace, transaction) }
            let steps = try plan.steps.map { step in
                let action = ToolCatalogue.action(tool: step.tool, arguments: step.arguments)
                let question = PolicyQuestion(
                    category: .toolCall, action: action, workspaceID: context.workspace, roomID: body.roomID)
                let verdict = try PolicyGate.evaluate(
                    question, environment.policyFacts(of: action, in: context.workspace, transaction)
                ).verdict
                return PlanCheck.Step(
                    step, effect: try step.effect(of: step.arguments), action: action, verdict: verdict)
            }
            return PlanCheck(steps: steps, secretNames: plan.secretNames)
        }
        return .now(try Answers.json(check))
    }

    @Sendable private func constraints(_ context: RequestContext) throws -> ConstraintList {
        var filter = ConstraintTable.Filter()
        (filter.principalID, filter.agentID) = (context.query("principal_id"), context.query("agent_id"))
        filter.category = try context.choice("category")
        let (limit, cursor) = (try context.limit(default: 50, max: 200), try context.cursor())
        let constraints = try environment.database.read {
            try ConstraintTable.list(in: context.workspace, filter, after: cursor, limit: limit, $0)
        }
        return ConstraintList(
            constraints: constraints,
            nextCursor: constraints.nextCursor(limit) {
                ListCursor(time: $0.lastSeenAt, id: $0.constraintID.rawValue)
            })
    }
}

extension APIEnvironment {
    /// What the gate goes by, as of now.
    func policyFacts(
        of action: ActionName, in workspace: WorkspaceID, _ transaction: any ReadTransaction
    ) throws -> PolicyFacts {
        let startNs = clock.monotonicNanoseconds()
        return PolicyFacts(
            killSwitch: try KillSwitchTable.state(transaction),
            approvals: try ApprovalTable.approved(for: action, in: workspace, transaction), now: now,
            elapsedMicroseconds: { [clock] in (clock.monotonicNanoseconds() - startNs) / 1_000 })
    }
}
