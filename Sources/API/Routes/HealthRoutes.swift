import DatabaseCore
import Domain
import HTTP
import HTTPServer
import JSON
import Projectors
import Shared

/// How the instance is doing, for its operator. `GET /health`, which is for anybody, is among the system's routes.
struct HealthRoutes: Sendable {
    let environment: APIEnvironment
    let desk: HealthDesk

    func mount(on routes: inout RouteTable) {
        routes.on(.checkHealth, .operatorOnly, changesNothing: true, check)
        routes.raw(.healthIssues, .operatorOnly, issues)
    }

    @Sendable private func check(_ body: CheckHealth, _ context: RequestContext) throws -> Reply {
        try requireOwn(body.workspaceID, context)
        return desk.run(context) { HealthAssessor.report($0) }
    }

    private func requireOwn(_ workspace: WorkspaceID?, _ context: RequestContext) throws(Rejection) {
        guard let workspace, workspace != context.workspace else { return }
        throw .field(
            "workspace_id", .unauthorizedWorkspace, "workspace_id: expected the caller's own, \(context.workspace)")
    }

    @Sendable private func issues(_ context: RequestContext) throws -> Reply {
        let kind: HealthIssueKind? = try context.choice("kind", .invalidPayloadCombination)
        if let version = context.query("schema_version"), !CheckHealth.versions.contains(version) {
            throw Rejection(
                .unsupportedVersion, "schema_version: expected one of \(CheckHealth.versions.joined(separator: ", "))",
                details: ["field": "schema_version", "allowed": .array(CheckHealth.versions.map { .string($0) })])
        }
        try requireOwn(context.query("workspace_id").map { WorkspaceID($0) }, context)
        let (limit, cursor) = (try context.limit(default: 50, max: 100), try context.cursor())
        return desk.run(context) { facts in
            let found = HealthAssessor.issues(facts).filter { kind == nil || $0.kind == kind }
            let things = try kind.flatMap { try self.things($0, facts, after: cursor, limit: limit + 1) }
            // Things go on where the cursor says; the issues of the instance are few and come at once.
            let items = things ?? (cursor == nil ? found : [])
            let page = Array(items.prefix(limit))
            let isCut = items.count > limit
            return HealthIssueList(
                serverTime: facts.now, kind: kind, appliedLimit: limit, truncated: isCut,
                nextCursor: isCut && things != nil
                    ? page.last.map { ListCursor(time: $0.updatedAt, id: $0.entityID).text } : nil,
                items: page)
        }
    }

    /// What issues of the kind are about, newest change first; nil for a kind that is about the instance.
    private func things(
        _ kind: HealthIssueKind, _ facts: HealthFacts, after cursor: ListCursor?, limit: Int
    ) throws -> [HealthIssue]? {
        let workspace = facts.workspaceID
        return try environment.database.read { transaction in
            switch kind {
            case .activeIncidents:
                var filter = IncidentTable.Filter()
                filter.status = .open
                return try IncidentTable.list(in: workspace, filter, after: cursor, limit: limit, transaction)
                    .map { HealthAssessor.issue(of: $0, facts) }
            case .approvalsWaiting:
                return try ApprovalTable.listWaiting(in: workspace, after: cursor, limit: limit, transaction)
                    .map { HealthAssessor.issue(of: $0, facts) }
            case .queueStale:
                var filter = RunTable.Filter()
                filter.status = .queued
                filter.unchangedSince = facts.now.adding(milliseconds: -HealthAssessor.queuedSecondsMax * 1000)
                return try RunTable.list(in: workspace, filter, after: cursor, limit: limit, transaction)
                    .map { HealthAssessor.issue(of: $0, facts) }
            case .checkpointRefused, .commitSlow, .cronStale, .databaseUnavailable, .diskLow, .dlqBacklog, .draining,
                .headFileLagging,
                .killSwitchEngaged, .leasesOverdue, .noEngine, .projectionLagging, .projectionWatermarkMissing,
                .rateLimitFlood, .supervisorDegraded:
                return nil
            }
        }
    }
}
