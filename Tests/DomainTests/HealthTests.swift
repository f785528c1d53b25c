import Domain
import JSON
import Shared
import Testing

@Suite("Health")
struct HealthTests {
    private static let now = World.start

    private func facts(_ change: (inout HealthFacts) -> Void = { _ in }) -> HealthFacts {
        var facts = HealthFacts(workspaceID: World.workspace, now: Self.now, dataDirectory: "/data")
        (facts.diskFreeBytes, facts.lastCommitMicroseconds) = (100 << 30, 3_000)
        change(&facts)
        return facts
    }

    private func ago(_ seconds: Int64) -> Timestamp { Self.now.adding(milliseconds: -seconds * 1000) }

    @Test("of a new instance is OK, and says what it does not have")
    func fresh() {
        let report = HealthAssessor.report(facts())
        #expect((report.summary.healthSummary, report.ok, report.summary.topIssues) == (.ok, true, []))
        for name in ["cron_watchdog", "dlq_backlog", "rate_limit_flood"] {
            #expect(report.checks["optional"]?[name] == ["supported": false, "ok": true, "details": [:]], "\(name)")
        }
        #expect(report.checks["db"]?["ok"] == true)
    }

    /// One thing wrong → the issue, its weight and the verdict.
    @Test(
        "of one thing that is wrong has one issue",
        arguments: [
            ("unreadable", HealthIssueKind.databaseUnavailable, HealthSeverity.down),
            ("unwritable", .databaseUnavailable, .down), ("slow commit", .commitSlow, .degraded),
            ("low disk", .diskLow, .degraded), ("full disk", .diskLow, .down),
            ("unfolded", .projectionLagging, .degraded), ("long unfolded", .projectionLagging, .down),
            ("old head file", .headFileLagging, .degraded), ("overdue lease", .leasesOverdue, .degraded),
            ("no engine", .noEngine, .degraded), ("silent engine", .noEngine, .degraded),
            ("old queue", .queueStale, .degraded), ("incident", .activeIncidents, .degraded),
            ("kill switch", .killSwitchEngaged, .degraded), ("draining", .draining, .degraded),
            ("restarted engine", .supervisorDegraded, .degraded),
            ("approval", .approvalsWaiting, .notice),
        ])
    func oneIssue(_ what: String, _ kind: HealthIssueKind, _ severity: HealthSeverity) throws {
        let facts = facts { facts in
            switch what {
            case "unreadable": facts.isReadable = false
            case "unwritable": facts.isWritable = false
            case "slow commit": facts.lastCommitMicroseconds = HealthAssessor.commitMicrosecondsMax + 1
            case "low disk": facts.diskFreeBytes = HealthAssessor.diskFreeBytesLow - 1
            case "full disk": facts.diskFreeBytes = HealthAssessor.diskFreeBytesMin - 1
            case "unfolded": facts.unfoldedEvents = Backlog(count: 1, since: ago(300))
            case "long unfolded": facts.unfoldedEvents = Backlog(count: 1, since: ago(301))
            case "old head file": facts.unwrittenHeads = Backlog(count: 2, since: ago(31))
            case "overdue lease": facts.overdueLeases = Backlog(count: 1, since: ago(6))
            case "no engine": facts.queuedRuns = Backlog(count: 1, since: ago(1))
            case "silent engine":
                facts.queuedRuns = Backlog(count: 1, since: ago(1))
                (facts.activeEngines, facts.engineSeenAt) = (1, ago(91))
            case "old queue":
                facts.queuedRuns = Backlog(count: 1, since: ago(601))
                (facts.activeEngines, facts.engineSeenAt) = (1, ago(90))
            case "incident": facts.openIncidents = Backlog(count: 3, since: ago(60))
            case "kill switch": (facts.killSwitch.engagedByOperator, facts.killSwitch.changedAt) = (true, ago(60))
            case "draining": facts.isDraining = true
            case "restarted engine":
                var engine = Supervision.Program(name: "engine")
                (engine.state, engine.restarts, engine.recentRestarts) = (.backingOff, 4, 2)
                var supervision = Supervision(
                    mode: .embedded, pid: 1, restartsMax: 5, windowMs: 60_000, programs: [engine], at: ago(60))
                supervision.state = .degraded
                facts.supervision = supervision
            default: facts.waitingApprovals = Backlog(count: 2, since: ago(60))
            }
        }
        let issues = HealthAssessor.issues(facts)
        #expect(issues.map(\.kind) == [kind] && issues.map(\.severity) == [severity])
        let issue = try #require(issues.first)
        #expect(!issue.summary.isEmpty && !issue.action.isEmpty)
        // Numbers and booleans only.
        for (_, value) in issue.details { #expect(value.stringValue == nil && !value.isNull) }
        let report = HealthAssessor.report(facts)
        let verdict: HealthVerdict =
            switch severity {
            case .down: .down
            case .degraded: .degraded
            case .notice: .ok
            }
        #expect(report.summary.healthSummary == verdict)
        #expect(report.ok == (severity != .down))
    }

    @Test("at its bounds is OK")
    func bounds() {
        let facts = facts { facts in
            facts.lastCommitMicroseconds = HealthAssessor.commitMicrosecondsMax
            facts.diskFreeBytes = HealthAssessor.diskFreeBytesLow
            facts.unwrittenHeads = Backlog(count: 9, since: ago(30))
            facts.queuedRuns = Backlog(count: 1, since: ago(600))
            (facts.activeEngines, facts.engineSeenAt) = (1, ago(90))
        }
        #expect(HealthAssessor.issues(facts).isEmpty)
        var silent = self.facts()
        (silent.activeEngines, silent.engineSeenAt) = (1, ago(9_999))
        #expect(HealthAssessor.issues(silent).isEmpty, "an engine that nobody needs may be away")
    }

    @Test("shows the heaviest first, then the oldest, and five at most")
    func order() {
        let report = HealthAssessor.report(
            facts { facts in
                facts.waitingApprovals = Backlog(count: 1, since: ago(9_000))
                facts.openIncidents = Backlog(count: 1, since: ago(10))
                facts.overdueLeases = Backlog(count: 1, since: ago(20))
                facts.isDraining = true
                facts.diskFreeBytes = 0
                (facts.killSwitch.engagedByEnvironment, facts.killSwitch.changedAt) = (true, ago(5))
            })
        #expect(
            report.summary.topIssues.map(\.kind) == [
                .diskLow, .leasesOverdue, .activeIncidents, .killSwitchEngaged, .draining,
            ])
        #expect(report.summary.healthSummary == .down)
        #expect(report.summary.activeIncidentsCount == 1)
    }
}
