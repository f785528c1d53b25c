import JSON

/// Where a piece of work stands. The names sort in the order of the work.
package enum PipelineStage: String, CaseIterable, Codable, CodingKey, Sendable {
    case inbox = "1_inbox"
    case pendingApproval = "2_pending_approval"
    case executeWorkspace = "3_execute_workspace"
    case reviewEvidence = "4_review_evidence"
    case promoted = "5_promoted"
    case demoted = "6_demoted"
}

/// Why an item stands where one would not look for it.
package enum PipelineDiagnostic: String, CaseIterable, Codable, Sendable {
    /// The run was cancelled, not found wanting.
    case cancelled
    /// A scorecard passes, but what it judges is not the succeeded run and its evidence.
    case ghostEvidenceOrMismatch = "ghost_evidence_or_mismatch"
    case missingData = "missing_data"
    /// No rule knows this combination of facts.
    case unmatchedState = "unmatched_state"
}

/// What an item of the pipeline is.
package enum PipelineEntityType: String, CaseIterable, Codable, Sendable { case approval, experiment, run, scorecard }

/// What an item has to do with.
package struct PipelineLinks: Hashable, Sendable, Codable {
    package var experimentID: ExperimentID?
    package var approvalID: ApprovalID?
    package var runID: RunID?
    package var evidenceID: EvidenceID?
    package var scorecardID: ScorecardID?
    package var incidentID: IncidentID?

    package init() {}
}

/// An experiment, a run, an open approval, or a scorecard of neither, as the pipeline shows it.
package struct PipelineItem: Hashable, Sendable {
    package var entityType: PipelineEntityType
    package var entityID: String
    package var title: String
    /// The entity's own: that of the run, the experiment, the approval; the decision of a scorecard.
    package var status: String
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var correlationID: String
    /// When something last happened to it or to what its stage follows from.
    package var updatedAt: Timestamp
    package var lastEventID: EventID?
    package var links: PipelineLinks
    package var diagnostics: [PipelineDiagnostic]

    package init(
        _ entityType: PipelineEntityType, _ entityID: String, title: String, status: String, correlationID: String,
        updatedAt: Timestamp
    ) {
        (self.entityType, self.entityID, self.title, self.status) = (entityType, entityID, title, status)
        (self.correlationID, self.updatedAt, links, diagnostics) = (correlationID, updatedAt, PipelineLinks(), [])
    }
}

extension PipelineItem: Codable, SparselyWritten {
    private enum CodingKeys: String, CodingKey {
        case entityType, entityID, title, status, roomID, threadID, correlationID, updatedAt, lastEventID, links
        case diagnostics
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            try container.decode(PipelineEntityType.self, forKey: .entityType),
            try container.decode(String.self, forKey: .entityID),
            title: try container.decode(String.self, forKey: .title),
            status: try container.decode(String.self, forKey: .status),
            correlationID: try container.decode(String.self, forKey: .correlationID),
            updatedAt: try container.decode(Timestamp.self, forKey: .updatedAt))
        roomID = try container.decodeIfPresent(RoomID.self, forKey: .roomID)
        threadID = try container.decodeIfPresent(ThreadID.self, forKey: .threadID)
        lastEventID = try container.decodeIfPresent(EventID.self, forKey: .lastEventID)
        links = try container.decode(PipelineLinks.self, forKey: .links)
        diagnostics = try container.decodeIfPresent([PipelineDiagnostic].self, forKey: .diagnostics) ?? []
    }

    /// `diagnostics` is there only when there are any.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(entityType, forKey: .entityType)
        try container.encode(entityID, forKey: .entityID)
        try container.encode(title, forKey: .title)
        try container.encode(status, forKey: .status)
        try container.encodeIfPresent(roomID, forKey: .roomID)
        try container.encodeIfPresent(threadID, forKey: .threadID)
        try container.encode(correlationID, forKey: .correlationID)
        try container.encode(updatedAt, forKey: .updatedAt)
        try container.encodeIfPresent(lastEventID, forKey: .lastEventID)
        try container.encode(links, forKey: .links)
        if !diagnostics.isEmpty { try container.encode(diagnostics, forKey: .diagnostics) }
    }
}

/// The place of an entity in the pipeline's order: latest change first, then by type, then by identifier.
package struct PipelineCursor: Hashable, Sendable, Codable {
    package var updatedAt: Timestamp
    package var entityType: PipelineEntityType
    package var entityID: String

    package init(updatedAt: Timestamp, entityType: PipelineEntityType, entityID: String) {
        (self.updatedAt, self.entityType, self.entityID) = (updatedAt, entityType, entityID)
    }
}
