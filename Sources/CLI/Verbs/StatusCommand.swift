import HTTP
import JSON
import Shared

enum StatusCommand {
    static let all: [Command] = [status]

    private static let countedMax = 200

    static let status = Command(
        "status", "What is going on, at a glance",
        details: """
            Exit 0 when the api serves, 1 when it does not; then it says what `aos up` knows of the reason. What is not as it
            should be stands below, each with a command that shows more or mends it.
            """,
        options: [.json],
        examples: [Example("aos status", "the api, the kill switch, runs, approvals, engines, what is wrong")]
    ) { invocation, session in
        if invocation.has(.json) {
            try session.printAnswer(invocation, Reading(.health))
            return .ok
        }
        let health: Health
        do { health = try session.get(.health) } catch {
            tellOfSupervisor(session)
            throw error
        }
        var facts = Facts()
        facts.add("api", try session.connection().url, .bold)
        facts.add("version", health.version)
        if health.draining { facts.add("state", "draining", .yellow) }
        let isEnforced = health.enforcementMode == .enforce
        facts.add(
            "mode", health.enforcementMode.rawValue,
            shown: isEnforced ? "enforce" : "SHADOW: policy is recorded and not enforced",
            isEnforced ? .plain : .boldYellow)
        facts.add(
            "kill switch", health.killSwitch ? "on" : "off",
            shown: health.killSwitch ? "ON: no external write starts (aos kill status)" : "off",
            health.killSwitch ? .boldRed : .plain)
        for status in [RunStatus.running, .queued, .waiting] {
            let list = try session.get(
                .runs, query: [("status", status.rawValue), ("limit", String(countedMax))])
            let count = "\(list.runs.count)\(list.nextCursor == nil ? "" : "+")"
            facts.add("runs \(status.rawValue)", count, list.runs.isEmpty ? .dim : RunCommands.style(status))
        }
        let approvals = try session.get(.approvals, query: [("status", "pending"), ("limit", String(countedMax))])
        let count = approvals.approvals.count
        let countText = "\(count)\(approvals.nextCursor == nil ? "" : "+")"
        facts.add(
            "approvals", countText, shown: count == 0 ? "none wait" : "\(countText) wait for you: aos approvals",
            count == 0 ? .dim : .boldYellow)
        let engines = try session.get(.engines).engines.filter { $0.status == .active }
        facts.add("engines", String(engines.count), engines.isEmpty ? .yellow : .plain)
        let report = try systemHealth(session)
        if let report {
            let verdict = report.summary.healthSummary
            facts.add("supervisor", supervisor(report))
            facts.add("health", verdict.rawValue, verdict == .ok ? .green : verdict == .down ? .boldRed : .boldYellow)
        }
        session.print(facts)
        for issue in report?.summary.topIssues ?? [] { show(issue, session) }
        return health.ok ? .ok : .failed
    }

    /// What is not as it should be; nil for callers who may not ask.
    static func systemHealth(_ session: Session) throws -> SystemHealth? {
        do { return try session.call(.checkHealth, CheckHealth(schemaVersion: SystemHealth.version)) } catch {
            guard let failure = error as? Failure, failure.exit == .denied || failure.exit == .authentication else {
                throw error
            }
            return nil
        }
    }

    private static func show(_ issue: HealthIssue, _ session: Session) {
        let screen = session.console.output
        guard screen.isTerminal else {
            return session.console.print(
                Table.tabbed(["issue", issue.severity.rawValue, issue.kind.rawValue, issue.summary, issue.action]))
        }
        let style: Style =
            switch issue.severity {
            case .down: .boldRed
            case .degraded: .boldYellow
            case .notice: .dim
            }
        session.console.print(
            "\n" + screen.styled(TextWidth.padded(issue.severity.rawValue.lowercased(), to: 10), style)
                + CleanText.line(issue.summary))
        session.console.print(
            "          \(screen.hasUnicode ? "↳" : "->") " + screen.styled(CleanText.line(issue.action), .bold))
    }

    // MARK: The supervisor

    /// In a few words; nil where nobody looks after this api.
    private static func supervisor(_ report: SystemHealth) -> String? {
        guard let details = report.checks["optional"]?["supervisor"]?["details"], details["supervised"] == true else {
            return nil
        }
        let programs = (details["programs"]?.arrayValue ?? []).compactMap { program -> String? in
            guard let restarts = program["restarts"]?.intValue, restarts > 0 else { return nil }
            let last = program["last_exit"]?.stringValue.map { ", last: \($0)" } ?? ""
            return "\(program["name"]?.stringValue ?? "") restarted \(restarts)x\(last)"
        }
        let words = ["\(details["mode"]?.stringValue ?? ""), \(details["state"]?.stringValue ?? "")"] + programs
        return words.joined(separator: "; ")
    }

    /// Why the api may be gone, as the supervisor of this data directory has written down.
    private static func tellOfSupervisor(_ session: Session) {
        guard let directory = try? session.connection().dataDirectory,
            let (supervision, isThere) = SupervisorFile(directory).read(),
            let finding = SupervisorFile.finding(supervision, isThere: isThere, now: session.now)
        else { return }
        session.console.note("aos status: \(CleanText.line(finding.text))")
    }
}

extension SupervisorFile {
    /// What a person should know of it; nil when a supervisor has ended as it should.
    static func finding(
        _ supervision: Supervision, isThere: Bool, now: Timestamp
    ) -> (text: String, isFatal: Bool)? {
        let since = Amounts.age(supervision.updatedAt, now: now)
        if supervision.state == .fatal {
            return ("`aos up` gave up \(since): \(supervision.reason ?? "no reason was written down")", true)
        }
        guard isThere else { return ("`aos up` (pid \(supervision.pid)) was killed; last heard of \(since)", true) }
        guard supervision.state != .running else { return nil }
        let programs = supervision.programs.filter { $0.state != .running }.map { program in
            let last = program.lastExit.map { " after \($0)" } ?? ""
            let next = program.nextStartAt.map { ", next start \(Amounts.age($0, now: now))" } ?? ""
            return "the \(program.name) is \(program.state.rawValue.replacing("_", with: " "))\(last)\(next)"
        }
        let what = programs.isEmpty ? "" : ": \(programs.joined(separator: "; "))"
        return ("`aos up` is \(supervision.state.rawValue)\(what)", false)
    }
}
