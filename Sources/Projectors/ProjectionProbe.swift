package import DatabaseCore
package import Domain
import EventStore
import Shared

/// A cheap look whether the read models have kept up with the log: what a rebuild proves, this makes likely.
package enum ProjectionProbe {
    /// Events at the log's end that are looked at.
    private static let eventsMax = 100
    /// What every run's row notes as its last event.
    private static let noted = Set(RunEvent.members.map(\.type) + [StepCreated.type, ToolInvoked.type])

    /// Runs whose row does not show the newest of their events at the end of the log.
    package static func unfolded(_ transaction: any ReadTransaction) throws -> Backlog {
        var (backlog, seen) = (Backlog(), Set<RunID>())
        for mark in try EventQueries.latest(eventsMax, in: transaction) where noted.contains(mark.eventType) {
            guard let run = mark.runID, seen.insert(run).inserted else { continue }
            guard try RunTable.lastEvent(of: run, transaction) != mark.eventID else { continue }
            backlog.count += 1
            backlog.since = min(backlog.since ?? mark.recordedAt, mark.recordedAt)
        }
        return backlog
    }
}
