import Crypto
import DatabaseCore
import EventStore
import HTTPServer
import Platform
import Projectors
import Shared

/// Long reads over the whole log, on a thread of their own: one at a time, so that they never hold up requests.
final class Audits: Sendable {
    /// Audits that may wait for the one that runs.
    private static let queuedMax = 8

    private let environment: APIEnvironment
    private let headFilePath: String
    let checkpoints: Checkpoints
    private let temporaryDirectory: String
    private let problems: ProblemAnswers
    private let queue = JobQueue("api-audits", jobsMax: queuedMax)

    init(
        environment: APIEnvironment, headFilePath: String, checkpoints: Checkpoints, temporaryDirectory: String,
        problems: ProblemAnswers
    ) {
        (self.environment, self.headFilePath, self.checkpoints) = (environment, headFilePath, checkpoints)
        (self.temporaryDirectory, self.problems) = (temporaryDirectory, problems)
    }

    func start() -> Thread { queue.start() }

    func stop() { queue.stop() }

    /// Answers later with what the audit finds.
    func run<Answer: Encodable & SendableMetatype>(
        _ context: RequestContext, _ audit: @escaping @Sendable (Audits) throws -> Answer
    ) -> Reply {
        let deferred = DeferredReply()
        let isQueued = queue.add { [self] in
            do {
                deferred.complete(problems.traced(try Answers.json(audit(self)), context))
            } catch {
                deferred.complete(problems.answer(error, context))
            }
        }
        if !isQueued {
            deferred.complete(problems.answer(Rejection(.overloaded, "audits are queued already; try again"), context))
        }
        return .later(deferred)
    }

    func verifyLog() throws -> LogVerification {
        try environment.database.read {
            try LogAudit.verify(
                in: $0, headFilePath: headFilePath, checkpointPath: checkpoints.path, key: checkpoints.key)
        }
    }

    func checkpoint() throws -> CheckpointAnswer {
        let (signed, key) = (try checkpoints.sign(), try checkpoints.noteKey())
        return CheckpointAnswer(
            note: signed.note, origin: signed.origin, size: signed.size, root: signed.root, signedAt: signed.signedAt,
            verifierKey: key.verifierKey)
    }

    func export(_ selection: AuditExporter.Selection, in workspace: WorkspaceID) throws -> AuditExport {
        let (signed, key) = (try checkpoints.sign(), try checkpoints.noteKey())
        return try environment.database.read { try AuditExporter.export(selection, in: workspace, signed, key, $0) }
    }

    /// Folds the log into an empty database of its own and compares.
    func checkProjections() throws -> ProjectionCheck {
        try environment.database.read {
            try ProjectionAudit.check(live: $0, temporaryDirectory: temporaryDirectory, entropy: environment.entropy)
        }
    }
}

/// The whole log against itself and against the head file.
enum LogAudit {
    static func verify(
        in transaction: any ReadTransaction, headFilePath: String, checkpointPath: String, key: AuditKey
    ) throws -> LogVerification {
        var verification = try LogVerifier.verifyLog(in: transaction)
        let check = try compare(with: headFilePath, transaction)
        verification.headFile = check
        let signed = try CheckpointAudit.check(checkpointPath, key, transaction)
        verification.checkpoints = signed
        verification.valid = verification.valid && check.consistent && signed.consistent
        return verification
    }

    /// Walks the log and the file side by side: both are in the order of recording.
    private static func compare(with path: String, _ transaction: any ReadTransaction) throws -> HeadFileCheck {
        var check = HeadFileCheck(
            path: path, lines: 0, consistent: true, detail: "there is no head file to compare with")
        guard var file = try LineFileReader<HeadFile.Line>(path: path), var line = try file.next() else {
            return check
        }
        check.detail = "the log holds all that the file says"
        var (root, last, isAtEnd) = (HeadFile.emptyRoot, Int64(0), false)
        var missing: Int64?
        try EventQueries.eachHash(in: transaction) { globalSeq, eventHash in
            (last, root) = (globalSeq, HeadFile.root(root, adding: eventHash))
            while !isAtEnd, line.globalSeq <= last {
                if line.globalSeq < last {
                    missing = min(missing ?? .max, line.globalSeq)
                } else if line.root != root {
                    (check.consistent, check.detail) = (false, "up to event \(last) the log is not what it was")
                    return false
                }
                if let next = try file.next() { line = next } else { isAtEnd = true }
            }
            return true
        }
        if !isAtEnd { missing = missing ?? line.globalSeq }
        while try file.next() != nil {}
        (check.lines, check.globalSeq) = (file.linesRead, file.lastLine?.globalSeq)
        if check.consistent, let missing {
            check.consistent = false
            check.detail =
                "the file knows the log up to event \(check.globalSeq ?? 0), the log ends at \(last): its tail is missing from event \(min(last + 1, missing)) on"
        }
        return check
    }
}

/// Rebuilt = live.
enum ProjectionAudit {
    static func check(
        live: any ReadTransaction, temporaryDirectory: String, entropy: any Entropy
    ) throws -> ProjectionCheck {
        try Scratch.withDatabase(in: temporaryDirectory, entropy) { rebuilt in
            let events = try Rebuild.fill(rebuilt, from: live)
            let tables = try rebuilt.read { try Rebuild.compare(live: live, rebuilt: $0) }
            return ProjectionCheck(
                equal: tables.allSatisfy { $0.liveDigest == $0.rebuiltDigest }, events: events, tables: tables)
        }
    }
}
