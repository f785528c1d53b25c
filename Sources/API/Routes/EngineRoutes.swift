import DatabaseCore
import Domain
import EventStore
import HTTP
import HTTPServer
import JSON
import Platform
import Projectors
import Shared

/// Engines: made known, given tokens, told what to stop.
struct EngineRoutes: Sendable {
    static let controlWaitMillisecondsMax: Int64 = 30_000

    let environment: APIEnvironment
    let commands: CommandBus
    let problems: ProblemAnswers
    let isDraining: @Sendable () -> Bool

    func mount(on routes: inout RouteTable) {
        routes.on(.registerEngine, .operatorOnly, register)
        routes.get(.engines, .operatorOnly, list)
        routes.get(.engineTokens, .operatorOnly, tokens)
        routes.on(.issueEngineToken, .operatorOnly, issue)
        routes.on(.revokeEngineToken, .operatorOnly, revoke)
        routes.on(.deactivateEngine, .operatorOnly, deactivate)
        routes.on(.engineControl, .engineOnly(action: "run.execute"), control)
    }

    @Sendable private func register(_ body: RegisterEngine, _ context: RequestContext) throws -> Reply {
        let actorID = try Limits.require(body.actorID, "actor_id", bytesMax: Limits.nameBytesMax, .actorIDRequired)
        let validUntil = try self.validUntil(body.validUntil)
        try Self.check(body.scopes)
        return commands.perform(context, .created, isReplayable: false) { work in
            let transaction = work.transaction
            var engine =
                try EngineTable.find(actor: actorID, in: context.workspace, transaction)
                ?? EngineRecord(
                    engineID: environment.newHexID(), workspaceID: context.workspace, engineName: actorID,
                    actorID: actorID, principalID: Principal.id(of: Actor(.service, actorID)), metadata: [:],
                    at: work.now)
            // Who was shut out does not come back by asking again, as an engine does at each of its starts.
            let isReactivated = engine.status == .inactive
            if isReactivated, body.reactivate != true {
                throw Rejection(
                    .engineInactive, "the engine '\(actorID)' has been deactivated; reactivate: true brings it back",
                    details: ["engine_id": .string(engine.engineID.rawValue)], status: .conflict)
            }
            engine.engineName = Limits.trimmed(body.engineName) ?? engine.engineName
            engine.metadata = body.metadata ?? engine.metadata
            (engine.status, engine.updatedAt) = (.active, work.now)
            (engine.deactivatedAt, engine.deactivatedReason) = (nil, nil)
            let token = newToken(engine, body.tokenLabel, validUntil, body.scopes, context, work)
            try EngineTable.put(engine, transaction)
            try put(token, transaction)
            let event = EngineRegistered(
                engineID: engine.engineID, actorID: actorID, principalID: engine.principalID, tokenID: token.tokenID,
                reactivated: isReactivated ? true : nil)
            try work.record(draft(.registered(event), context))
            return EngineRegisteredAnswer(engine: engine, token: token)
        }
    }

    @Sendable private func issue(_ body: IssueEngineToken, _ context: RequestContext) throws -> Reply {
        let validUntil = try self.validUntil(body.validUntil)
        try Self.check(body.scopes)
        return commands.perform(context, .created, isReplayable: false) { work in
            let engine = try found(context, work)
            guard engine.status == .active else {
                throw Rejection(
                    .engineInactive, "the engine has been deactivated; register it again with reactivate: true first",
                    status: .conflict)
            }
            let token = newToken(engine, body.tokenLabel, validUntil, body.scopes, context, work)
            try put(token, work.transaction)
            let event = EngineTokenIssued(engineID: engine.engineID, tokenID: token.tokenID)
            try work.record(draft(.tokenIssued(event), context))
            return EngineRegisteredAnswer(engine: engine, token: token)
        }
    }

    @Sendable private func revoke(_ body: GiveReason, _ context: RequestContext) -> Reply {
        let tokenID: EngineTokenID = context.id("token_id")
        return commands.perform(context) { work in
            let engineID: EngineID = context.id("engine_id")
            guard let engine = try EngineTable.find(engineID, in: context.workspace, work.transaction),
                var stored = try EngineTokenTable.find(tokenID, of: engine.engineID, work.transaction)
            else {
                throw Rejection(.engineTokenNotFound, "no token \(tokenID.rawValue.prefix(100)) of this engine")
            }
            if stored.token.revokedAt != nil { return RevokedAnswer(ok: true, alreadyRevoked: true) }
            let reason = Limits.trimmed(body.reason) ?? "manual_revoke"
            (stored.token.revokedAt, stored.token.revokedReason) = (work.now, reason)
            try EngineTokenTable.put(stored, work.transaction)
            let event = EngineTokenRevoked(engineID: engine.engineID, tokenID: tokenID, reason: reason)
            try work.record(draft(.tokenRevoked(event), context))
            return RevokedAnswer(ok: true, alreadyRevoked: false)
        }
    }

    @Sendable private func deactivate(_ body: GiveReason, _ context: RequestContext) -> Reply {
        commands.perform(context) { work in
            var engine = try found(context, work)
            let reason = Limits.trimmed(body.reason) ?? "manual_deactivate"
            guard engine.status == .active else { return DeactivatedAnswer(ok: true, engine: engine) }
            (engine.status, engine.updatedAt) = (.inactive, work.now)
            (engine.deactivatedAt, engine.deactivatedReason) = (work.now, reason)
            try EngineTable.put(engine, work.transaction)
            // Its leases run out by themselves: until then the engine may still be acting, and its runs are nobody's else.
            var revoked: [EngineTokenID] = []
            for var stored in try EngineTokenTable.live(of: engine.engineID, work.transaction) {
                (stored.token.revokedAt, stored.token.revokedReason) = (work.now, "engine_deactivated:\(reason)")
                try EngineTokenTable.put(stored, work.transaction)
                revoked.append(stored.token.tokenID)
            }
            let event = EngineDeactivated(engineID: engine.engineID, tokenIDs: revoked, reason: reason)
            try work.record(draft(.deactivated(event), context))
            return DeactivatedAnswer(ok: true, engine: engine)
        }
    }

    // MARK: Reading

    @Sendable private func list(_ context: RequestContext) throws -> EngineList {
        EngineList(engines: try environment.database.read { try EngineTable.list(in: context.workspace, $0) })
    }

    @Sendable private func tokens(_ context: RequestContext) throws -> EngineTokenList {
        let id: EngineID = context.id("engine_id")
        return try environment.database.read { transaction in
            guard try EngineTable.find(id, in: context.workspace, transaction) != nil else {
                return EngineTokenList(tokens: [])
            }
            return EngineTokenList(tokens: try EngineTokenTable.list(of: id, transaction).map(\.token))
        }
    }

    // MARK: Control

    @Sendable private func control(_ body: EngineControl, _ context: RequestContext) throws -> Reply {
        guard case .engine(let engine, _) = context.caller, engine.engineID == context.id("engine_id") else {
            throw Rejection(.engineTokenInvalid, "the control channel is for the engine itself")
        }
        let wait = body.waitMs ?? 0
        guard (0...Self.controlWaitMillisecondsMax).contains(wait) else {
            throw Rejection.field(
                "wait_ms", .invalidField, "wait_ms: expected 0 to \(Self.controlWaitMillisecondsMax), found \(wait)")
        }
        let deferred = DeferredReply()
        look(
            engine.engineID, body, context, deferred, untilMs: environment.clock.monotonicMilliseconds() + wait,
            isLast: wait == 0)
        return .later(deferred)
    }

    /// Answers if there is something the engine has not heard of; else waits to be woken.
    private func look(
        _ engineID: EngineID, _ body: EngineControl, _ context: RequestContext, _ deferred: DeferredReply,
        untilMs: Int64, isLast: Bool
    ) {
        let known = Set(body.cancelling ?? [])
        // Registered before looking, so that nothing falls in between.
        let waiter =
            isLast
            ? nil
            : commands.aftermath.controls.wait(engineID, untilMs: untilMs) { isLast in
                look(engineID, body, context, deferred, untilMs: untilMs, isLast: isLast)
            }
        do {
            let answer = try environment.database.read { transaction in
                let cancel = try LeaseTable.held(by: engineID, transaction).compactMap { lease -> RunID? in
                    let run = try RunTable.find(lease.runID, transaction)
                    return run?.cancelRequestedAt == nil ? nil : lease.runID
                }
                let state = try KillSwitchTable.state(transaction)
                return EngineControlAnswer(
                    cancel: cancel, killSwitch: state.isEngaged, killSwitchEpoch: state.epoch, drain: false)
            }
            let isNews =
                answer.cancel.contains { !known.contains($0) } || answer.killSwitchEpoch != body.killSwitchEpoch ?? 0
            guard isNews || isLast || isDraining() else {
                deferred.onCancel {
                    if let waiter { commands.aftermath.controls.leave(waiter) }
                    // Answered although nobody reads it, so that a drain does not wait for it.
                    look(engineID, body, context, deferred, untilMs: untilMs, isLast: true)
                }
                return
            }
            if let waiter { commands.aftermath.controls.leave(waiter) }
            deferred.complete(problems.traced(try Answers.json(answer), context))
        } catch {
            if let waiter { commands.aftermath.controls.leave(waiter) }
            deferred.complete(problems.answer(error, context))
        }
    }

    // MARK: Helpers

    private func found(_ context: RequestContext, _ work: Work) throws -> EngineRecord {
        let id: EngineID = context.id("engine_id")
        guard let engine = try EngineTable.find(id, in: context.workspace, work.transaction) else {
            throw Rejection(.engineNotFound, "no engine \(id.rawValue.prefix(100))")
        }
        return engine
    }

    private func validUntil(_ text: String?) throws(Rejection) -> Timestamp? {
        guard let text else { return nil }
        guard let time = Timestamp(text) else {
            throw .field("valid_until", .invalidValidUntil, "valid_until: expected an RFC 3339 time")
        }
        return time
    }

    private static func check(_ scopes: RequestedScopes?) throws(Rejection) {
        for (name, items) in [("scopes.action_types", scopes?.actionTypes), ("scopes.rooms", scopes?.rooms)] {
            guard items?.count ?? 0 <= EngineScopes.itemsMax else {
                throw .field(
                    name, .invalidField,
                    "\(name): expected at most \(EngineScopes.itemsMax), found \(items?.count ?? 0)")
            }
            for item in items ?? [] { try Limits.check(item, name, bytesMax: Limits.nameBytesMax) }
        }
    }

    private func newToken(
        _ engine: EngineRecord, _ label: String?, _ validUntil: Timestamp?, _ scopes: RequestedScopes?,
        _ context: RequestContext, _ work: Work
    ) -> EngineToken {
        var token = EngineToken(
            tokenID: environment.newHexID(), workspaceID: engine.workspaceID, engineID: engine.engineID,
            principalID: engine.principalID, tokenLabel: label,
            scopes: EngineScopes(
                actionTypes: scopes?.actionTypes ?? EngineScopes.defaultActions, rooms: scopes?.rooms ?? ["*"]),
            issuedAt: work.now, validUntil: validUntil)
        token.createdByPrincipalID = Principal.id(of: context.actor)
        token.engineToken = environment.newSecret(prefix: EngineTokenKind.prefix)
        return token
    }

    private func put(_ token: EngineToken, _ transaction: any WriteTransaction) throws {
        var kept = token
        kept.engineToken = nil
        try EngineTokenTable.put(
            .init(token: kept, hash: environment.hash(ofSecret: token.engineToken ?? "")), transaction)
    }

    private func draft(_ event: EngineEvent, _ context: RequestContext) -> EventDraft {
        EventDraft(
            .engine(event), in: EventScope(workspaceID: context.workspace, correlationID: context.correlationID),
            by: context.actor)
    }
}
