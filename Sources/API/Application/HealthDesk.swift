import DatabaseCore
import Domain
import EventStore
import HTTPServer
import JSON
import Platform
import Projectors
import Shared

/// Measures how the instance is doing, on a thread of its own: a disk that hangs must not hold up other requests.
final class HealthDesk: Sendable {
    /// How long a trial write may take before the database counts as unwritable.
    static let probeMilliseconds: Int64 = 2_000
    /// How long a lease may be over before the rescuer counts as late.
    static let leaseGraceMilliseconds: Int64 = 5_000
    /// Answers that may wait for the one that is measured.
    private static let queuedMax = 16

    private let environment: APIEnvironment
    private let dataDirectory: String
    private let headFile: HeadFile
    private let checkpoints: Checkpoints
    private let problems: ProblemAnswers
    private let isDraining: @Sendable () -> Bool
    private let queue = JobQueue("api-health", jobsMax: queuedMax)

    init(
        environment: APIEnvironment, dataDirectory: String, headFile: HeadFile, checkpoints: Checkpoints,
        problems: ProblemAnswers,
        isDraining: @escaping @Sendable () -> Bool
    ) {
        (self.environment, self.dataDirectory, self.headFile) = (environment, dataDirectory, headFile)
        self.checkpoints = checkpoints
        (self.problems, self.isDraining) = (problems, isDraining)
    }

    func start() -> Thread { queue.start() }

    func stop() { queue.stop() }

    /// Answers later, from facts that are measured then.
    func run<Answer: Encodable & SendableMetatype>(
        _ context: RequestContext, _ answer: @escaping @Sendable (HealthFacts) throws -> Answer
    ) -> Reply {
        let deferred = DeferredReply()
        let isQueued = queue.add { [self] in
            do {
                deferred.complete(problems.traced(try Answers.json(answer(facts(in: context.workspace))), context))
            } catch {
                deferred.complete(problems.answer(error, context))
            }
        }
        if !isQueued {
            deferred.complete(problems.answer(Rejection(.overloaded, "health is being checked; try again"), context))
        }
        return .later(deferred)
    }

    private func facts(in workspace: WorkspaceID) -> HealthFacts {
        var facts = HealthFacts(workspaceID: workspace, now: environment.now, dataDirectory: dataDirectory)
        facts.isWritable = isWritable()
        facts.lastCommitMicroseconds = environment.database.lastCommitMicroseconds
        facts.diskFreeBytes = Files.freeBytes(dataDirectory)
        facts.unwrittenHeads = headFile.unwritten
        facts.checkpointRefusal = checkpoints.refusal
        facts.isDraining = isDraining()
        facts.supervision = supervision()
        do {
            try environment.database.read { try read(&facts, $0) }
        } catch {
            environment.log.warning("health cannot read the database", ["error": .text("\(error)")])
            facts.isReadable = false
        }
        return facts
    }

    /// What a supervisor has written beside the data, if one is there now.
    private func supervision() -> Supervision? {
        guard Files.isLocked("\(dataDirectory)/\(Supervision.lockFileName)"),
            let bytes = try? Files.read("\(dataDirectory)/\(Supervision.fileName)", bytesMax: Supervision.bytesMax)
        else { return nil }
        do { return try JSON.decode(Supervision.self, from: bytes) } catch {
            environment.log.warning("what the supervisor says cannot be read", ["error": .text("\(error)")])
            return nil
        }
    }

    /// Writes a row, and waits for its commit only so long.
    private func isWritable() -> Bool {
        let outcome = Monitor<Bool?>(nil)
        let probe = Probe(probedAt: environment.now)
        environment.database.write {
            try ProbeTable.put(probe, $0)
        } then: { (result: Result<Void, any Error>) in
            let isDone = if case .success = result { true } else { false }
            outcome.update { $0 = isDone }
        }
        return outcome.wait(milliseconds: Self.probeMilliseconds) { $0 } ?? false
    }

    private func read(_ facts: inout HealthFacts, _ transaction: any ReadTransaction) throws {
        let workspace = facts.workspaceID
        facts.headGlobalSeq = try EventQueries.lastGlobalSeq(in: transaction)
        facts.unfoldedEvents = try ProjectionProbe.unfolded(transaction)
        facts.killSwitch = try KillSwitchTable.state(transaction)
        facts.queuedRuns = try RunTable.queued(in: workspace, transaction)
        facts.waitingApprovals = try ApprovalTable.waiting(in: workspace, transaction)
        facts.openIncidents = try IncidentTable.open(in: workspace, transaction)
        let due = try environment.leaseClockMs(transaction) - Self.leaseGraceMilliseconds
        facts.overdueLeases = try LeaseTable.overdue(leaseClockMs: due, in: workspace, transaction)
        let (engines, tokenSeenAt) = try EngineTokenTable.activity(in: workspace, transaction)
        facts.activeEngines = engines
        facts.engineSeenAt = [tokenSeenAt, try LeaseTable.lastHeartbeat(in: workspace, transaction)]
            .compactMap(\.self).max()
    }
}
