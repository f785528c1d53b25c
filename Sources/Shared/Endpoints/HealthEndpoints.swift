import HTTP
package import JSON

// How the instance is doing, for its operator (`contract/API_HARDENING.md` 15.2, 15.3).

extension Endpoint where Body == CheckHealth, Answer == SystemHealth {
    package static var checkHealth: Self {
        .init(
            .post, "/v1/system/health",
            "Checks database, log, read models, queue, engines and disk, and says what to do about what is wrong.",
            refuses: [.unauthorizedWorkspace], example: CheckHealth(schemaVersion: SystemHealth.version))
    }
}

extension Endpoint where Body == Nothing, Answer == HealthIssueList {
    package static var healthIssues: Self {
        .init(
            .get, "/v1/system/health/issues",
            "What is wrong now; of one kind, the things it is about, newest change first.",
            query: [
                .choice("kind", HealthIssueKind.self, "Only of this kind.", .invalidPayloadCombination),
                .init(
                    "schema_version", .choice(CheckHealth.versions), "The version the caller reads.",
                    refusal: .unsupportedVersion),
                .init("workspace_id", "If given, the caller's own.", refusal: .unauthorizedWorkspace),
                .limit(50, max: 100), .cursor,
            ])
    }
}

/// Whose health, and in which version of the answer.
package struct CheckHealth: Codable, Hashable, Sendable, RuledBody {
    package static let versions = ["2.0", SystemHealth.version]
    package static let rules: [FieldRule] = [
        .choice("schema_version", versions, .unsupportedVersion, missing: .missingRequiredField)
    ]

    package var schemaVersion: String?
    /// If given, the caller's own.
    package var workspaceID: WorkspaceID?

    package init(schemaVersion: String? = nil, workspaceID: WorkspaceID? = nil) {
        (self.schemaVersion, self.workspaceID) = (schemaVersion, workspaceID)
    }
}

/// How the instance is doing, as this workspace sees it.
package struct SystemHealth: Codable, Hashable, Sendable {
    package static let version = "2.1"

    package var schemaVersion: String
    /// Whether it serves at all: it is not DOWN.
    package var ok: Bool
    package var workspaceID: WorkspaceID
    package var serverTime: Timestamp
    package var meta: HealthMeta
    /// By name; what this release does not have is among `optional` with `supported: false`.
    package var checks: JSONObject
    package var summary: HealthSummary

    package init(
        ok: Bool, workspaceID: WorkspaceID, serverTime: Timestamp, checks: JSONObject, summary: HealthSummary
    ) {
        (schemaVersion, meta) = (Self.version, HealthMeta(cached: false))
        (self.ok, self.workspaceID, self.serverTime) = (ok, workspaceID, serverTime)
        (self.checks, self.summary) = (checks, summary)
    }
}

package struct HealthMeta: Codable, Hashable, Sendable {
    /// Always false: every answer is measured anew.
    package var cached: Bool

    package init(cached: Bool) { self.cached = cached }
}

/// The verdict, and what weighs most in it.
package struct HealthSummary: Codable, Hashable, Sendable {
    package var healthSummary: HealthVerdict
    /// Null: this release has no cron heart.
    package var cronFreshnessSec: Int64?
    package var projectionLagSec: Int64
    package var dlqBacklogCount: Int
    package var rateLimitFloodDetected: Bool
    package var activeIncidentsCount: Int
    package var topIssues: [HealthIssue]

    package init(
        healthSummary: HealthVerdict, projectionLagSec: Int64, activeIncidentsCount: Int, topIssues: [HealthIssue]
    ) {
        (self.healthSummary, self.projectionLagSec) = (healthSummary, projectionLagSec)
        (dlqBacklogCount, rateLimitFloodDetected) = (0, false)
        (self.activeIncidentsCount, self.topIssues) = (activeIncidentsCount, topIssues)
    }
}

package enum HealthVerdict: String, CaseIterable, Codable, Sendable {
    case ok = "OK"
    case degraded = "DEGRADED"
    case down = "DOWN"
}

/// How much an issue weighs; a notice is for people and does not count against the verdict.
package enum HealthSeverity: String, CaseIterable, Codable, Sendable {
    case down = "DOWN"
    case degraded = "DEGRADED"
    case notice = "NOTICE"
}

package enum HealthIssueKind: String, CaseIterable, Codable, Sendable {
    case activeIncidents = "active_incidents"
    case approvalsWaiting = "approvals_waiting"
    case commitSlow = "commit_slow"
    case cronStale = "cron_stale"
    case databaseUnavailable = "database_unavailable"
    case diskLow = "disk_low"
    case dlqBacklog = "dlq_backlog"
    case draining
    /// The log contradicts what was signed of it.
    case checkpointRefused = "checkpoint_refused"
    case headFileLagging = "head_file_lagging"
    case killSwitchEngaged = "kill_switch_engaged"
    case leasesOverdue = "leases_overdue"
    case noEngine = "no_engine"
    case projectionLagging = "projection_lagging"
    case projectionWatermarkMissing = "projection_watermark_missing"
    case queueStale = "queue_stale"
    case rateLimitFlood = "rate_limit_flood"
    case supervisorDegraded = "supervisor_degraded"
}

/// Something that is not as it should be, or that waits for somebody.
package struct HealthIssue: Codable, Hashable, Sendable {
    package var kind: HealthIssueKind
    package var severity: HealthSeverity
    /// What it is about: a thing's id, or the workspace.
    package var entityID: String
    package var updatedAt: Timestamp
    package var ageSec: Int64?
    /// Numbers and booleans only.
    package var details: JSONObject
    /// A sentence for people.
    package var summary: String
    /// A command that shows more or mends it.
    package var action: String

    package init(
        _ kind: HealthIssueKind, _ severity: HealthSeverity, of entityID: String, updatedAt: Timestamp,
        ageSec: Int64? = nil, details: JSONObject = [:], summary: String, action: String
    ) {
        (self.kind, self.severity, self.entityID) = (kind, severity, entityID)
        (self.updatedAt, self.ageSec, self.details) = (updatedAt, ageSec, details)
        (self.summary, self.action) = (summary, action)
    }
}

/// Issues, the heaviest first; of one kind, newest change first.
package struct HealthIssueList: PagedAnswer, Codable, Hashable, Sendable {
    package var schemaVersion: String
    package var serverTime: Timestamp
    package var kind: HealthIssueKind?
    package var appliedLimit: Int
    package var truncated: Bool
    package var nextCursor: String?
    package var items: [HealthIssue]

    package init(
        serverTime: Timestamp, kind: HealthIssueKind?, appliedLimit: Int, truncated: Bool, nextCursor: String?,
        items: [HealthIssue]
    ) {
        (schemaVersion, self.serverTime, self.kind) = (SystemHealth.version, serverTime, kind)
        (self.appliedLimit, self.truncated) = (appliedLimit, truncated)
        (self.nextCursor, self.items) = (nextCursor, items)
    }
}
