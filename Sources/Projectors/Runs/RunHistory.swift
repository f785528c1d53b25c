package import DatabaseCore
import EventStore
package import Shared

/// A run with all that belongs to it, now or as it was after some event: by the fold that fills the tables.
package struct RunHistory: Sendable {
    /// Things of one kind that are shown; of more, the oldest.
    package static let itemsMax = 2_000
    /// Events that are folded for a look at the past.
    package static let eventsMax = 50_000

    package private(set) var run: Run?
    package private(set) var steps: [Step] = []
    package private(set) var toolCalls: [ToolCall] = []
    package private(set) var approvals: [Approval] = []
    package private(set) var artifacts: [Artifact] = []

    /// As the tables have it.
    package static func now(_ id: RunID, _ transaction: any ReadTransaction) throws -> RunHistory {
        var history = RunHistory()
        history.run = try RunTable.find(id, transaction)
        history.steps = try StepTable.list(of: id, transaction)
        history.toolCalls = try ToolCallTable.list(of: id, limit: itemsMax, transaction)
        history.approvals = try ApprovalTable.list(of: id, limit: itemsMax, transaction)
        history.artifacts = try ArtifactTable.list(of: id, limit: itemsMax, transaction)
        return history
    }

    /// As it was when the log ended with this event; nil when the run has more events than are folded.
    package static func past(
        _ id: RunID, after globalSeq: Int64, _ transaction: any ReadTransaction
    ) throws -> RunHistory? {
        var fold = Fold()
        var filter = EventFilter()
        (filter.runID, filter.throughGlobalSeq) = (id, globalSeq)
        let forms = try ErasedForms(in: transaction)
        var events = 0
        try EventQueries.each(filter, limit: eventsMax + 1, in: transaction) { stored in
            events += 1
            if let recorded = try forms.folded(stored) { fold.apply(recorded) }
            return true
        }
        return events <= eventsMax ? fold.history(of: id) : nil
    }

    private struct Fold {
        private var runs: [String: Run] = [:]
        private var steps: [String: Step] = [:]
        private var toolCalls: [String: ToolCall] = [:]
        private var approvals: [String: Approval] = [:]
        private var artifacts: [String: Artifact] = [:]

        mutating func apply(_ recorded: Recorded<DomainEvent>) {
            Self.apply(RunTable.change(recorded), to: &runs)
            Self.apply(StepTable.change(recorded), to: &steps)
            Self.apply(ToolCallTable.change(recorded), to: &toolCalls)
            Self.apply(ApprovalTable.change(recorded), to: &approvals)
            Self.apply(ArtifactTable.change(recorded), to: &artifacts)
        }

        private static func apply<Record>(_ change: RowChange<Record>?, to rows: inout [String: Record]) {
            guard let change, let next = change.evolve(change.isNew ? nil : rows[change.key]) else { return }
            rows[change.key] = next
        }

        /// In the order of the tables' lists.
        func history(of id: RunID) -> RunHistory {
            var history = RunHistory()
            history.run = runs[id.rawValue]
            history.steps = steps.values.sorted { ($0.createdAt, $0.stepID) < ($1.createdAt, $1.stepID) }
            history.toolCalls = first(toolCalls) { ($0.startedAt, $0.toolCallID) < ($1.startedAt, $1.toolCallID) }
            history.approvals = first(approvals) { ($0.createdAt, $0.approvalID) < ($1.createdAt, $1.approvalID) }
            history.artifacts = first(artifacts) { ($0.createdAt, $0.artifactID) < ($1.createdAt, $1.artifactID) }
            return history
        }

        private func first<Record>(_ rows: [String: Record], by isBefore: (Record, Record) -> Bool) -> [Record] {
            Array(rows.values.sorted(by: isBefore).prefix(RunHistory.itemsMax))
        }
    }
}
