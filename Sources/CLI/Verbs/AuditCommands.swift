import HTTP
import JSON
import Platform
import Shared

enum AuditCommands {
    static let all: [Command] = [verify, AuditBundle.export, AuditBundle.key, rebuild, migrate]

    // MARK: verify

    static let verify = Command(
        "verify", "Check the whole history: every hash, every link, nothing missing",
        details: """
            Asks the running api; when none runs, checks the stopped data directory with `api verify`. Prints one line per
            fault (stream, number in the stream, what is wrong) and exits 1 if there is any.
            """,
        aliases: ["audit verify"], options: [.json],
        examples: [
            Example("aos verify", "exit 0: nothing was changed, nothing is missing"),
            Example("AOS_DATA_DIR=/mnt/backup/aos aos verify", "a copy"),
        ]
    ) { invocation, session in
        let bytes: [UInt8]
        if try session.isReachable() {
            bytes = try session.bytes(Endpoint.verifyLog, milliseconds: Session.auditMilliseconds)
        } else {
            bytes = try stopped(["verify"], session)
        }
        let found = try JSON.decode(LogVerification.self, from: bytes, limits: Session.answerLimits)
        guard !invocation.has(.json) else {
            try session.printJSON(
                invocation, JSON.parse(bytes, limits: Session.answerLimits), as: LogVerification.self)
            return found.valid ? .ok : .failed
        }
        show(found, session)
        return found.valid ? .ok : .failed
    }

    private static func show(_ found: LogVerification, _ session: Session) {
        let screen = session.console.output
        for fault in found.faults {
            guard screen.isTerminal else {
                session.console.print(
                    Table.tabbed([
                        "\(fault.streamType.rawValue)/\(fault.streamID)", String(fault.streamSeq), fault.kind.rawValue,
                        fault.globalSeq.map(String.init) ?? "", fault.eventType ?? "", fault.detail,
                    ]))
                continue
            }
            let place = "\(fault.streamType.rawValue)/\(CleanText.line(fault.streamID)) seq \(fault.streamSeq)"
            let type = fault.eventType.map { " (\(CleanText.line($0)))" } ?? ""
            session.console.print(
                screen.styled("FAULT ", .boldRed) + screen.styled(place, .bold)
                    + "\(type): \(CleanText.line(fault.detail)) [\(fault.kind.rawValue)]")
        }
        if let heads = found.headFile, !heads.consistent {
            if screen.isTerminal {
                session.console.print(
                    screen.styled("FAULT ", .boldRed) + screen.styled(heads.path, .bold)
                        + ": \(CleanText.line(heads.detail))")
            } else {
                session.console.print(
                    Table.tabbed([
                        "head_file", heads.globalSeq.map(String.init) ?? "", "head_file", "", "", heads.detail,
                    ]))
            }
        }
        if let signed = found.checkpoints, !signed.consistent {
            session.console.print(
                screen.isTerminal
                    ? screen.styled("FAULT ", .boldRed) + screen.styled(signed.path, .bold)
                        + ": \(CleanText.line(signed.detail))"
                    : Table.tabbed([
                        "checkpoints", signed.size.map(String.init) ?? "", "checkpoint", "", "", signed.detail,
                    ]))
        }
        let counts = "\(found.events) events in \(found.streams) streams, last number \(found.headGlobalSeq)"
        let erased = found.erased > 0 ? ", \(found.erased) payloads erased on purpose" : ""
        guard found.valid else {
            return session.console.note("aos verify: NOT VALID: \(counts)\(erased)")
        }
        if screen.isTerminal {
            session.console.print(screen.styled("valid", .boldGreen) + "  \(counts)\(erased)")
        } else {
            session.console.print(
                Table.tabbed(["valid", String(found.events), String(found.streams), String(found.headGlobalSeq)]))
        }
    }

    // MARK: projections

    static let rebuild = Command(
        "projections rebuild", "Fold the read models again from the history",
        details: """
            With --check they are folded beside the live ones and compared byte for byte; nothing is changed, and the exit
            code is 1 when they differ. Without --check they are replaced, which needs the api to be stopped.
            """,
        options: [.check, .json],
        examples: [
            Example("aos projections rebuild --check", "prove that rebuilt equals live"),
            Example("systemctl stop aos-api && aos projections rebuild", "replace them"),
        ]
    ) { invocation, session in
        let bytes: [UInt8]
        switch (try session.isReachable(), invocation.has(.check)) {
        case (true, true):
            bytes = try session.bytes(Endpoint.checkProjections, milliseconds: Session.auditMilliseconds)
        case (true, false):
            throw Failure(
                .failed,
                "the api at \(try session.connection().url) is running: read models are replaced only while it is stopped",
                next: ["aos projections rebuild --check", "stop the api, then again"])
        case (false, let isCheck): bytes = try stopped(["rebuild"] + (isCheck ? ["--check"] : []), session)
        }
        let check = try JSON.decode(ProjectionCheck.self, from: bytes, limits: Session.answerLimits)
        if invocation.has(.json) {
            try session.printJSON(
                invocation, JSON.parse(bytes, limits: Session.answerLimits), as: ProjectionCheck.self)
        } else {
            show(check, session)
        }
        guard invocation.has(.check) else {
            session.advise(
                check.equal ? "they were the same before" : "they were different before, and are the history's now")
            return .ok
        }
        return check.equal ? .ok : .failed
    }

    private static func show(_ check: ProjectionCheck, _ session: Session) {
        session.print(
            Table(
                [
                    .init("TABLE"), .init("RESULT"), .init("LIVE", isNumber: true), .init("REBUILT", isNumber: true),
                    .init("FIRST DIFFERENCE", isFlexible: true),
                ],
                check.tables.map { table in
                    let isEqual = table.liveDigest == table.rebuiltDigest
                    return [
                        Table.Cell(table.table), Table.Cell(isEqual ? "equal" : "DIFFERS", isEqual ? .green : .boldRed),
                        Table.Cell(String(table.liveRows)), Table.Cell(String(table.rebuiltRows)),
                        Table.Cell(table.firstDifference ?? ""),
                    ]
                }), ifEmpty: "no read models")
        if !check.equal { session.console.note("aos projections rebuild: rebuilt and live differ") }
    }

    // MARK: migrate

    static let migrate = Command(
        "migrate", "Move everything to another database, and prove that nothing is missing",
        details: """
            Copies the history as it is, the engines, tokens, leases and sessions, and folds the read models anew, in one
            transaction of the target; then both must say the same: every hash, every stream's end, every row. The api has
            to be stopped, the target must be empty, and what is moved stays where it is.

            A password need not stand in the URL, where other users could see it: libpq also reads ~/.pgpass and PGPASSWORD.
            """,
        options: [.to, .json],
        examples: [
            Example("aos migrate --to postgres://aos@db.internal/aos", "then set DATABASE_URL to the same"),
            Example("DATABASE_URL=postgres://aos@db.internal/aos aos migrate --to sqlite:/srv/aos/aos.db", "and back"),
        ]
    ) { invocation, session in
        guard let target = invocation[Option.to] else {
            throw UsageError(what: "aos migrate needs --to URL, such as --to postgres://aos@localhost/aos")
        }
        guard try !session.isReachable() else {
            throw Failure(
                .failed,
                "the api at \(try session.connection().url) is running: what it records now would be left behind",
                next: ["stop the api, then again"])
        }
        let bytes = try stopped(["migrate", "--to", target], session)
        if invocation.has(.json) {
            session.printJSON(bytes)
        } else {
            let report = try JSON.parse(bytes, limits: Session.answerLimits)
            func text(_ key: String) -> String { CleanText.line(report[key]?.stringValue ?? "") }
            let (events, streams) = (report["events"]?.intValue ?? 0, report["streams"]?.intValue ?? 0)
            session.console.print("moved  \(events) events in \(streams) streams to \(text("to"))")
            session.console.print("heads  \(text("heads_digest")) in both")
            session.console.print("state  \(text("state_digest")) in both")
            session.advise("set DATABASE_URL to the new database and start the api; \(text("from")) is as it was")
        }
        return .ok
    }

    // MARK: The stopped data directory

    /// What the api's verb prints. Only for the api of this machine: another one's data is not here.
    static func stopped(_ arguments: [String], _ session: Session, doing: String = "checking") throws -> [UInt8] {
        let connection = try session.connection()
        let host = (try? HTTPURL(connection.url)).flatMap { SocketAddress(numeric: $0.host, port: $0.port) }
        guard host?.isLoopback == true || connection.url.contains("//localhost") else {
            throw Failure(
                .failed, "the api at \(connection.url) cannot be reached, and its data is not on this machine",
                next: ["aos status"])
        }
        session.console.note("aos: no api runs at \(connection.url); \(doing) \(connection.dataDirectory)")
        return try Sibling.api.output(arguments, session)
    }
}
