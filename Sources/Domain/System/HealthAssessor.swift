import JSON
package import Shared

/// How many of something there are, and since when the oldest.
package struct Backlog: Hashable, Sendable {
    package var count: Int
    package var since: Timestamp?

    package init(count: Int = 0, since: Timestamp? = nil) { (self.count, self.since) = (count, since) }
}

/// What was measured, without any verdict.
package struct HealthFacts: Sendable {
    package var workspaceID: WorkspaceID
    package var now: Timestamp
    package var dataDirectory: String
    // The instance.
    package var isReadable = true
    package var isWritable = true
    package var lastCommitMicroseconds: Int64?
    package var headGlobalSeq: Int64 = 0
    /// Events that are in the log and not in the head file.
    package var unwrittenHeads = Backlog()
    /// Why the log is not signed any more.
    package var checkpointRefusal: String?
    /// Events of the log's end that the read models do not show.
    package var unfoldedEvents = Backlog()
    package var diskFreeBytes: Int64?
    package var killSwitch = KillSwitch()
    package var isDraining = false
    /// What looks after this api, where something does.
    package var supervision: Supervision?
    // The workspace.
    package var queuedRuns = Backlog()
    package var overdueLeases = Backlog()
    package var waitingApprovals = Backlog()
    package var openIncidents = Backlog()
    package var activeEngines = 0
    package var engineSeenAt: Timestamp?

    package init(workspaceID: WorkspaceID, now: Timestamp, dataDirectory: String) {
        (self.workspaceID, self.now, self.dataDirectory) = (workspaceID, now, dataDirectory)
    }

    /// Whole seconds from then to now, never less than none.
    package func seconds(since then: Timestamp?) -> Int64? {
        then.map { max(0, (now.milliseconds - $0.milliseconds) / 1000) }
    }
}

/// Says what of the facts is wrong, how much, and what to do about it. Pure.
package enum HealthAssessor {
    package static let topIssuesMax = 5
    /// A commit takes some milliseconds; a disk that needs longer than this holds everybody up.
    package static let commitMicrosecondsMax: Int64 = 1_000_000
    /// The head file is written once a second.
    package static let headFileLagSecondsMax: Int64 = 30
    /// From the surface: read models that are further behind are of no use (`contract/API_HARDENING.md` 15.2).
    package static let projectionLagSecondsMax: Int64 = 300
    /// An engine claims or heartbeats at least every half minute.
    package static let engineSilenceSecondsMax: Int64 = 90
    /// From the surface: the sweep for runs that are stuck (`CRON_RUN_STUCK_TIMEOUT_MS`).
    package static let queuedSecondsMax: Int64 = 600
    package static let diskFreeBytesLow: Int64 = 1 << 30
    package static let diskFreeBytesMin: Int64 = 64 << 20

    package static func verdict(_ issues: [HealthIssue]) -> HealthVerdict {
        if issues.contains(where: { $0.severity == .down }) { return .down }
        return issues.contains { $0.severity == .degraded } ? .degraded : .ok
    }

    /// The heaviest first, among those the oldest, then by kind.
    package static func issues(_ facts: HealthFacts) -> [HealthIssue] {
        guard facts.isReadable else { return [unreadable(facts)] }
        let found = [
            unwritable(facts), slowCommit(facts), disk(facts), projections(facts), headFile(facts),
            checkpoints(facts), leases(facts), noEngine(facts), queue(facts), incidents(facts), killSwitch(facts),
            draining(facts), supervisor(facts), approvals(facts),
        ].compactMap(\.self)
        func rank(_ issue: HealthIssue) -> (Int, Int64, String) {
            (HealthSeverity.allCases.firstIndex(of: issue.severity)!, -(issue.ageSec ?? -1), issue.kind.rawValue)
        }
        return found.sorted { rank($0) < rank($1) }
    }

    // MARK: The instance

    private static func unreadable(_ facts: HealthFacts) -> HealthIssue {
        issue(
            .databaseUnavailable, .down, facts, details: ["readable": false, "writable": .bool(facts.isWritable)],
            "The database cannot be read: the api's log says why.", "aos doctor")
    }

    private static func unwritable(_ facts: HealthFacts) -> HealthIssue? {
        guard !facts.isWritable else { return nil }
        return issue(
            .databaseUnavailable, .down, facts, details: ["readable": true, "writable": false],
            "Nothing can be written to the database in time: see whether the disk is full or failing.", "aos doctor")
    }

    private static func slowCommit(_ facts: HealthFacts) -> HealthIssue? {
        guard let last = facts.lastCommitMicroseconds, last > commitMicrosecondsMax else { return nil }
        return issue(
            .commitSlow, .degraded, facts, details: ["last_commit_ms": .integer(last / 1000)],
            "The last commit took \(last / 1000) ms, expected at most \(commitMicrosecondsMax / 1000): the disk is slow.",
            "aos doctor")
    }

    private static func disk(_ facts: HealthFacts) -> HealthIssue? {
        guard let free = facts.diskFreeBytes, free < diskFreeBytesLow else { return nil }
        let megabytes = free >> 20
        return issue(
            .diskLow, free < diskFreeBytesMin ? .down : .degraded, facts,
            details: ["free_bytes": .integer(free), "low_bytes": .integer(diskFreeBytesLow)],
            "Only \(megabytes) MiB are free where the data is: make room before writing stops.",
            "df -h '\(facts.dataDirectory)'")
    }

    private static func projections(_ facts: HealthFacts) -> HealthIssue? {
        guard facts.unfoldedEvents.count > 0 else { return nil }
        let age = facts.seconds(since: facts.unfoldedEvents.since) ?? 0
        return issue(
            .projectionLagging, age > projectionLagSecondsMax ? .down : .degraded, facts,
            since: facts.unfoldedEvents.since,
            details: ["unfolded_events": .integer(Int64(facts.unfoldedEvents.count)), "lag_sec": .integer(age)],
            "The read models do not show the newest events; compare them with the log.",
            "aos projections rebuild --check")
    }

    private static func headFile(_ facts: HealthFacts) -> HealthIssue? {
        guard let age = facts.seconds(since: facts.unwrittenHeads.since), age > headFileLagSecondsMax else {
            return nil
        }
        return issue(
            .headFileLagging, .degraded, facts, since: facts.unwrittenHeads.since,
            details: ["unwritten_events": .integer(Int64(facts.unwrittenHeads.count))],
            "The head file has not been written for \(age) s, so a cut tail of the log would go unnoticed.",
            "aos verify")
    }

    private static func checkpoints(_ facts: HealthFacts) -> HealthIssue? {
        guard let why = facts.checkpointRefusal else { return nil }
        return issue(
            .checkpointRefused, .down, facts, details: ["reason": .string(why)],
            "The log contradicts what was signed of it and is not signed any more: \(why).", "aos verify")
    }

    private static func killSwitch(_ facts: HealthFacts) -> HealthIssue? {
        guard facts.killSwitch.isEngaged else { return nil }
        return issue(
            .killSwitchEngaged, .degraded, facts, since: facts.killSwitch.changedAt,
            details: [
                "by_operator": .bool(facts.killSwitch.engagedByOperator),
                "by_environment": .bool(facts.killSwitch.engagedByEnvironment),
            ], "The kill switch is on: no external write starts.",
            facts.killSwitch.engagedByEnvironment ? "aos kill status" : "aos kill off")
    }

    private static func draining(_ facts: HealthFacts) -> HealthIssue? {
        guard facts.isDraining else { return nil }
        return issue(.draining, .degraded, facts, "The api is stopping: no run is handed out any more.", "aos status")
    }

    private static func supervisor(_ facts: HealthFacts) -> HealthIssue? {
        guard let supervision = facts.supervision, supervision.state == .degraded else { return nil }
        let unsteady = supervision.programs.filter { $0.recentRestarts > 0 || $0.state == .backingOff }
        let words = unsteady.map { program in
            "the \(program.name) was started again \(program.recentRestarts == 1 ? "once" : "\(program.recentRestarts) times") within"
                + " \(supervision.windowMs / 1000) s (last: \(program.lastExit ?? "unknown"))"
        }
        return issue(
            .supervisorDegraded, .degraded, facts, since: unsteady.compactMap(\.lastExitAt).max(),
            details: [
                "recent_restarts": .integer(Int64(unsteady.map(\.recentRestarts).max() ?? 0)),
                "restarts_max": .integer(Int64(supervision.restartsMax)),
                "backing_off": .bool(unsteady.contains { $0.state == .backingOff }),
            ], words.joined(separator: "; ") + ": look at what it says on standard error.", "aos status")
    }

    // MARK: The workspace

    private static func leases(_ facts: HealthFacts) -> HealthIssue? {
        guard facts.overdueLeases.count > 0 else { return nil }
        return issue(
            .leasesOverdue, .degraded, facts, since: facts.overdueLeases.since,
            details: ["count": .integer(Int64(facts.overdueLeases.count))],
            "\(facts.overdueLeases.count) run(s) are held by leases that ran out and were not ended.",
            "aos run list --status running")
    }

    private static func noEngine(_ facts: HealthFacts) -> HealthIssue? {
        guard facts.queuedRuns.count > 0 else { return nil }
        let silence = facts.seconds(since: facts.engineSeenAt)
        guard (silence ?? .max) > engineSilenceSecondsMax else { return nil }
        let engines =
            facts.activeEngines == 0 ? "No engine is known" : "No engine was heard of for \(silence ?? 0) s"
        return issue(
            .noEngine, .degraded, facts, since: facts.engineSeenAt ?? facts.queuedRuns.since,
            details: [
                "queued_runs": .integer(Int64(facts.queuedRuns.count)),
                "active_engines": .integer(Int64(facts.activeEngines)),
            ], "\(engines), and \(facts.queuedRuns.count) run(s) are queued: start one.", "aos engine list")
    }

    private static func queue(_ facts: HealthFacts) -> HealthIssue? {
        guard let age = facts.seconds(since: facts.queuedRuns.since), age > queuedSecondsMax else { return nil }
        return issue(
            .queueStale, .degraded, facts, since: facts.queuedRuns.since,
            details: ["queued_runs": .integer(Int64(facts.queuedRuns.count)), "oldest_sec": .integer(age)],
            "\(facts.queuedRuns.count) run(s) are queued, the oldest for \(age / 60) min.",
            "aos run list --status queued")
    }

    private static func incidents(_ facts: HealthFacts) -> HealthIssue? {
        guard facts.openIncidents.count > 0 else { return nil }
        return issue(
            .activeIncidents, .degraded, facts, since: facts.openIncidents.since,
            details: ["active_incidents_count": .integer(Int64(facts.openIncidents.count))],
            "\(facts.openIncidents.count) incident(s) are open: each wants a root cause and a learning.",
            "aos incidents --status open")
    }

    private static func approvals(_ facts: HealthFacts) -> HealthIssue? {
        guard facts.waitingApprovals.count > 0 else { return nil }
        return issue(
            .approvalsWaiting, .notice, facts, since: facts.waitingApprovals.since,
            details: ["count": .integer(Int64(facts.waitingApprovals.count))],
            "\(facts.waitingApprovals.count) approval(s) wait for your decision.", "aos approvals")
    }

    private static func issue(
        _ kind: HealthIssueKind, _ severity: HealthSeverity, _ facts: HealthFacts, since: Timestamp? = nil,
        details: JSONObject = [:], _ summary: String, _ action: String
    ) -> HealthIssue {
        HealthIssue(
            kind, severity, of: facts.workspaceID.rawValue, updatedAt: facts.now, ageSec: facts.seconds(since: since),
            details: details, summary: summary, action: action)
    }

    // MARK: One thing

    package static func issue(of incident: Incident, _ facts: HealthFacts) -> HealthIssue {
        HealthIssue(
            .activeIncidents, .degraded, of: incident.incidentID.rawValue, updatedAt: incident.updatedAt,
            ageSec: facts.seconds(since: incident.createdAt),
            details: [
                "has_rca": .bool(incident.rcaUpdatedAt != nil),
                "learning_count": .integer(Int64(incident.learningCount)),
            ], summary: incident.title,
            action: "aos incident view \(incident.incidentID)")
    }

    package static func issue(of approval: Approval, _ facts: HealthFacts) -> HealthIssue {
        HealthIssue(
            .approvalsWaiting, .notice, of: approval.approvalID.rawValue, updatedAt: approval.updatedAt,
            ageSec: facts.seconds(since: approval.createdAt), details: ["held": .bool(approval.status == .held)],
            summary: approval.title ?? approval.action, action: "aos approve \(approval.approvalID)")
    }

    package static func issue(of run: Run, _ facts: HealthFacts) -> HealthIssue {
        HealthIssue(
            .queueStale, .degraded, of: run.runID.rawValue, updatedAt: run.updatedAt,
            ageSec: facts.seconds(since: run.updatedAt), details: ["attempt_no": .integer(Int64(run.attemptNo))],
            summary: run.title ?? "A run without a title", action: "aos why \(run.runID)")
    }

    // MARK: The answer

    package static func report(_ facts: HealthFacts) -> SystemHealth {
        let issues = issues(facts)
        let verdict = verdict(issues)
        let summary = HealthSummary(
            healthSummary: verdict, projectionLagSec: facts.seconds(since: facts.unfoldedEvents.since) ?? 0,
            activeIncidentsCount: facts.openIncidents.count, topIssues: Array(issues.prefix(topIssuesMax)))
        return SystemHealth(
            ok: verdict != .down, workspaceID: facts.workspaceID, serverTime: facts.now,
            checks: checks(facts, Set(issues.map(\.kind))), summary: summary)
    }

    private static func checks(_ facts: HealthFacts, _ wrong: Set<HealthIssueKind>) -> JSONObject {
        let isReadable = facts.isReadable
        func check(_ kind: HealthIssueKind, _ details: JSONObject) -> JSONValue {
            ["supported": true, "ok": .bool(isReadable && !wrong.contains(kind)), "details": .object(details)]
        }
        func count(_ backlog: Backlog) -> JSONObject {
            [
                "count": .integer(Int64(backlog.count)),
                "oldest_sec": facts.seconds(since: backlog.since).map { .integer($0) } ?? .null,
            ]
        }
        let missing: JSONValue = ["supported": false, "ok": true, "details": [:]]
        // Tables and indexes are made by the migrations before the api listens: they are there if it can read.
        return [
            "db": [
                "ok": .bool(isReadable && facts.isWritable && !wrong.contains(.commitSlow)),
                "writable": .bool(facts.isWritable),
                "last_commit_ms": facts.lastCommitMicroseconds.map { .integer($0 / 1000) } ?? .null,
            ],
            "kernel_schema_versions": [
                "ok": .bool(isReadable), "has_rows": .bool(isReadable),
                "current_version": .string(SystemHealth.version),
            ],
            "evt_events": [
                "ok": .bool(isReadable), "required_columns_present": .bool(isReadable), "missing_columns": [],
                "head_global_seq": .integer(facts.headGlobalSeq),
            ],
            "evt_events_idempotency": ["ok": .bool(isReadable), "index_name": "evt_events_by_idempotency_key"],
            "optional": [
                "active_incidents": check(.activeIncidents, count(facts.openIncidents)),
                "approvals": check(.approvalsWaiting, count(facts.waitingApprovals)),
                "cron_watchdog": missing,
                "disk": check(.diskLow, ["free_bytes": facts.diskFreeBytes.map { .integer($0) } ?? .null]),
                "dlq_backlog": missing,
                "draining": check(.draining, ["draining": .bool(facts.isDraining)]),
                "engines": check(
                    .noEngine,
                    [
                        "active": .integer(Int64(facts.activeEngines)),
                        "last_seen_sec": facts.seconds(since: facts.engineSeenAt).map { .integer($0) } ?? .null,
                    ]),
                "head_file": check(.headFileLagging, count(facts.unwrittenHeads)),
                "kill_switch": check(.killSwitchEngaged, ["engaged": .bool(facts.killSwitch.isEngaged)]),
                "leases": check(.leasesOverdue, count(facts.overdueLeases)),
                "projection_lag": check(.projectionLagging, count(facts.unfoldedEvents)),
                "queue": check(.queueStale, count(facts.queuedRuns)),
                "rate_limit_flood": missing,
                "supervisor": check(.supervisorDegraded, supervised(facts.supervision)),
            ],
        ]
    }

    private static func supervised(_ supervision: Supervision?) -> JSONObject {
        guard let supervision else { return ["supervised": false] }
        return [
            "supervised": true, "mode": .string(supervision.mode.rawValue),
            "state": .string(supervision.state.rawValue),
            "restarts_max": .integer(Int64(supervision.restartsMax)), "window_ms": .integer(supervision.windowMs),
            "programs": .array(
                supervision.programs.map { program in
                    [
                        "name": .string(program.name), "state": .string(program.state.rawValue),
                        "restarts": .integer(Int64(program.restarts)),
                        "recent_restarts": .integer(Int64(program.recentRestarts)),
                        "last_exit": program.lastExit.map { .string($0) } ?? .null,
                        "last_exit_at": program.lastExitAt.map { .string($0.description) } ?? .null,
                        "next_start_at": program.nextStartAt.map { .string($0.description) } ?? .null,
                    ]
                }),
        ]
    }
}
