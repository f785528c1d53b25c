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
    }

    func record(_ draft: EventDraft) throws { try record([draft]) }

    var monotonicMs: Int64 { environment.clock.monotonicMilliseconds() }

    // MARK: Loading, or 404

    func room(_ id: RoomID, in workspace: WorkspaceID) throws -> Room {
        guard let room = try RoomTable.find(id, in: workspace, transaction) else {
            throw Rejection(.roomNotFound, "no room \(id.rawValue.prefix(100))")
        }
        return room
    }

    func run(_ id: RunID, in workspace: WorkspaceID) throws -> Run {
        guard let run = try RunTable.find(id, in: workspace, transaction) else {
            throw Rejection(.runNotFound, "no run \(id.rawValue.prefix(100))")
        }
        return run
    }

    func step(_ id: StepID, in workspace: WorkspaceID) throws -> (Step, Run) {
        guard let step = try StepTable.find(id, in: workspace, transaction) else {
            throw Rejection(.stepNotFound, "no step \(id.rawValue.prefix(100))")
        }
        return (step, try run(step.runID, in: workspace))
    }

    func toolCall(_ id: ToolCallID, in workspace: WorkspaceID) throws -> (ToolCall, Step, Run) {
        guard let call = try ToolCallTable.find(id, in: workspace, transaction) else {
            throw Rejection(.toolCallNotFound, "no tool call \(id.rawValue.prefix(100))")
        }
        let (step, run) = try step(call.stepID, in: workspace)
        return (call, step, run)
    }

    func approval(_ id: ApprovalID, in workspace: WorkspaceID) throws -> Approval {
        guard let approval = try ApprovalTable.find(id, in: workspace, transaction) else {
            throw Rejection(.approvalNotFound, "no approval \(id.rawValue.prefix(100))")
        }
        return approval
    }
}
