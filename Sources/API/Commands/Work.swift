import DatabaseCore
import Domain
import EventStore
import Platform
import Projectors
import Shared

/// One command inside its transaction: what it may ask, and where it records what it decided.
///
/// Deciding comes before the first ``record(_:)``, so that a refusal leaves nothing behind.
final class Work {
    let transaction: any WriteTransaction
    let environment: APIEnvironment
    let now: Timestamp
    private(set) var recorded: [Recorded<DomainEvent>] = []

    init(_ transaction: any WriteTransaction, _ environment: APIEnvironment, now: Timestamp) {
        (self.transaction, self.environment, self.now) = (transaction, environment, now)
    }

    /// Appends the events and folds them into the read models.
    func record(_ drafts: [EventDraft]) throws {
        guard !drafts.isEmpty else { return }
        let recorded = try environment.eventLog.append(drafts, at: now, in: transaction)
        try ProjectorCatalogue.project(recorded, in: transaction)
        self.recorded += recorded
        try learn(from: drafts, recorded)
    }

    func record(_ draft: EventDraft) throws { try record([draft]) }

    var monotonicMs: Int64 { environment.clock.monotonicMilliseconds() }

    // MARK: Loading, or 404

    func room(_ id: RoomID, in workspace: WorkspaceID) throws -> Room { try found(id, in: workspace, transaction) }

    func run(_ id: RunID, in workspace: WorkspaceID) throws -> Run { try found(id, in: workspace, transaction) }

    func step(_ id: StepID, in workspace: WorkspaceID) throws -> (Step, Run) {
        let step = try found(id, in: workspace, transaction)
        return (step, try run(step.runID, in: workspace))
    }

    func toolCall(_ id: ToolCallID, in workspace: WorkspaceID) throws -> (ToolCall, Step, Run) {
        let call = try found(id, in: workspace, transaction)
        let (step, run) = try step(call.stepID, in: workspace)
        return (call, step, run)
    }

    func approval(_ id: ApprovalID, in workspace: WorkspaceID) throws -> Approval {
        try found(id, in: workspace, transaction)
    }
}
