import DatabaseCore
import Domain
import EventStore
import Platform
import Projectors
import Shared
import Synchronization

/// What nobody asks for and time brings: leases run out, timers come, approvals expire, long polls end.
final class Timers: Sendable {
    /// How often the clock is looked at: how late a rescue or a time-out may be.
    static let tickMilliseconds: Int64 = 50
    /// Things done in one command.
    static let batchMax = 100
    private static let heartbeatMilliseconds: Int64 = 5_000
    private static let headFileMilliseconds: Int64 = 1_000
    private static let cleanUpMilliseconds: Int64 = 600_000

    private let environment: APIEnvironment
    private let commands: CommandBus
    private let permits: PermitBook
    private let blobs: BlobStore
    private let pulse: WriterPulse
    private let checkpoints: Checkpoints
    private let stopping = Monitor(false)
    /// How often the clock was looked at, all of it done.
    let ticks = Atomic<Int>(0)
    /// A rescue is under way: the next tick does not queue another.
    private let isBusy = Mutex(false)

    init(
        environment: APIEnvironment, commands: CommandBus, permits: PermitBook, blobs: BlobStore, pulse: WriterPulse,
        checkpoints: Checkpoints
    ) {
        (self.environment, self.commands, self.permits, self.blobs) = (environment, commands, permits, blobs)
        (self.pulse, self.checkpoints) = (pulse, checkpoints)
    }

    func start() -> Thread {
        Thread.start("api-timers") { [self] in
            var (heartbeatMs, headFileMs, cleanUpMs, checkpointMs) = (Int64(0), Int64(0), Int64(0), Int64(0))
            while stopping.wait(milliseconds: Self.tickMilliseconds, until: { $0 ? true : nil }) == nil {
                let now = environment.clock.monotonicMilliseconds()
                commands.aftermath.claims.expire(nowMs: now)
                commands.aftermath.controls.expire(nowMs: now)
                permits.settle(nowMs: now)
                pulse.beat(environment)
                settleDue()
                if now - heartbeatMs >= Self.heartbeatMilliseconds {
                    heartbeatMs = now
                    commands.aftermath.hub.wakeAll()
                }
                if now - headFileMs >= Self.headFileMilliseconds {
                    headFileMs = now
                    flushHeadFile()
                }
                if now - checkpointMs >= Checkpoints.everyMilliseconds {
                    checkpointMs = now
                    checkpoints.due()
                }
                if now - cleanUpMs >= Self.cleanUpMilliseconds {
                    cleanUpMs = now
                    cleanUp()
                }
                ticks.add(1, ordering: .relaxed)
            }
            flushHeadFile()
        }
    }

    func stop() { stopping.update { $0 = true } }

    /// Looks with a reader whether anything is due, and only then asks the writer.
    private func settleDue() {
        let isDue = try? environment.database.read { transaction in
            try !LeaseTable.due(leaseClockMs: environment.leaseClockMs(transaction), limit: 1, transaction).isEmpty
                || !RunTable.due(at: environment.now, limit: 1, transaction).isEmpty
                || !ApprovalTable.due(at: environment.now, limit: 1, transaction).isEmpty
        }
        guard isDue == true,
            isBusy.withLock({ busy in
                defer { busy = true }
                return !busy
            })
        else { return }
        commands.perform("rescue") { [isBusy = Busy(self)] work in
            _ = isBusy
            try work.requeueDueLeases(in: nil)
            try work.wakeDueTimers()
            try work.expireApprovals()
        }
    }

    /// Clears the mark when the command is gone, however it ended.
    private final class Busy: Sendable {
        private let timers: Timers
        init(_ timers: Timers) { self.timers = timers }
        deinit { timers.isBusy.withLock { $0 = false } }
    }

    private func flushHeadFile() {
        do {
            try commands.aftermath.headFile.flush(at: environment.now)
        } catch {
            environment.log.error("the head file cannot be written", ["error": .text("\(error)")])
        }
    }

    private func cleanUp() {
        do {
            try blobs.sweep(now: environment.now) { blob in
                try environment.database.read { try ArtifactTable.isReferenced(blob: blob, $0) }
            }
        } catch {
            environment.log.warning("blobs cannot be swept", ["error": .text("\(error)")])
        }
        commands.perform("clean-up") { work in
            try IdempotencyTable.removeOld(
                before: work.now.adding(milliseconds: -IdempotencyTable.keptMilliseconds), work.transaction)
            try SessionTable.removeEnded(before: work.now, work.transaction)
            try LoginLinkTable.removeEnded(before: work.now, work.transaction)
            try WebSessionTable.removeEnded(at: work.now, work.transaction)
        }
    }
}

extension Work {
    /// Ends leases that have run out, and puts their runs back in the queue.
    /// - Parameter workspace: Nil for all.
    func requeueDueLeases(in workspace: WorkspaceID?) throws {
        let facts = CommandFacts(actor: .api, now: now)
        for lease in try LeaseTable.due(leaseClockMs: try leaseClockMs(), limit: Timers.batchMax, transaction) {
            if let workspace, lease.workspaceID != workspace { continue }
            let run = try RunTable.find(lease.runID, transaction)
            try LeaseTable.remove(lease.runID, transaction)
            guard let run, run.status == .running else { continue }
            try AttemptTable.close(run.runID, reason: "lease_expired_reclaimed", at: now, transaction)
            if run.cancelRequestedAt != nil {
                // Its holder is gone, so nobody is left to confirm.
                let cancelled = try RunDecider.cancel(run, reason: run.cancelReason, isHeld: false, facts)
                try record(cancelled.events)
            } else {
                try record(RunDecider.requeue(run, .leaseExpired, facts))
            }
        }
    }

    func wakeDueTimers() throws {
        let facts = CommandFacts(actor: .api, now: now)
        for id in try RunTable.due(at: now, limit: Timers.batchMax, transaction) {
            guard let run = try RunTable.find(id, transaction) else { continue }
            try record(RunDecider.requeue(run, .waitSettled, facts))
        }
    }

    func expireApprovals() throws {
        let facts = CommandFacts(actor: .api, now: now)
        for approval in try ApprovalTable.due(at: now, limit: Timers.batchMax, transaction) {
            guard let expired = ApprovalDecider.expire(approval, facts) else { continue }
            try record(expired)
            try settleWaits(on: approval.approvalID, of: approval.runID)
        }
    }

    /// Puts a run back in the queue if it waits for this approval.
    func settleWaits(on approval: ApprovalID, of run: RunID?) throws {
        guard let run, let waiting = try RunTable.find(run, transaction), waiting.status == .waiting,
            waiting.waits.contains(where: { $0.approvalID == approval })
        else { return }
        try record(RunDecider.requeue(waiting, .waitSettled, CommandFacts(actor: .api, now: now)))
    }

    /// Puts every run back in the queue that waits for the halt to be lifted.
    func settleHalts() throws {
        let facts = CommandFacts(actor: .api, now: now)
        for run in try RunTable.waiting(transaction) where run.waits.contains(where: { $0.kind == .halt }) {
            try record(RunDecider.requeue(run, .waitSettled, facts))
        }
    }

    /// Whether a wait is over already when a run wants to park on it.
    func isSettled(_ wait: Wait, of run: Run) throws -> Bool {
        switch wait.kind {
        case .approval:
            guard let id = wait.approvalID, let approval = try ApprovalTable.find(id, in: run.workspaceID, transaction)
            else { return true }
            return approval.isSettled
        case .timer: return wait.wakeAt.map { $0 <= now } ?? true
        case .unknown:
            guard let id = wait.toolCallID, let call = try ToolCallTable.find(id, in: run.workspaceID, transaction)
            else { return true }
            return call.status != .unknown
        case .halt: return try !KillSwitchTable.state(transaction).isEngaged
        }
    }
}
