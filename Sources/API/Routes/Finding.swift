import DatabaseCore
import Projectors
import Shared

// Loading, or 404. What is in another workspace and what is nowhere get the same answer.

func found(_ id: ApprovalID, in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> Approval {
    try ApprovalTable.find(id, in: workspace, transaction) ?? missing(.approvalNotFound, "approval", id)
}

func found(_ id: ArtifactID, in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> Artifact {
    try ArtifactTable.find(id, in: workspace, transaction) ?? missing(.artifactNotFound, "artifact", id)
}

func found(_ id: EvidenceID, in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> Evidence {
    try EvidenceTable.find(id, in: workspace, transaction) ?? missing(.evidenceNotFound, "evidence", id)
}

func found(_ id: ExperimentID, in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> Experiment {
    try ExperimentTable.find(id, in: workspace, transaction) ?? missing(.experimentNotFound, "experiment", id)
}

func found(_ id: IncidentID, in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> Incident {
    try IncidentTable.find(id, in: workspace, transaction) ?? missing(.incidentNotFound, "incident", id)
}

func found(_ id: LessonID, in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> Lesson {
    try LessonTable.find(id, in: workspace, transaction) ?? missing(.lessonNotFound, "lesson", id)
}

func found(_ id: MessageID, in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> Message {
    try MessageTable.find(id, in: workspace, transaction) ?? missing(.messageNotFound, "message", id)
}

func found(_ id: RoomID, in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> Room {
    try RoomTable.find(id, in: workspace, transaction) ?? missing(.roomNotFound, "room", id)
}

func found(_ id: RunID, in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> Run {
    try RunTable.find(id, in: workspace, transaction) ?? missing(.runNotFound, "run", id)
}

func found(_ id: ScorecardID, in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> Scorecard {
    try ScorecardTable.find(id, in: workspace, transaction) ?? missing(.scorecardNotFound, "scorecard", id)
}

func found(_ id: StepID, in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> Step {
    try StepTable.find(id, in: workspace, transaction) ?? missing(.stepNotFound, "step", id)
}

func found(_ id: ThreadID, in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> RoomThread {
    try ThreadTable.find(id, in: workspace, transaction) ?? missing(.threadNotFound, "thread", id)
}

func found(_ id: ToolCallID, in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> ToolCall {
    try ToolCallTable.find(id, in: workspace, transaction) ?? missing(.toolCallNotFound, "tool call", id)
}

private func missing<Kind, Record>(_ reason: ReasonCode, _ what: String, _ id: Identifier<Kind>) throws -> Record {
    throw Rejection(reason, "no \(what) \(id.rawValue.prefix(100))")
}
