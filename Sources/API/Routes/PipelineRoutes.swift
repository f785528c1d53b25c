import DatabaseCore
import Domain
import HTTP
import HTTPServer
import Projectors
import Shared

struct PipelineRoutes: Sendable {
    let environment: APIEnvironment

    func mount(on routes: inout RouteTable) {
        routes.raw(.pipelineProjection, .operatorOnly, projection)
    }

    @Sendable private func projection(_ context: RequestContext) throws -> Reply {
        let format = try format(context)
        let limit = try context.limit(default: PipelineProjection.itemsMax, max: PipelineProjection.itemsMax)
        let cursor = try cursor(context)
        // One more than is shown tells whether there are more.
        let page = try environment.database.read {
            try PipelineQuery.page(in: context.workspace, after: cursor, limit: limit + 1, $0)
        }
        let shown = page.prefix(limit)
        var stages = PipelineStages { _ in [] }
        for entity in shown {
            guard let place = PipelineRules.place(entity.facts) else { continue }
            var item = entity.item
            if let diagnostic = place.diagnostic { item.diagnostics.append(diagnostic) }
            stages[place.stage].append(item)
        }
        switch format {
        case .flat: return .now(try Answers.json(PipelineProjection(generatedAt: context.now, stages: stages)))
        case .envelope:
            let meta = PipelineEnvelope.Meta(
                workspaceID: context.workspace, generatedAt: context.now, limit: limit,
                nextCursor: page.count > limit ? shown.last?.cursor : nil,
                stageStats: PerStage { PipelineEnvelope.StageStats(returned: stages[$0].count) },
                watermarkEventID: shown.first?.item.lastEventID)
            return .now(try Answers.json(PipelineEnvelope(meta: meta, stages: stages)))
        }
    }

    /// In capitals or not.
    private func format(_ context: RequestContext) throws(Rejection) -> PipelineFormat {
        guard let text = context.query("format") else { return .flat }
        guard let format = PipelineFormat(rawValue: text.lowercased()) else {
            throw .field("format", .invalidField, "format: expected flat or envelope, found '\(text.prefix(100))'")
        }
        return format
    }

    private func cursor(_ context: RequestContext) throws(Rejection) -> PipelineCursor? {
        let time = context.query("cursor_updated_at")
        let type: PipelineEntityType? = try context.choice("cursor_entity_type", .invalidCursor)
        let id = context.query("cursor_entity_id")
        if time == nil, type == nil, id == nil { return nil }
        guard let time, let type, let id else {
            throw Rejection(
                .missingRequiredField,
                "cursor_updated_at, cursor_entity_type and cursor_entity_id belong together: send all three or none")
        }
        guard let time = Timestamp(time) else {
            throw .field(
                "cursor_updated_at", .invalidCursor,
                "cursor_updated_at: expected an RFC 3339 time such as 2026-03-04T05:06:07.089Z")
        }
        return PipelineCursor(updatedAt: time, entityType: type, entityID: id)
    }
}
