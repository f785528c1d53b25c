import Crypto
import DatabaseCore
import Domain
import EventStore
import HTTP
import HTTPServer
import JSON
import Platform
import Projectors
import Shared

/// Steps and tool calls: what happens inside a run.
struct StepRoutes: Sendable {
    let environment: APIEnvironment
    let commands: CommandBus
    let permits: PermitBook

    private static let execute = Access.engine(action: "run.execute")

    func mount(on routes: inout RouteTable) {
        routes.on(.createStep, Self.execute, create)
        routes.get(.steps, Self.execute, list)
        routes.on(.succeedStep, Self.execute) { end($0, $1, as: .succeeded) }
        routes.on(.failStep, Self.execute) { end($0, $1, as: .failed) }
        routes.on(.skipStep, Self.execute) { end($0, $1, as: .skipped) }
        routes.on(.cancelStep, Self.execute) { end($0, $1, as: .cancelled) }
        routes.on(.requestToolCall, Self.execute, request)
        routes.on(.succeedToolCall, Self.execute) { report($0, $1, isSuccess: true) }
        routes.on(.failToolCall, Self.execute) { report($0, $1, isSuccess: false) }
        routes.on(.resolveToolCall, .operatorOnly, resolve)
        routes.get(.toolCalls, Self.execute, toolCalls)
        routes.get(.toolCall, Self.execute, toolCall)
    }

    // MARK: Steps

    @Sendable private func create(_ body: CreateStep, _ context: RequestContext) -> Reply {
        let id: RunID = context.id("run_id")
        return commands.run(context) { work in
            // The order of these two is on the wire.
            _ = try Limits.require(body.kind, "kind", bytesMax: Limits.nameBytesMax, .missingKind)
            let run = try work.run(id, in: context.workspace)
            try work.fence(run, context, token: body.claimToken)
            if let planStepID = body.planStepID,
                let existing = try StepTable.find(planStep: planStepID, of: id, work.transaction)
            {
                return .init(response: try Answers.json(StepCreatedAnswer(stepID: existing.stepID), .ok))
            }
            let facts = CommandFacts(actor: context.actor, now: work.now)
            let decision = try StepDecider.create(environment.newID(), body, in: run, facts)
            try work.record(decision.events)
            return .init(response: try Answers.json(StepCreatedAnswer(stepID: decision.answer), .created))
        }
    }

    @Sendable private func list(_ context: RequestContext) throws -> StepList {
        let id: RunID = context.id("run_id")
        return try environment.database.read { transaction in
            _ = try found(id, in: context.workspace, transaction)
            return StepList(steps: try StepTable.list(of: id, transaction))
        }
    }

    private func end(_ body: EndStep, _ context: RequestContext, as status: StepStatus) -> Reply {
        let id: StepID = context.id("step_id")
        return commands.perform(context) { work in
            let (step, run) = try work.step(id, in: context.workspace)
            try work.fence(run, context, token: body.claimToken)
            let facts = CommandFacts(actor: context.actor, now: work.now)
            try work.record(StepDecider.end(step, as: status, body, in: run, facts))
            return Done(ok: true)
        }
    }

    // MARK: Tool calls

    @Sendable private func request(_ body: RequestToolCall, _ context: RequestContext) throws -> Reply {
        let id: StepID = context.id("step_id")
        let actor = try context.actor(type: body.actorType, id: body.actorID, principal: body.principalID)
        let argsHash = SHA256.text(ToolCallRequest.hashed(body.toolName, body.input))
        // A lost answer is asked for again by its effect key and try, not by an idempotency key: the state may have
        // changed since, and a stale permit would be a lie.
        return commands.run(context, isReplayable: false) { work in
            let (step, run) = try work.step(id, in: context.workspace)
            try work.fence(run, context, token: body.claimToken)
            let request = try ToolCallRequest(body, step: step, run: run, argsHash: argsHash)
            let facts = try facts(request, step, run, actor, context, work)
            let decision = try ToolCallDecider.request(request, facts)
            try work.record(decision.events)
            return try outcome(decision.answer, context, work)
        }
    }

    private func facts(
        _ request: ToolCallRequest, _ step: Step, _ run: Run, _ actor: Actor, _ context: RequestContext, _ work: Work
    ) throws -> ToolCallDecider.Facts {
        let transaction = work.transaction
        let existing = try request.effectKey.flatMap { try ToolCallTable.find(effectKey: $0, transaction) }
        let approval = try existing?.approvalID.flatMap {
            try ApprovalTable.find($0, in: context.workspace, transaction)
        }
        var policy = try environment.policyFacts(of: request.action, in: context.workspace, transaction)
        policy.now = work.now
        return ToolCallDecider.Facts(
            command: CommandFacts(actor: actor, now: work.now), run: run, step: step, existing: existing,
            approval: approval, policy: policy, mode: environment.enforcementMode,
            callCount: try ToolCallTable.count(of: run.runID, transaction),
            callsMax: run.input["plan"]?["limits"]?["max_tool_calls"]?.intValue.map { Int($0) }
                ?? (run.hasPlan ? PlanLimits().maxToolCalls : nil),
            newCallID: environment.newID(), newApprovalID: environment.newID())
    }

    private func outcome(
        _ answer: ToolCallDecider.Answer, _ context: RequestContext, _ work: Work
    ) throws -> CommandBus.Outcome {
        switch answer {
        case .permitted(let id, let verdict, let request):
            let isExternal = request.action.isExternalWrite
            let permit = ToolCallPermit(
                toolCallID: id, decision: .allow, status: .running, reasonCode: verdict.reasonCode,
                reason: verdict.reason, ruleID: verdict.ruleID, action: request.action.rawValue,
                effect: request.effect, argsHash: request.argsHash, permitTTLMs: PermitBook.permitMilliseconds)
            // Booked inside the transaction: a kill switch that commits later sees it.
            if isExternal {
                permits.issue(id, nowMs: environment.clock.monotonicMilliseconds())
                // A permit that is given once more changes nothing, and other processes must know of it all the same.
                work.transaction.leaveMark()
            }
            return .init(response: try Answers.json(permit, .created))
        case .ended(let call):
            let permit = ToolCallPermit(
                toolCallID: call.toolCallID, decision: .allow, status: call.status, reasonCode: "already_ended",
                ruleID: "effect_key", action: call.action, effect: call.effect, argsHash: call.argsHash,
                output: call.output, error: call.error)
            return .init(response: try Answers.json(permit, .ok))
        case .waiting(let id, let approvalID, let verdict, let request):
            let permit = ToolCallPermit(
                toolCallID: id, decision: .requireApproval, status: .waiting, reasonCode: verdict.reasonCode,
                reason: verdict.reason, ruleID: verdict.ruleID, action: request.action.rawValue,
                effect: request.effect, argsHash: request.argsHash, approvalID: approvalID)
            return .init(response: try Answers.json(permit, .accepted))
        case .refused(let rejection):
            let problem = Problem(rejection, requestID: context.requestID)
            return .init(response: Answers.problem(problem))
        }
    }

    private func report(_ body: EndToolCall, _ context: RequestContext, isSuccess: Bool) -> Reply {
        let id: ToolCallID = context.id("tool_call_id")
        return commands.run(context) { work in
            let (call, step, run) = try work.toolCall(id, in: context.workspace)
            try work.fence(run, context, token: body.claimToken)
            let facts = CommandFacts(actor: context.actor, now: work.now)
            let scope = step.scope(in: run)
            try work.record(
                isSuccess
                    ? ToolCallDecider.succeed(call, body, scope: scope, facts)
                    : ToolCallDecider.fail(call, body, scope: scope, facts))
            return .init(
                response: try Answers.json(Done(ok: true)),
                afterCommit: { [permits, clock = environment.clock] _, _ in
                    permits.ended(id, nowMs: clock.monotonicMilliseconds())
                    return true
                })
        }
    }

    @Sendable private func resolve(_ body: ResolveToolCall, _ context: RequestContext) -> Reply {
        let id: ToolCallID = context.id("tool_call_id")
        return commands.perform(context) { work in
            let (call, step, run) = try work.toolCall(id, in: context.workspace)
            let facts = CommandFacts(actor: context.actor, now: work.now)
            try work.record(ToolCallDecider.resolve(call, body, scope: step.scope(in: run), facts))
            if run.status == .waiting, run.waits.contains(where: { $0.toolCallID == id }) {
                let latest = try work.run(run.runID, in: context.workspace)
                try work.record(RunDecider.requeue(latest, .waitSettled, CommandFacts(actor: .api, now: work.now)))
            }
            return Done(ok: true)
        }
    }

    @Sendable private func toolCalls(_ context: RequestContext) throws -> ToolCallList {
        let (limit, cursor) = (try context.limit(default: 50, max: 200), try context.cursor())
        let calls = try environment.database.read {
            try ToolCallTable.list(
                in: context.workspace, run: context.query("run_id").map { RunID($0) },
                step: context.query("step_id").map { StepID($0) }, after: cursor, limit: limit, $0)
        }
        return ToolCallList(
            toolCalls: calls,
            nextCursor: calls.nextCursor(limit) { ListCursor(time: $0.startedAt, id: $0.toolCallID.rawValue) })
    }

    @Sendable private func toolCall(_ context: RequestContext) throws -> ToolCallAnswer {
        let id: ToolCallID = context.id("tool_call_id")
        return ToolCallAnswer(toolCall: try environment.database.read { try found(id, in: context.workspace, $0) })
    }
}
