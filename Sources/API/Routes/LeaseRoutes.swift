import DatabaseCore
import Domain
import EventStore
import HTTP
import HTTPServer
import JSON
import Platform
import Projectors
import Shared

/// Claim, heartbeat, release: how an engine gets a run, keeps it, and gives it back.
struct LeaseRoutes: Sendable {
    static let claimWaitMillisecondsMax: Int64 = 30_000

    let environment: APIEnvironment
    let commands: CommandBus
    let authentication: Authentication
    let problems: ProblemAnswers

    func mount(on routes: inout RouteTable) {
        routes.on(.claimRun, .engineByBody(action: "run.claim", orOperator: false), claim)
        routes.on(.heartbeat, .engineByBody(action: "run.lease.heartbeat", orOperator: true), heartbeat)
        routes.on(.releaseRun, .engineByBody(action: "run.lease.release", orOperator: true), release)
    }

    /// The request with its caller, whose credentials may stand in the body (`contract/API_CORE.md` 1.2).
    private func identified(
        _ context: RequestContext, _ engineID: EngineID?, _ engineToken: String?, action: String
    ) throws -> RequestContext {
        var context = context
        let credentials = engineID.flatMap { id in engineToken.map { (id, $0) } }
        (context.caller, context.workspace) = try authentication.caller(context.request, credentials)
        try Access.engine(action: action).check(context.caller)
        return context
    }

    // MARK: Claim

    @Sendable private func claim(_ body: ClaimRun, _ context: RequestContext) throws -> Reply {
        let context = try identified(context, body.engineID, body.engineToken, action: "run.claim")
        guard case .engine(let engine, let token) = context.caller else {
            throw Rejection(.missingEngineToken, "a claim needs x-engine-id and x-engine-token")
        }
        let plan = body.plan ?? "any"
        guard plan == "any" || plan == "required" else {
            throw Rejection.field("plan", .invalidField, "plan: expected required or any, found '\(plan.prefix(100))'")
        }
        let wait = body.waitMs ?? 0
        guard (0...Self.claimWaitMillisecondsMax).contains(wait) else {
            throw Rejection.field(
                "wait_ms", .invalidField, "wait_ms: expected 0 to \(Self.claimWaitMillisecondsMax), found \(wait)")
        }
        let claim = Claim(
            engine: engine, token: token, workspace: context.workspace, rooms: try rooms(body.roomID, context),
            isPlanRequired: plan == "required")
        let deferred = DeferredReply()
        attempt(claim, context, deferred, untilMs: environment.clock.monotonicMilliseconds() + wait)
        return .later(deferred)
    }

    private struct Claim: Sendable {
        var engine: EngineRecord
        var token: EngineToken
        var workspace: WorkspaceID
        var rooms: [RoomID]?
        var isPlanRequired: Bool

        var wish: ClaimQueue.Wish { .init(workspace: workspace, rooms: rooms, isPlanRequired: isPlanRequired) }
    }

    /// The rooms that both the claim and its token name; nil for all.
    private func rooms(_ wanted: RoomID?, _ context: RequestContext) throws(Rejection) -> [RoomID]? {
        if let wanted {
            try context.requireRoom(wanted)
            return [wanted]
        }
        guard case .engine(_, let token) = context.caller, !token.scopes.rooms.contains("*") else { return nil }
        guard !token.scopes.rooms.isEmpty else {
            throw Rejection(.engineRoomScopeRequired, "the engine's token is good for no room")
        }
        return token.scopes.rooms.map { RoomID($0) }
    }

    /// Tries once; waits for a run if there is none and time is left.
    private func attempt(_ claim: Claim, _ context: RequestContext, _ deferred: DeferredReply, untilMs: Int64) {
        let offerCount = commands.aftermath.claims.offerCount
        environment.database.write { transaction in
            let work = Work(transaction, environment, now: environment.now, trace: context.trace.context)
            return (try take(claim, work), work.recorded)
        } then: { (result: Result<(ClaimedRun?, [Recorded<DomainEvent>]), any Error>) in
            switch result {
            case .failure(let error): deferred.complete(problems.answer(error, context))
            case .success((let run?, let recorded)):
                commands.aftermath.committed(recorded)
                answer(run, context, deferred, commitSeq: recorded.last?.envelope.globalSeq)
            case .success((nil, let recorded)):
                commands.aftermath.committed(recorded)
                guard environment.clock.monotonicMilliseconds() < untilMs else { return answer(nil, context, deferred) }
                let waiting = commands.aftermath.claims.wait(claim.wish, untilMs: untilMs, since: offerCount) {
                    attempt(claim, context, deferred, untilMs: untilMs)
                } giveUp: {
                    answer(nil, context, deferred)
                }
                switch waiting {
                case .isFull: answer(nil, context, deferred)
                case .looksAgain: attempt(claim, context, deferred, untilMs: untilMs)
                case .waits(let waiter):
                    deferred.onCancel {
                        commands.aftermath.claims.leave(waiter)
                        answer(nil, context, deferred)
                    }
                }
            }
        }
    }

    private func answer(
        _ run: ClaimedRun?, _ context: RequestContext, _ deferred: DeferredReply, commitSeq: Int64? = nil
    ) {
        do {
            var response = try Answers.json(ClaimAnswer(claimed: run != nil, run: run))
            if let commitSeq { response.fields.set(.xCommitSeq, String(commitSeq)) }
            deferred.complete(problems.traced(response, context))
        } catch {
            deferred.complete(problems.answer(error, context))
        }
    }

    private func take(_ claim: Claim, _ work: Work) throws -> ClaimedRun? {
        try EngineTokenTable.seen(claim.token, at: work.now, work.transaction)
        try work.requeueDueLeases(in: claim.workspace)
        guard
            let run = try RunTable.oldestQueued(
                in: claim.workspace, rooms: claim.rooms, withPlan: claim.isPlanRequired, work.transaction)
        else { return nil }
        let actor = Actor(.service, claim.engine.actorID)
        let event = try RunDecider.claim(run, by: claim.engine.engineID, CommandFacts(actor: actor, now: work.now))
        try work.record(event)
        return try work.lease(run, to: claim.engine)
    }

    // MARK: Heartbeat and release

    @Sendable private func heartbeat(_ body: Fenced, _ context: RequestContext) throws -> Reply {
        let id: RunID = context.id("run_id")
        let context = try identified(context, body.engineID, body.engineToken, action: "run.lease.heartbeat")
        return commands.perform(context, isReplayable: false) { work in
            // The order of the checks is on the wire.
            let run = try work.run(id, in: context.workspace)
            let token = try requireToken(body.claimToken, context)
            guard run.status == .running else {
                throw Rejection(
                    .runNotRunning, "the run is \(run.status.rawValue), expected running",
                    details: ["status": .string(run.status.rawValue)])
            }
            guard var lease = try work.fence(run, context, token: token) else {
                throw Rejection(.leaseTokenMismatch, "nobody holds the run")
            }
            let ttl = environment.leaseMilliseconds
            lease.expiresAtMonotonicMs = try work.leaseClockMs() + ttl
            (lease.expiresAt, lease.heartbeatAt) = (work.now.adding(milliseconds: ttl), work.now)
            try LeaseTable.put(lease, work.transaction)
            try seen(context, work)
            return LeaseAnswer(
                ok: true, leaseExpiresAt: lease.expiresAt, leaseHeartbeatAt: lease.heartbeatAt,
                cancelRequested: run.cancelRequestedAt != nil,
                killSwitch: try KillSwitchTable.state(work.transaction).isEngaged)
        }
    }

    @Sendable private func release(_ body: ReleaseRun, _ context: RequestContext) throws -> Reply {
        let id: RunID = context.id("run_id")
        let context = try identified(context, body.engineID, body.engineToken, action: "run.lease.release")
        return commands.perform(context) { work in
            let run = try work.run(id, in: context.workspace)
            let reason = body.reason ?? .released
            guard reason == .released || reason == .drained else {
                throw Rejection.field("reason", .invalidField, "reason: expected released or drained")
            }
            guard run.status == .running, try LeaseTable.find(id, work.transaction) != nil else {
                try seen(context, work)
                return ReleaseAnswer(ok: true, released: false)
            }
            try work.fence(run, context, token: try requireToken(body.claimToken, context))
            let facts = CommandFacts(actor: context.actor, now: work.now)
            if run.cancelRequestedAt != nil {
                try work.record(RunDecider.cancel(run, reason: run.cancelReason, isHeld: false, facts).events)
            } else {
                try work.record(RunDecider.requeue(run, reason, facts))
            }
            try work.endLease(of: run, reason: reason == .drained ? "drained" : "manual_release")
            try seen(context, work)
            return ReleaseAnswer(ok: true, released: true)
        }
    }

    /// The engine's token has been used.
    private func seen(_ context: RequestContext, _ work: Work) throws {
        guard case .engine(_, let token) = context.caller else { return }
        try EngineTokenTable.seen(token, at: work.now, work.transaction)
    }

    private func requireToken(_ token: String?, _ context: RequestContext) throws(Rejection) -> String? {
        guard let token = token ?? context.request.fields[.xClaimToken] else {
            throw Rejection(.missingClaimToken, "claim_token is required: send it as a field or as x-claim-token")
        }
        return token
    }
}

extension Work {
    /// Puts a run that was just started into an engine's hands.
    fileprivate func lease(_ run: Run, to engine: EngineRecord) throws -> ClaimedRun {
        let token = environment.newUUID()
        let ttl = environment.leaseMilliseconds
        let attemptNo = run.attemptNo + 1
        let lease = Lease(
            runID: run.runID, workspaceID: run.workspaceID, engineID: engine.engineID, actorID: engine.actorID,
            tokenDigest: Fence.digest(token), attemptNo: attemptNo, expiresAtMonotonicMs: try leaseClockMs() + ttl,
            expiresAt: now.adding(milliseconds: ttl), heartbeatAt: now)
        try LeaseTable.put(lease, transaction)
        let earlier = try AttemptTable.list(of: run.runID, transaction)
        let attempt = RunAttempt(
            runAttemptID: environment.newHexID(), runID: run.runID, workspaceID: run.workspaceID, roomID: run.roomID,
            attemptNo: attemptNo, claimedByActorID: engine.actorID, actorPrincipalID: engine.principalID,
            engineID: engine.engineID, claimedAt: now)
        try AttemptTable.put(attempt, transaction)
        let ran = earlier.reduce(Int64(0)) { sum, attempt in
            sum + ((attempt.releasedAt ?? now).milliseconds - attempt.claimedAt.milliseconds)
        }
        return ClaimedRun(
            runID: run.runID, workspaceID: run.workspaceID, roomID: run.roomID, threadID: run.threadID,
            experimentID: run.experimentID, status: .running, title: run.title, goal: run.goal, input: run.input,
            tags: run.tags, correlationID: run.correlationID, claimToken: token, claimedByActorID: engine.actorID,
            leaseExpiresAt: lease.expiresAt, leaseHeartbeatAt: now, leaseTTLMs: ttl, attemptNo: attemptNo,
            startedAt: run.startedAt ?? now, runningMs: max(0, ran))
    }
}
