import APIClient
import HTTP
import HTTPClient
import JSON
import Platform
import Shared

enum DoctorCommand {
    static let all: [Command] = [doctor]

    static let doctor = Command(
        "doctor", "Check the set-up, and say how to mend it",
        details: """
            One line per check: ok, warn or FAIL, and the command that mends it. Exit 1 if anything fails.
            """,
        options: [.json],
        examples: [Example("aos doctor", "after installing, and when something is odd")]
    ) { invocation, session in
        let findings = Examination(session).run()
        if invocation.has(.json) {
            try session.printJSON(invocation, Report(checks: findings))
        } else {
            show(findings, session)
        }
        return findings.contains { $0.result == .fail } ? .failed : .ok
    }

    private struct Report: Codable { var checks: [Finding] }

    private static func show(_ findings: [Finding], _ session: Session) {
        let screen = session.console.output
        guard screen.isTerminal else {
            for finding in findings {
                session.console.print(
                    Table.tabbed([finding.result.rawValue, finding.name, finding.detail, finding.fix ?? ""]))
            }
            return
        }
        let width = findings.map { $0.name.utf8.count }.max() ?? 0
        for finding in findings {
            let style: Style =
                switch finding.result {
                case .ok: .green
                case .warn: .boldYellow
                case .fail: .boldRed
                }
            session.console.print(
                screen.styled(TextWidth.padded(finding.result.rawValue, to: 4), style) + "  "
                    + TextWidth.padded(finding.name, to: width) + "  " + CleanText.line(finding.detail))
            if let fix = finding.fix {
                session.console.print(
                    String(repeating: " ", count: width + 8)
                        + screen.styled("\(screen.hasUnicode ? "↳" : "->") \(fix)", .bold))
            }
        }
    }
}

/// What a check has found.
struct Finding: Codable, Hashable, Sendable {
    enum Result: String, CaseIterable, Codable, Sendable {
        case ok, warn
        case fail = "FAIL"
    }

    var name: String
    var result: Result
    var detail: String
    /// The command that mends it.
    var fix: String?

    init(_ name: String, _ result: Result, _ detail: String, fix: String? = nil) {
        (self.name, self.result, self.detail, self.fix) = (name, result, detail, fix)
    }
}

/// All checks, in the order in which one thing depends on another.
struct Examination {
    private static let clockMillisecondsMax: Int64 = 2_000
    private static let seenMillisecondsMax: Int64 = 90_000
    private static let freeBytesWarn: Int64 = 2 << 30
    private static let freeBytesMin: Int64 = 200 << 20
    private static let sandboxMilliseconds: Int64 = 10_000
    private static let versionMilliseconds: Int64 = 5_000
    private static let bwrap = "/usr/bin/bwrap"

    private let session: Session

    init(_ session: Session) { self.session = session }

    func run() -> [Finding] {
        let connection: Connection
        do { connection = try session.connection() } catch {
            let failure = error as? Failure
            return ([failure?.what ?? "\(error)"] + (failure?.lines ?? [])).map {
                Finding("settings", .fail, $0, fix: "aos help environment")
            }
        }
        let isHere =
            (try? HTTPURL(connection.url)).flatMap { SocketAddress(numeric: $0.host, port: $0.port) }?.isLoopback
            == true
            || connection.url.contains("//localhost")
        var findings = programs()
        findings += remote(connection)
        if isHere {
            if findings.contains(where: { $0.name == "api" && $0.result == .fail }) { findings += port(connection) }
            findings += supervisor(connection) + directory(connection)
        }
        findings.append(namespaces())
        findings.append(sandbox())
        return findings
    }

    // MARK: The api

    private func remote(_ connection: Connection) -> [Finding] {
        let begin = session.clock.monotonicMilliseconds()
        let health: Health
        do { health = try session.get(.health) } catch {
            return [Finding("api", .fail, Self.reason(error), fix: "aos up")]
        }
        let took = session.clock.monotonicMilliseconds() - begin
        var findings = [
            health.ok
                ? Finding("api", .ok, "\(connection.url) answers in \(took) ms")
                : Finding(
                    "api", .fail, "\(connection.url) answers but is \(health.draining ? "draining" : "not well")",
                    fix: "look at the api's log, then start it again")
        ]
        findings.append(
            health.version == ReleaseVersion.text
                ? Finding("running", .ok, "the api that answers is \(health.version)")
                : Finding(
                    "running", .warn, "the api is \(health.version), aos is \(ReleaseVersion.text)",
                    fix: "install api, engine and aos of one release, then start the api again"))
        findings.append(clock(health.ts))
        do {
            let state = try session.get(.killSwitch)
            findings.append(Finding("token", .ok, "the api knows it"))
            findings.append(
                state.engaged
                    ? Finding(
                        "kill switch", .warn,
                        "ON: no external write starts\(state.killSwitch.reason.map { " (\($0))" } ?? "")",
                        fix: "aos kill off")
                    : Finding("kill switch", .ok, "off"))
        } catch {
            findings.append(Finding("token", .fail, Self.reason(error), fix: connection.tokenAdvice))
            return findings
        }
        findings.append(
            health.enforcementMode == .enforce
                ? Finding("policy", .ok, "enforced")
                : Finding(
                    "policy", .warn, "shadow mode: verdicts are recorded and let through",
                    fix: "set POLICY_ENFORCEMENT_MODE=enforce for the api, then start it again"))
        findings.append(engines())
        return findings + self.health()
    }

    /// What the api finds wrong with itself, beyond what was looked at here.
    private func health() -> [Finding] {
        let seen: Set<HealthIssueKind> = [
            .killSwitchEngaged, .approvalsWaiting, .diskLow, .draining, .supervisorDegraded,
        ]
        do {
            guard let report = try StatusCommand.systemHealth(session) else { return [] }
            let issues = report.summary.topIssues.filter { !seen.contains($0.kind) }
            let storage = issues.filter { [.databaseUnavailable, .commitSlow, .headFileLagging].contains($0.kind) }
            let commit =
                report.checks["db"]?["last_commit_ms"]?.intValue.map { ", the last commit took \($0) ms" } ?? ""
            return (storage.isEmpty ? [Finding("storage", .ok, "it can be read and written\(commit)")] : [])
                + issues.map { issue in
                    let isStorage = storage.contains(issue)
                    return Finding(
                        isStorage ? "storage" : issue.kind.rawValue.replacing("_", with: " "),
                        issue.severity == .down ? .fail : .warn, issue.summary, fix: issue.action)
                }
        } catch { return [Finding("storage", .fail, Self.reason(error), fix: "look at the api's log")] }
    }

    /// Whether the address is free for an api.
    private func port(_ connection: Connection) -> [Finding] {
        guard let url = try? HTTPURL(connection.url), let address = SocketAddress(numeric: url.host, port: url.port)
        else {
            return []
        }
        do throws(SystemError) {
            _ = try TCP.listen(at: address)
            return [Finding("port", .ok, "\(address) is free")]
        } catch {
            return [
                Finding(
                    "port", .fail, "\(address) cannot be listened at: \(error)",
                    fix: "ss -ltnp 'sport = :\(url.port)' shows who has it; or aos up --port 0")
            ]
        }
    }

    private func supervisor(_ connection: Connection) -> [Finding] {
        guard let (supervision, isThere) = SupervisorFile(connection.dataDirectory).read() else { return [] }
        guard let finding = SupervisorFile.finding(supervision, isThere: isThere, now: session.now) else {
            return [Finding("supervisor", .ok, "`aos up` looks after everything (\(supervision.mode.rawValue))")]
        }
        return [
            Finding(
                "supervisor", finding.isFatal ? .fail : .warn, finding.text,
                fix: finding.isFatal ? "aos up" : "look at what `aos up` says on standard error")
        ]
    }

    /// Whether the kernel lets users make the namespaces that a sandbox is made of.
    private func namespaces() -> Finding {
        func setting(_ path: String) -> String? {
            (try? Files.read("/proc/sys/\(path)", bytesMax: 64)).map {
                String(decoding: $0, as: UTF8.self).filter { !$0.isWhitespace }
            }
        }
        for (path, wrong, right) in [
            ("user/max_user_namespaces", "0", "15000"), ("kernel/unprivileged_userns_clone", "0", "1"),
            ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
        ] where setting(path) == wrong {
            let name = path.replacing("/", with: ".")
            return Finding(
                "namespaces", Program.userID == 0 ? .warn : .fail,
                "\(name) is \(wrong): users cannot make user namespaces",
                fix: "sysctl -w \(name)=\(right)")
        }
        return Finding("namespaces", .ok, "users may make user namespaces")
    }

    private func clock(_ time: Timestamp?) -> Finding {
        guard let time else {
            return Finding("clock", .warn, "the api tells no time", fix: "look at the api's log")
        }
        let difference = time.milliseconds - session.clock.wallMilliseconds()
        guard abs(difference) > Self.clockMillisecondsMax else {
            return Finding("clock", .ok, "that of the api and ours differ by \(abs(difference)) ms")
        }
        return Finding(
            "clock", .warn,
            "the api's clock is \(Amounts.duration(milliseconds: abs(difference))) \(difference > 0 ? "ahead of" : "behind") ours",
            fix: "timedatectl set-ntp true")
    }

    private func engines() -> Finding {
        do {
            let active = try session.get(.engines).engines.filter { $0.status == .active }
            guard !active.isEmpty else {
                return Finding(
                    "engine", .warn, "none is registered: queued runs stay queued", fix: "aos up, or start `engine`")
            }
            let seen = try active.compactMap { engine in
                try EngineCommands.lastSeen(engine, session).map { (engine.engineName, $0) }
            }
            guard let (name, time) = seen.max(by: { $0.1 < $1.1 }) else {
                return Finding("engine", .warn, "\(active.count) registered, none heard of yet", fix: "start `engine`")
            }
            let age = Amounts.age(time, now: session.now)
            return session.now.milliseconds - time.milliseconds > Self.seenMillisecondsMax
                ? Finding(
                    "engine", .warn, "\(name) was last heard of \(age)", fix: "start `engine`, or look at its log")
                : Finding("engine", .ok, "\(name), heard of \(age == "now" ? "just now" : age)")
        } catch { return Finding("engine", .fail, Self.reason(error)) }
    }

    // MARK: This machine

    private func programs() -> [Finding] {
        let missing = Sibling.allCases.filter { $0.path(session.environment) == nil }.map(\.rawValue)
        guard missing.isEmpty else {
            return [
                Finding(
                    "programs", .warn, "\(missing.joined(separator: " and ")) not beside aos and not in PATH",
                    fix: "add the folder of api and engine to PATH")
            ]
        }
        let strangers = Sibling.allCases.compactMap { program -> String? in
            guard let path = program.path(session.environment) else { return nil }
            let version = version(of: path)
            return version == ReleaseVersion.text ? nil : "\(path) is \(version ?? "of no version it could say")"
        }
        return strangers.isEmpty
            ? [Finding("programs", .ok, "api, engine and aos are \(ReleaseVersion.text)")]
            : [
                Finding(
                    "programs", .fail, "aos is \(ReleaseVersion.text), but \(strangers.joined(separator: ", "))",
                    fix: "install api, engine and aos of one release")
            ]
    }

    /// The second word of what `--version` prints first.
    private func version(of path: String) -> String? {
        var command = ProcessCommand(path, [path, "--version"], environment: ["PATH": "/usr/bin:/bin", "LANG": "C"])
        command.timeoutMilliseconds = Self.versionMilliseconds
        var said: [UInt8] = []
        let end = try? session.runner.run(command, stop: StopSignal()) { stream, bytes in
            if stream == .standardOutput, said.count < 2048 { said += bytes }
        }
        guard end?.exit == .code(0) else { return nil }
        return String(decoding: said, as: UTF8.self).split(whereSeparator: \.isNewline).first?
            .split(separator: " ").dropFirst().first.map(String.init)
    }

    private func directory(_ connection: Connection) -> [Finding] {
        let path = connection.dataDirectory
        guard let status = Files.status(Files.resolved(path) ?? path) else {
            return [Finding("data", .warn, "\(path) is not there yet", fix: "aos up, or set AOS_DATA_DIR")]
        }
        var findings: [Finding] = []
        if status.ownerID != Program.userID, Program.userID != 0 {
            findings.append(
                Finding("data", .warn, "\(path) belongs to another user", fix: "set AOS_DATA_DIR, or AOS_TOKEN"))
        } else if status.mode & 0o077 != 0 {
            findings.append(
                Finding(
                    "data", .fail, "\(path) can be reached by others (mode \(Self.octal(status.mode)), expected 0700)",
                    fix: "chmod 700 \(ToolSummary.quoted(path))"))
        } else {
            findings.append(Finding("data", .ok, "\(path), mode \(Self.octal(status.mode))"))
        }
        let token = "\(path)/operator.token"
        if let status = Files.status(token) {
            findings.append(
                status.mode & 0o077 != 0
                    ? Finding(
                        "token file", .fail,
                        "\(token) can be read by others (mode \(Self.octal(status.mode)), expected 0600)",
                        fix: "chmod 600 \(ToolSummary.quoted(token))")
                    : Finding("token file", .ok, "mode \(Self.octal(status.mode))"))
        }
        if let free = Files.freeBytes(path) {
            let text = "\(Amounts.bytes(free)) free for the data directory"
            findings.append(
                free < Self.freeBytesMin
                    ? Finding("disk", .fail, text, fix: "free some space: writes are refused when none is left")
                    : Finding(
                        "disk", free < Self.freeBytesWarn ? .warn : .ok, text,
                        fix: free < Self.freeBytesWarn ? "free some space before it runs out" : nil))
        }
        return findings
    }

    /// Really runs a program in a sandbox like the engine's.
    private func sandbox() -> Finding {
        if session.environment["ENGINE_SANDBOX"] == "off" {
            return Finding(
                "sandbox", .warn, "ENGINE_SANDBOX=off: shell steps can do all that their user can do",
                fix: "unset ENGINE_SANDBOX")
        }
        guard Files.exists(Self.bwrap) else {
            return Finding(
                "sandbox", .fail, "bubblewrap is not installed: shell steps are refused", fix: "apt install bubblewrap")
        }
        var options = [
            "bwrap", "--unshare-user", "--unshare-all", "--disable-userns", "--cap-drop", "ALL", "--die-with-parent",
            "--new-session", "--clearenv", "--ro-bind", "/usr", "/usr",
        ]
        for name in ["bin", "sbin", "lib", "lib64", "lib32", "libx32"] {
            switch Files.status("/\(name)")?.kind {
            case .link: options += ["--symlink", "usr/\(name)", "/\(name)"]
            case .folder: options += ["--ro-bind", "/\(name)", "/\(name)"]
            case .file, .other, nil: break
            }
        }
        options += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/usr", "--", "/usr/bin/true"]
        var command = ProcessCommand(Self.bwrap, options, environment: ["PATH": "/usr/bin:/bin", "LANG": "C"])
        command.timeoutMilliseconds = Self.sandboxMilliseconds
        var said: [UInt8] = []
        do throws(SystemError) {
            let end = try session.runner.run(command, stop: StopSignal()) { stream, bytes in
                if stream == .standardError, said.count < 2048 { said += bytes }
            }
            if end.exit == .code(0) {
                return Finding("sandbox", .ok, "bubblewrap runs a program in \(end.durationMilliseconds) ms")
            }
            let complaint = CleanText.lines(String(decoding: said, as: UTF8.self)).first ?? "\(end.exit)"
            let isNamespaces =
                complaint.contains("namespace") || complaint.contains("ermitted") || complaint.contains("uid map")
            return Finding(
                "sandbox", .fail, "bubblewrap does not start: \(complaint)",
                fix: isNamespaces
                    ? "sysctl kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0"
                    : "apt install --reinstall bubblewrap")
        } catch { return Finding("sandbox", .fail, "\(error)", fix: "apt install --reinstall bubblewrap") }
    }

    private static func reason(_ error: any Error) -> String { (error as? Failure)?.what ?? "\(error)" }

    private static func octal(_ mode: UInt32) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
