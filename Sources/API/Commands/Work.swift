import DatabaseCore
import Domain
import EventStore
import HTTP
import JSON
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
    /// The trace of the request that the command serves; its id goes into the events.
    private let trace: TraceContext?
    private(set) var recorded: [Recorded<DomainEvent>] = []

    init(
        _ transaction: any WriteTransaction, _ environment: APIEnvironment, now: Timestamp, trace: TraceContext? = nil
    ) {
        (self.transaction, self.environment, self.now, self.trace) = (transaction, environment, now, trace)
    }

    /// Appends the events and folds them into the read models. What the end of a run brings with it is recorded here
    /// too, so that no way of ending one can forget it.
    func record(_ drafts: [EventDraft]) throws {
        guard !drafts.isEmpty else { return }
        let recorded = try environment.eventLog.append(drafts.map(traced), at: now, in: transaction)
        try ProjectorCatalogue.project(recorded, in: transaction)
        self.recorded += recorded
        for event in recorded {
            if case .run(let ended) = event.event, ended.endsRun { try concludeRun(event.with(ended)) }
        }
        try learn(from: drafts, recorded)
    }

    func record(_ draft: EventDraft) throws { try record([draft]) }

    /// The trace stands beside the verdict: in the context, which the payload's digest covers and no fold reads.
    private func traced(_ draft: EventDraft) -> EventDraft {
        guard let trace else { return draft }
        var draft = draft
        draft.policyContext["trace"] = ["trace_id": .string(trace.traceID), "parent_id": .string(trace.parentID)]
        return draft
    }

    /// What leases are counted by.
    func leaseClockMs() throws -> Int64 { try environment.leaseClockMs(transaction) }

    // MARK: Loading, or 404

    func room(_ id: RoomID, in workspace: WorkspaceID) throws -> Room { try found(id, in: workspace, transaction) }

    func thread(_ id: ThreadID, in workspace: WorkspaceID) throws -> RoomThread {
        try found(id, in: workspace, transaction)
    }

    /// - Throws: 404 if the thread is not in the room.
    func require(_ id: ThreadID, in room: RoomID?, _ workspace: WorkspaceID) throws {
        guard try thread(id, in: workspace).roomID == room else {
            throw Rejection(.threadNotFound, "no thread \(id.rawValue.prefix(100)) in this room")
        }
    }

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

    func incident(_ id: IncidentID, in workspace: WorkspaceID) throws -> Incident {
        try found(id, in: workspace, transaction)
    }

    func approval(_ id: ApprovalID, in workspace: WorkspaceID) throws -> Approval {
        try found(id, in: workspace, transaction)
    }

    func experiment(_ id: ExperimentID, in workspace: WorkspaceID) throws -> Experiment {
        try found(id, in: workspace, transaction)
    }
}
