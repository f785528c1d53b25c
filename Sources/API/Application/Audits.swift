import DatabaseCore
import DatabaseSQLite
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
    private let temporaryDirectory: String
    private let problems: ProblemAnswers
    private let queue = JobQueue("api-audits", jobsMax: queuedMax)

    init(
        environment: APIEnvironment, headFilePath: String, temporaryDirectory: String, problems: ProblemAnswers
    ) {
        (self.environment, self.headFilePath) = (environment, headFilePath)
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
        try environment.database.read { try LogAudit.verify(in: $0, headFilePath: headFilePath) }
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
    static func verify(in transaction: any ReadTransaction, headFilePath: String) throws -> LogVerification {
        let lines = HeadFile.lines(path: headFilePath)
        var verification = try LogVerifier.verifyLog(in: transaction)
        var check = HeadFileCheck(
            path: headFilePath, lines: Int64(lines.count), globalSeq: lines.last?.globalSeq, consistent: true,
            detail: lines.isEmpty ? "there is no head file to compare with" : "the log holds all that the file says")
        var expected = Dictionary(lines.map { ($0.globalSeq, $0.root) }) { $1 }
        var root = HeadFile.emptyRoot
        var last: Int64 = 0
        if !lines.isEmpty {
            try transaction.each("SELECT global_seq, event_hash FROM evt_events ORDER BY global_seq") { row in
                last = try row.get("global_seq")
                root = HeadFile.root(root, adding: try row.get("event_hash"))
                if let said = expected.removeValue(forKey: last), said != root {
                    (check.consistent, check.detail) = (false, "up to event \(last) the log is not what it was")
                    return false
                }
                return true
            }
            if check.consistent, let missing = expected.keys.min() {
                check.consistent = false
                check.detail =
                    "the file knows the log up to event \(lines.last!.globalSeq), the log ends at \(last): its tail is missing from event \(min(last + 1, missing)) on"
            }
        }
        verification.headFile = check
        verification.valid = verification.valid && check.consistent
        return verification
    }
}

/// Rebuilt = live.
enum ProjectionAudit {
    static func check(
        live: any ReadTransaction, temporaryDirectory: String, entropy: any Entropy
    ) throws -> ProjectionCheck {
        let directory = "\(temporaryDirectory)/rebuild-\(Hex.text(entropy.bytes(8)))"
        try Files.makeFolder(directory)
        defer { try? Files.removeTree(directory) }
        let rebuilt = try SQLiteDatabase(
            path: "\(directory)/rebuilt.db",
            migrations: [Migration(1, "projections", sqlite: ProjectorCatalogue.migration.sqlite)]
        ) { _ in }
        defer { rebuilt.close() }
        let events = try Rebuild.fill(rebuilt, from: live)
        let tables = try rebuilt.read { try Rebuild.compare(live: live, rebuilt: $0) }
        return ProjectionCheck(
            equal: tables.allSatisfy { $0.liveDigest == $0.rebuiltDigest }, events: events, tables: tables)
    }
}
