import HTTP

// The pipeline: all work by the stage it has come to.

extension Endpoint where Body == Nothing, Answer == PipelineProjection {
    package static var pipelineProjection: Self {
        .init(
            .get, "/v1/pipeline/projection",
            """
            All work by its stage, latest change first. With `format=envelope` the answer is \
            `{"meta": …, "stages": …}` and says where it goes on.
            """,
            query: [
                .limit(PipelineProjection.itemsMax, max: PipelineProjection.itemsMax),
                .choice("format", PipelineFormat.self, "The shape of the answer; flat if not given."),
                QueryParameter(
                    "cursor_updated_at", .time, "From the `next_cursor` of an earlier answer, with the other two.",
                    refusal: .invalidCursor),
                .choice(
                    "cursor_entity_type", PipelineEntityType.self, "From the same `next_cursor`.", .invalidCursor),
                QueryParameter("cursor_entity_id", "From the same `next_cursor`.", refusal: .invalidCursor),
            ], alternatives: [PipelineEnvelope.self], refuses: [.missingRequiredField],
            notes: """
                `meta` has `schema_version`, `workspace_id`, `generated_at`, `limit`, `truncated`, `next_cursor` (`updated_at`, \
                `entity_type`, `entity_id`, or null), `stage_stats` and `watermark_event_id`. A page may show fewer items than its \
                limit and still go on: work of closed experiments is left out. An open incident, a failed or cancelled run or a \
                failed scorecard puts an item into `6_demoted`; a passed one with its evidence into `5_promoted`; a run that \
                succeeded without into `4_review_evidence`; one that is queued, runs or waits into `3_execute_workspace`, or \
                into `2_pending_approval` where an approval is what it waits for; all else is in `1_inbox`.
                """)
    }
}

package enum PipelineFormat: String, CaseIterable, Sendable { case flat, envelope }

/// One value for each stage, on the wire in their order.
package struct PerStage<Value: Codable & Hashable & Sendable>: Codable, Hashable, Sendable {
    private var values: [PipelineStage: Value] = [:]

    package init(_ value: (PipelineStage) -> Value) {
        for stage in PipelineStage.allCases { values[stage] = value(stage) }
    }

    package subscript(_ stage: PipelineStage) -> Value {
        get { values[stage]! }
        set { values[stage] = newValue }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: PipelineStage.self)
        for stage in PipelineStage.allCases { values[stage] = try container.decode(Value.self, forKey: stage) }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: PipelineStage.self)
        for stage in PipelineStage.allCases { try container.encode(self[stage], forKey: stage) }
    }
}

package typealias PipelineStages = PerStage<[PipelineItem]>

/// The flat answer: the six stages beside version and time.
package struct PipelineProjection: Codable, Hashable, Sendable {
    package static let schemaVersion = "2.1"
    /// How many entities are looked at for one answer.
    package static let itemsMax = 200

    package var schemaVersion: String
    package var generatedAt: Timestamp
    package var stages: PipelineStages

    package init(generatedAt: Timestamp, stages: PipelineStages) {
        (schemaVersion, self.generatedAt, self.stages) = (Self.schemaVersion, generatedAt, stages)
    }

    private enum CodingKeys: String, CodingKey { case schemaVersion, generatedAt }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        schemaVersion = try container.decode(String.self, forKey: .schemaVersion)
        generatedAt = try container.decode(Timestamp.self, forKey: .generatedAt)
        stages = try PipelineStages(from: decoder)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(schemaVersion, forKey: .schemaVersion)
        try container.encode(generatedAt, forKey: .generatedAt)
        try stages.encode(to: encoder)
    }
}

/// The same with what a reader of pages needs.
package struct PipelineEnvelope: Codable, Hashable, Sendable {
    package var meta: Meta
    package var stages: PipelineStages

    package init(meta: Meta, stages: PipelineStages) { (self.meta, self.stages) = (meta, stages) }

    package struct Meta: Codable, Hashable, Sendable {
        package var schemaVersion: String
        package var workspaceID: WorkspaceID
        package var generatedAt: Timestamp
        /// How many entities the page may hold. Those of closed experiments count and are not shown.
        package var limit: Int
        /// Whether there are more entities.
        package var truncated: Bool
        package var nextCursor: PipelineCursor?
        package var stageStats: PerStage<StageStats>
        /// The last event of the entity that changed latest on this page.
        package var watermarkEventID: EventID?

        package init(
            workspaceID: WorkspaceID, generatedAt: Timestamp, limit: Int, nextCursor: PipelineCursor?,
            stageStats: PerStage<StageStats>, watermarkEventID: EventID?
        ) {
            (schemaVersion, self.workspaceID) = (PipelineProjection.schemaVersion, workspaceID)
            (self.generatedAt, self.limit, truncated) = (generatedAt, limit, nextCursor != nil)
            (self.nextCursor, self.stageStats, self.watermarkEventID) = (nextCursor, stageStats, watermarkEventID)
        }
    }

    package struct StageStats: Codable, Hashable, Sendable {
        package var returned: Int
        /// Always false: a page is cut over all stages, never within one.
        package var truncated: Bool

        package init(returned: Int) { (self.returned, truncated) = (returned, false) }
    }
}
