import Crypto
import DatabaseCore
import DatabaseSQLite
import Domain
import EventStore
import Platform
import Projectors
import Shared

/// What a restore, or a rehearsal of one, found and did.
package struct RestoreReport: Codable, Hashable, Sendable {
    package var backup: BackupManifest
    package var members: Int
    /// Contents of artifacts whose bytes were wrong already when they were backed up; some of them.
    package var damagedBlobs: [String]
    /// Rows of the read models, folded anew and compared with those of the backup.
    package var comparedRows: Int64
    /// Nil for a rehearsal.
    package var directory: String?
    /// The number of `log.restored`.
    package var restoredGlobalSeq: Int64?
    package var endedLeases: Int?
    package var endedSessions: Int?
    /// Where the log ended that was there before.
    package var previousGlobalSeq: Int64?
    /// Where what was there before is now.
    package var movedTo: String?
    package var milliseconds: Int64 = 0
}

/// Backups as files, for whoever has one.
package enum BackupFile {
    /// Every digest of the file, and every hash of the log in it.
    package static func check(_ path: String) throws -> BackupManifest { try Backup.check(path) }

    /// All that a restore checks, in a temporary folder; nothing is changed.
    package static func rehearse(_ path: String) throws -> RestoreReport { try restore(path).rehearse() }

    /// Restores into the directory, which is made if it is missing, and of which no api makes use.
    /// - Parameters:
    ///   - isForced: There may be data: it is moved aside.
    ///   - reason: For the history.
    /// - Throws: Why nothing was changed, in a sentence.
    package static func restore(
        _ path: String, into directory: String, isForced: Bool = false, reason: String? = nil
    ) throws -> RestoreReport {
        // A file that is none makes no folder.
        let restore = try restore(path)
        try Files.makeFolder(directory)
        let lock = try DataDirectory.lock(directory, toRestore: true)
        defer { withExtendedLifetime(lock) {} }
        return try restore.run(into: directory, isForced: isForced, reason: reason)
    }

    private static func restore(_ path: String) throws -> Restore {
        Restore(
            reader: try BackupReader(path: path), entropy: SystemEntropy(),
            now: Timestamp(milliseconds: SystemClock().wallMilliseconds()))
    }
}

/// Puts a backup into a data directory of which nobody makes use. All of it is checked in a folder of its own first; only
/// then is anything of the directory touched, and what was there is moved aside, never removed.
struct Restore {
    /// Of the api's things in a data directory; the engine may have others there.
    private static let ownNames = [BackupFormat.database, "blobs", "audit"] + DataDirectory.instanceFiles

    let reader: BackupReader
    let entropy: any Entropy
    let now: Timestamp

    // MARK: Rehearsal

    /// All that a restore checks, in a temporary folder: every digest, every hash of the log, and that the read models are
    /// what the log gives.
    func rehearse() throws -> RestoreReport {
        try Files.withTemporaryFolder("aos-restore-rehearsal") { folder in
            let path = "\(folder)/\(BackupFormat.database)"
            try requireRoom(folder, reader.manifest.databaseBytes)
            let contents = try reader.read { $0 == BackupFormat.database ? path : nil }
            return try check(path, contents, temporaryDirectory: folder)
        }
    }

    private func check(
        _ path: String, _ contents: BackupReader.Contents, temporaryDirectory: String
    ) throws -> RestoreReport {
        let found = try SQLiteCopy.schemaVersion(of: path) ?? 0
        guard found <= Storage.schemaVersion else {
            throw DatabaseError(
                .newerSchema,
                "\(reader.path) was made by api \(reader.manifest.programVersion) and has schema \(found); this is api \(ReleaseVersion.text), which knows schema \(Storage.schemaVersion): use the newer version"
            )
        }
        // An older backup is brought up to date in its copy.
        let database = try Storage.open(.sqlite(path: path), keepsCopy: false)
        defer { database.close() }
        let rows = try database.read { transaction in
            let verified = try LogVerifier.verifyLog(in: transaction)
            let end = try HeadFile.end(of: transaction)
            guard verified.valid, (end.globalSeq, end.root) == (reader.manifest.globalSeq, reader.manifest.root) else {
                throw BackupFault(
                    "\(reader.path): the log in it is not valid: \(verified.faults.first?.detail ?? "it ends at event \(end.globalSeq)")"
                )
            }
            let check = try ProjectionAudit.check(
                live: transaction, temporaryDirectory: temporaryDirectory, entropy: entropy)
            if let table = check.tables.first(where: { $0.liveDigest != $0.rebuiltDigest }) {
                throw BackupFault(
                    "\(reader.path): the read model \(table.table) is not what the log gives: \(table.firstDifference ?? "")"
                )
            }
            return check.tables.reduce(0) { $0 + $1.rebuiltRows }
        }
        return RestoreReport(
            backup: reader.manifest, members: contents.members, damagedBlobs: contents.damagedBlobs, comparedRows: rows)
    }

    private func requireRoom(_ folder: String, _ bytes: Int64) throws {
        let needed = bytes + BackupFormat.reserveBytes
        guard let free = Files.freeBytes(folder), free < needed else { return }
        throw StartFailure("the backup needs \(needed) bytes in \(folder), \(free) are free")
    }

    // MARK: For real

    /// - Parameters:
    ///   - directory: A data directory whose lock is held.
    ///   - isForced: There may be data: it is moved aside.
    func run(into directory: String, isForced: Bool, reason: String?) throws -> RestoreReport {
        let old = try Self.things(in: directory)
        guard old.isEmpty || isForced else {
            throw StartFailure(
                "\(directory) is not empty (\(old.prefix(3).joined(separator: ", "))): with --force it is moved aside and kept, or name another folder with --to"
            )
        }
        let staging = "\(directory)/tmp/restore-\(Hex.text(entropy.bytes(8)))"
        try Files.makeFolder(staging)
        defer { try? Files.removeTree(staging) }
        try requireRoom(directory, reader.manifest.databaseBytes + reader.manifest.blobBytes)
        let contents = try reader.read { name in "\(staging)/\(name)" }
        let auditKey = "\(staging)/\(AuditKey.fileName)"
        if Files.status(auditKey)?.sizeBytes == 0 { try Files.remove(auditKey) }
        let database = "\(staging)/\(BackupFormat.database)"
        var report = try check(database, contents, temporaryDirectory: staging)
        let previous = Self.end(of: directory)
        let declared = try declare(database, previous, reason)
        try SQLiteCopy.settle(database)
        try Files.makeFolder("\(staging)/audit")
        for name in try Files.list(staging) where !Self.isOwn(name) { try Files.removeTree("\(staging)/\(name)") }
        let names = try Files.list(staging)
        // Whoever restores may be another user than the one whom the api runs as.
        func give(_ paths: [String]) throws {
            guard Program.userID == 0 else { return }
            for path in paths where Files.exists(path) { try Files.give(path, toOwnerOf: directory) }
        }
        try give(names.map { "\(staging)/\($0)" })
        try Descriptor.openToRead(staging).syncFileSystem()
        // Anew: what looked into the old database may have left a WAL beside it, which must not stay beside the new one.
        report.movedTo = try swap(staging, directory, Self.things(in: directory))
        try give(["lock", "tmp", "audit"].map { "\(directory)/\($0)" } + [report.movedTo].compactMap(\.self))
        (report.directory, report.previousGlobalSeq) = (directory, previous?.globalSeq)
        (report.restoredGlobalSeq, report.endedLeases, report.endedSessions) = (
            declared.globalSeq, declared.endedLeases, declared.endedSessions
        )
        return report
    }

    /// Renames only, each of them durable before the mark is gone that keeps an api from starting in between.
    /// - Returns: Where the old things are, if there were any.
    private func swap(_ staging: String, _ directory: String, _ old: [String]) throws -> String? {
        let mark = DataDirectory.restoringPath(directory)
        try Files.writeAtomically(Array("\(reader.path)\n".utf8), to: mark)
        let stamp = now.description.filter { $0.isNumber || $0 == "T" }.prefix(15)
        var aside = "before-restore-\(stamp)"
        while Files.exists("\(directory)/\(aside)") || Files.exists("\(directory)/audit/\(aside)") { aside += "+" }
        let kept = "\(directory)/\(aside)"
        if !old.isEmpty { try Files.makeFolder(kept) }
        for name in old where name != "audit" { try Files.rename("\(directory)/\(name)", to: "\(kept)/\(name)") }
        // The old log's heads stay by the log's side, but not where the new log is compared with them.
        let audit = "\(directory)/audit"
        let heads = Files.exists(audit) ? try Files.list(audit).filter { !$0.hasPrefix("before-restore-") } : []
        if !heads.isEmpty { try Files.makeFolder("\(audit)/\(aside)") }
        for name in heads { try Files.rename("\(audit)/\(name)", to: "\(audit)/\(aside)/\(name)") }
        for name in try Files.list(staging) where name != "audit" || !Files.exists(audit) {
            try Files.rename("\(staging)/\(name)", to: "\(directory)/\(name)")
        }
        for folder in [kept, "\(audit)/\(aside)", audit, directory] where Files.exists(folder) {
            try Files.syncFolder(folder)
        }
        try Files.remove(mark)
        try Files.syncFolder(directory)
        return old.isEmpty ? nil : kept
    }

    private static func isOwn(_ name: String) -> Bool {
        ownNames.contains(name) || name.hasPrefix("\(BackupFormat.database)-")
            || name.hasPrefix("\(BackupFormat.database).")
    }

    /// The api's own things in the directory, but for empty folders.
    private static func things(in directory: String) throws -> [String] {
        try Files.list(directory).filter { name in
            guard isOwn(name) else { return false }
            let path = "\(directory)/\(name)"
            return Files.status(path)?.kind != .folder || !((try? Files.list(path)) ?? []).isEmpty
        }
    }

    // MARK: What history says of it

    /// Where the log in the directory ends: as the database says, or, where that cannot be read, its head file.
    private static func end(of directory: String) -> (globalSeq: Int64, root: String)? {
        let path = "\(directory)/\(BackupFormat.database)"
        if Files.exists(path), let end = try? SQLiteReader(path: path).read({ try HeadFile.end(of: $0) }) { return end }
        guard let line = try? HeadFile.lastLine(path: "\(directory)/audit/heads.ndjson") else { return nil }
        return (line.globalSeq, line.root)
    }

    private struct Declared {
        var globalSeq: Int64
        var endedLeases: Int
        var endedSessions: Int
    }

    /// Records in the restored log, before anything else, that it was restored; and makes it safe to go on from:
    ///
    /// - Whoever held a run has lost it: engines that have gone on meanwhile write nothing any more, and what they had
    ///   begun is as after a lost engine.
    /// - Sessions have ended: one that was revoked after the backup must not be good again.
    /// - External writes are held: which of them happened after the backup is not known here, and only a person can say
    ///   that they may happen (again).
    private func declare(
        _ path: String, _ previous: (globalSeq: Int64, root: String)?, _ reason: String?
    ) throws -> Declared {
        let database = try Storage.open(.sqlite(path: path), keepsCopy: false)
        defer { database.close() }
        let environment = APIEnvironment(
            clock: SystemClock(), entropy: entropy, database: database,
            eventLog: EventLog(randomBytes: { [entropy] in entropy.bytes($0) }), log: .silent, leaseMilliseconds: 0,
            leaseClock: .process, enforcementMode: .enforce, isPromotionLoopEnabled: false, tokenKey: [])
        let (manifest, now) = (reader.manifest, now)
        return try database.writeAndWait { transaction in
            let work = Work(transaction, environment, now: now)
            let correlationID = environment.newCorrelationID()
            let scope = EventScope(workspaceID: .system, correlationID: correlationID)
            let leases = try LeaseTable.count(transaction)
            _ = try LoginLinkTable.removeAll(transaction)
            let sessions = try SessionTable.removeAll(transaction) + WebSessionTable.removeAll(transaction)
            let restored = LogRestored(
                backupGlobalSeq: manifest.globalSeq, backupMadeAt: manifest.madeAt, root: manifest.root,
                previousGlobalSeq: previous?.globalSeq, previousRoot: previous?.root, endedLeases: leases,
                endedSessions: sessions, reason: reason)
            try work.record(EventDraft(.log(.restored(restored)), in: scope, by: .operatorUser))
            let facts = CommandFacts(actor: .operatorUser, now: now)
            try work.record(
                KillSwitchDecider.set(
                    KillSwitchTable.state(transaction), true, source: .operator,
                    reason:
                        "restored from the backup of \(manifest.madeAt): look at what happened after it, then `aos kill off`",
                    correlationID: correlationID, facts))
            _ = try LeaseTable.renewAll(expiresAtMonotonicMs: .min, expiresAt: now, transaction)
            while try LeaseTable.count(transaction) > 0 { try work.requeueDueLeases(in: nil) }
            return Declared(
                globalSeq: work.recorded.first?.envelope.globalSeq ?? 0, endedLeases: leases, endedSessions: sessions)
        }
    }
}
