import JSON
import Platform
import Shared

enum BackupCommands {
    static let all: [Command] = [backup, restore]

    // MARK: backup

    static let backup = Command(
        "backup", "A checked copy of everything, in one file",
        details: """
            Asks the running api, which goes on working meanwhile; when none runs, the stopped data directory is copied with \
            `api backup`. The file has the database as of one moment, the contents of all artifacts, and the instance's \
            secrets: keep it as you keep the data directory. It is read back before anything is said to be done: every \
            digest, and every hash of the history in it. One that fails leaves no file.

            A backup that was never restored is a hope: rehearse with `aos restore FILE --verify`.
            """,
        arguments: [.backupTarget], options: [.json],
        examples: [
            Example("aos backup /srv/backups/", "from a timer: a new file named by the time"),
            Example("aos backup before-the-move.tar && aos restore before-the-move.tar --verify", "and the proof"),
        ]
    ) { invocation, session in
        let path = try target(invocation[.backupTarget], session)
        let bytes: [UInt8]
        if try session.isReachable() {
            bytes = try fetch(path, session)
        } else {
            bytes = try AuditCommands.stopped(["backup", path], session, doing: "backing up")
        }
        if invocation.has(.json) {
            session.printJSON(bytes)
        } else {
            let report = try JSON.parse(bytes, limits: Session.answerLimits)
            let backup = report["backup"]
            var facts = Facts()
            facts.add("backup", path)
            facts.add("size", Amounts.bytes(report["bytes"]?.intValue ?? 0))
            facts.add(backup)
            session.print(facts)
            warn(missing: backup?["missing_blobs"]?.intValue ?? 0, session)
            session.advise("prove that it works: aos restore \(path) --verify")
        }
        return .ok
    }

    private static let fileNameTimeCharacters = 15

    /// The file that is to be made; in a folder, one named by the time.
    private static func target(_ given: String, _ session: Session) throws -> String {
        var path = given
        if Files.status(given)?.kind == .folder {
            let time = session.now.description.filter { $0.isNumber || $0 == "T" }.prefix(fileNameTimeCharacters)
            path = "\(given.hasSuffix("/") ? String(given.dropLast()) : given)/aos-\(time)Z.tar"
        }
        guard !Files.exists(path) else {
            throw Failure(.failed, "\(path) is there already, and a backup replaces nothing", next: ["name a new file"])
        }
        return path
    }

    /// The whole file or none: it gets its name once it has been read back from the disk.
    private static func fetch(_ path: String, _ session: Session) throws -> [UInt8] {
        let part = "\(path).part"
        do {
            try Files.remove(part)
            let file = try Files.createNew(part)
            try Download(session, .backup, silence: Session.auditMilliseconds).run { try file.writeAll(Array($0)) }
            try file.sync()
            let report = try Sibling.api.output(["backup", "--check", part], session)
            try Files.rename(part, to: path)
            try Files.syncFolder(Files.split(path).folder)
            return report
        } catch {
            try? Files.remove(part)
            guard let error = error as? SystemError, error.isDiskFull else { throw error }
            throw Failure(
                .failed, "the disk is full: \(path) was not made", next: ["free some space, or name another disk"])
        }
    }

    // MARK: restore

    static let restore = Command(
        "restore", "Put a backup in the place of what was lost, or rehearse it",
        details: """
            All of the file is checked first: every digest, every hash of the history, and that the read models are what the \
            history gives. A file with one wrong byte is refused whole. With --verify that is all, and nothing is changed.

            The api has to be stopped. An empty data directory is filled; one that is not needs --force, and is moved aside. \
            The history says from then on that it was restored. What was recorded after the backup is lost, and what left \
            this machine since then is not known: external writes are held until you have looked (`aos kill off`), runs that \
            were held are queued again, everybody logs in anew.
            """,
        arguments: [.backup], options: [.verify, .to, .force, .message, .json],
        examples: [
            Example("aos restore aos-20260301T030000Z.tar --verify", "exit 0: this backup works"),
            Example(
                "systemctl stop agentos-engine agentos-api && aos restore aos-20260301T030000Z.tar -m 'the disk died'",
                "then start them"),
            Example(
                "aos restore aos-20260301T030000Z.tar --to /srv/aos-copy", "beside the running one, to look into it"),
        ]
    ) { invocation, session in
        let isRehearsal = invocation.has(.verify)
        guard !isRehearsal || !(invocation.has(.to) || invocation.has(.force) || invocation.has(.message)) else {
            throw UsageError(what: "--verify changes nothing: it does not go with --to, --force or --message")
        }
        var arguments = ["restore", invocation[.backup]]
        if isRehearsal { arguments.append("--verify") }
        if invocation.has(.force) { arguments.append("--force") }
        if let directory = invocation[.to] { arguments += ["--to", directory] }
        if let reason = invocation[.message] { arguments += ["--reason", reason] }
        if !isRehearsal, invocation[.to] == nil, try session.isReachable() {
            throw Failure(
                .failed, "the api at \(try session.connection().url) is running: its data cannot be replaced under it",
                next: ["stop the api and the engines, then again", "aos restore \(invocation[.backup]) --verify"])
        }
        let bytes = try Sibling.api.output(arguments, session)
        if invocation.has(.json) {
            session.printJSON(bytes)
        } else {
            show(try JSON.parse(bytes, limits: Session.answerLimits), session)
        }
        return .ok
    }

    private static func show(_ report: JSONValue, _ session: Session) {
        var facts = Facts()
        facts.add("backup", "every byte is what was written")
        facts.add(report["backup"])
        facts.add("read models", "rebuilt = backed up, \(report["compared_rows"]?.intValue ?? 0) rows")
        if let directory = report["directory"]?.stringValue {
            facts.add("restored to", directory)
            facts.add("before in it", report["moved_to"]?.stringValue)
            facts.add("log before", report["previous_global_seq"]?.intValue.map { "ended at event \($0)" })
            facts.add("queued again", "\(report["ended_leases"]?.intValue ?? 0) runs that were held")
            facts.add("logged out", "\(report["ended_sessions"]?.intValue ?? 0) sessions")
        }
        session.print(facts)
        warn(missing: report["backup"]?["missing_blobs"]?.intValue ?? 0, session)
        for blob in report["damaged_blobs"]?.arrayValue ?? [] {
            session.console.note(
                "aos: \(CleanText.line(blob.stringValue ?? "")) was damaged already when it was backed up")
        }
        guard report["directory"]?.stringValue != nil else {
            return session.advise("nothing was changed: this backup can be restored")
        }
        session.console.note(
            "aos: external writes are held; after the start look at `aos events --type log.restored`, `aos approvals` and `aos run list`, then `aos kill off`"
        )
    }

    private static func warn(missing: Int64, _ session: Session) {
        guard missing > 0 else { return }
        session.console.note("aos: \(missing) contents of artifacts were not there to be backed up")
    }
}

extension Facts {
    /// What a backup says of itself.
    fileprivate mutating func add(_ manifest: JSONValue?) {
        func number(_ key: String) -> Int64 { manifest?[key]?.intValue ?? 0 }
        func text(_ key: String) -> String { manifest?[key]?.stringValue ?? "" }
        add("made", "\(text("made_at")) by api \(text("program_version")), schema \(number("schema_version"))")
        add(
            "history",
            "\(number("events")) events in \(number("streams")) streams, up to number \(number("global_seq"))")
        add("root", text("root"))
        add("artifacts", "\(number("blobs")) contents, \(Amounts.bytes(number("blob_bytes")))")
    }
}
