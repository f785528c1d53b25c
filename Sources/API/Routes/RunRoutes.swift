import DatabaseCore
import Domain
import EventStore
import HTTP
import HTTPServer
import Projectors
import Shared

struct RunRoutes: Sendable {
    let environment: APIEnvironment
    let commands: CommandBus
    let audits: Audits

    func mount(on routes: inout RouteTable) {
        routes.on(.createRun, .operatorOnly, create)
        routes.get(.runs, .engine(action: "run.execute"), list)
        routes.get(.run, .engine(action: "run.execute"), show)
        routes.raw(.runSnapshot, .engine(action: "run.execute"), snapshot)
        routes.get(.attempts, .engine(action: "run.execute"), attempts)
        routes.on(.startRun, .operatorOnly, start)
        routes.on(.completeRun, .engine(action: "run.execute"), complete)
        routes.on(.failRun, .engine(action: "run.execute"), fail)
        routes.on(.parkRun, .engine(action: "run.execute"), park)
        routes.on(.cancelRun, .operatorOnly, cancel)
        routes.on(.confirmCancelled, .engine(action: "run.execute"), confirmCancelled)
    }

    @Sendable private func create(_ body: CreateRun, _ context: RequestContext) throws -> Reply {
        guard let roomID = body.roomID, Limits.trimmed(roomID.rawValue) != nil else {
            throw Rejection.field("room_id", .missingRoomID, "room_id is required: `aos room list` shows the rooms")
        }
        // Before the transaction: scanning a large plan must not hold up the writer.
        let secret = body.input.flatMap { SecretScanner.firstSecret(in: $0) }
        return commands.perform(context, .created) { work in
            let room = try work.room(roomID, in: context.workspace)
            if let thread = body.threadID { try work.require(thread, in: room.roomID, context.workspace) }
            if let id = body.experimentID {
                try ExperimentDecider.admit(work.experiment(id, in: context.workspace), runIn: room.roomID)
            }
            let decision = try RunDecider.create(
                environment.newID(), body, in: context.workspace, roomID: room.roomID,
                correlationID: Limits.trimmed(body.correlationID) ?? environment.newCorrelationID(),
                planSecret: secret, CommandFacts(actor: context.actor, now: work.now))
            try work.record(decision.events)
            return RunCreatedAnswer(runID: decision.answer, status: .queued)
        }
    }

    // MARK: Reading

    @Sendable private func list(_ context: RequestContext) throws -> RunList {
        var filter = RunTable.Filter()
        filter.roomID = context.query("room_id").map { RoomID($0) }
        filter.experimentID = context.query("experiment_id").map { ExperimentID($0) }
        filter.status = try context.choice("status", .invalidStatus)
        let (limit, cursor) = (try context.limit(default: 50, max: 200), try context.cursor())
        let runs = try environment.database.read { transaction in
            try RunTable.list(in: context.workspace, filter, after: cursor, limit: limit, transaction).map {
                $0.joined(with: $0.status == .running ? try LeaseTable.find($0.runID, transaction) : nil)
            }
        }
        return RunList(
            runs: runs, nextCursor: runs.nextCursor(limit) { ListCursor(time: $0.updatedAt, id: $0.runID.rawValue) })
    }

    @Sendable private func show(_ context: RequestContext) throws -> RunAnswer {
        let id: RunID = context.id("run_id")
        return try environment.database.read { transaction in
            let run = try found(id, in: context.workspace, transaction)
            return RunAnswer(run: run.joined(with: try LeaseTable.find(id, transaction)))
        }
    }

    @Sendable private func attempts(_ context: RequestContext) throws -> AttemptList {
        let id: RunID = context.id("run_id")
        return try environment.database.read { transaction in
            _ = try found(id, in: context.workspace, transaction)
            return AttemptList(attempts: try AttemptTable.list(of: id, transaction))
        }
    }

    @Sendable private func snapshot(_ context: RequestContext) throws -> Reply {
        let id: RunID = context.id("run_id")
        guard let atSeq = try context.sequence("at_seq") else {
            let answer = try environment.database.read { transaction in
                let run = try found(id, in: context.workspace, transaction)
                let lease = try LeaseTable.find(id, transaction)
                return try Self.snapshot(RunHistory.now(id, transaction), run.joined(with: lease), at: nil, transaction)
            }
            return .now(try Answers.document(answer, for: context.request))
        }
        // Folding a long run takes a while, and requests share this thread.
        return audits.run(context) { _ in
            try environment.database.read { transaction in
                _ = try found(id, in: context.workspace, transaction)
                guard let past = try RunHistory.past(id, after: atSeq, transaction) else {
                    throw Rejection(
                        .runTooLong,
                        "the run has more than \(RunHistory.eventsMax) events; its past is in GET /v1/events?run_id=\(id)"
                    )
                }
                guard let run = past.run else {
                    throw Rejection(.runNotFound, "the run \(id) was not there yet after event \(atSeq)")
                }
                return try Self.snapshot(past, run, at: atSeq, transaction)
            }
        }
    }

    private static func snapshot(
        _ history: RunHistory, _ run: Run, at atSeq: Int64?, _ transaction: any ReadTransaction
    ) throws -> RunSnapshot {
        let span = try EventQueries.span(of: run.runID, in: transaction) ?? (0, 0)
        let attempts = try AttemptTable.list(of: run.runID, transaction).filter {
            $0.attemptNo <= run.attemptNo
        }
        return RunSnapshot(
            run: run, steps: history.steps, toolCalls: history.toolCalls, approvals: history.approvals,
            artifacts: history.artifacts, attempts: attempts, atSeq: atSeq, firstSeq: span.first, lastSeq: span.last)
    }

    // MARK: Changing

    @Sendable private func start(_ body: Nothing, _ context: RequestContext) -> Reply {
        change(context) { work, run, facts in
            try work.record(RunDecider.start(run, facts))
            return Done(ok: true)
        }
    }

    @Sendable private func complete(_ body: CompleteRun, _ context: RequestContext) -> Reply {
        change(context) { work, run, facts in
            let event = try RunDecider.complete(run, body, facts)
            try work.fence(run, context, token: body.claimToken)
            try work.record(event)
            try work.endLease(of: run, reason: "run_completed")
            return Done(ok: true)
        }
    }

    @Sendable private func fail(_ body: FailRun, _ context: RequestContext) -> Reply {
        change(context) { work, run, facts in
            let event = try RunDecider.fail(run, body, facts)
            try work.fence(run, context, token: body.claimToken)
            try work.record(event)
            try work.endLease(of: run, reason: "run_failed")
            return Done(ok: true)
        }
    }

    @Sendable private func park(_ body: ParkRun, _ context: RequestContext) -> Reply {
        change(context) { work, run, facts in
            try work.fence(run, context, token: body.claimToken)
            let waits = body.waits ?? []
            if run.cancelRequestedAt != nil {
                // A run that shall be cancelled does not go to sleep; nothing in it runs, so nobody has to confirm.
                _ = try RunDecider.park(run, waits, isSettled: true, facts)
                try work.record(RunDecider.cancel(run, reason: run.cancelReason, isHeld: false, facts).events)
                try work.endLease(of: run, reason: "run_cancelled")
                return ParkAnswer(ok: true, status: .cancelled)
            }
            var isSettled = false
            for wait in waits where !isSettled { isSettled = try work.isSettled(wait, of: run) }
            try work.record(RunDecider.park(run, waits, isSettled: isSettled, facts))
            try work.endLease(of: run, reason: "parked")
            return ParkAnswer(ok: true, status: isSettled ? .queued : .waiting)
        }
    }

    @Sendable private func cancel(_ body: CancelRun, _ context: RequestContext) -> Reply {
        change(context) { work, run, facts in
            let lease = try LeaseTable.find(run.runID, work.transaction)
            let isHeld = try run.status == .running && lease?.expiresAtMonotonicMs ?? 0 > work.leaseClockMs()
            let decision = try RunDecider.cancel(run, reason: body.reason, isHeld: isHeld, facts)
            try work.record(decision.events)
            if decision.answer == .cancelled { try work.endLease(of: run, reason: "run_cancelled") }
            return CancelAnswer(ok: true, status: decision.answer)
        }
    }

    @Sendable private func confirmCancelled(_ body: Fenced, _ context: RequestContext) -> Reply {
        change(context) { work, run, facts in
            let event = try RunDecider.confirmCancelled(run, facts)
            try work.fence(run, context, token: body.claimToken)
            try work.record(event)
            try work.endLease(of: run, reason: "run_cancelled")
            return Done(ok: true)
        }
    }

    private func change<Answer: Encodable & SendableMetatype>(
        _ context: RequestContext,
        _ command: @escaping @Sendable (Work, Run, CommandFacts) throws -> Answer
    ) -> Reply {
        let id: RunID = context.id("run_id")
        return commands.perform(context) { work in
            let run = try work.run(id, in: context.workspace)
            return try command(work, run, CommandFacts(actor: context.actor, now: work.now))
        }
    }
}

extension Work {
    /// Nobody holds the run any more.
    func endLease(of run: Run, reason: String) throws {
        try LeaseTable.remove(run.runID, transaction)
        try AttemptTable.close(run.runID, reason: reason, at: now, transaction)
    }
}
