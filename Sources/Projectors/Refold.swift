package import DatabaseCore
import Domain
import EventStore
package import Shared

/// What an erasure changes in the read models: the rows that the event fed, folded again of what remains of it.
///
/// The events around it are folded twice into an empty database, once with the event as it was and once as it will be.
/// The rows that differ are those it fed; that enough events were folded shows in the first rows being the live ones.
package enum Refold {
    /// Events that are folded again for one that is erased, at most.
    package static let eventsMax = 100_000

    /// A row that is to be replaced, or, without one, removed.
    fileprivate struct Change {
        var projector: Projector
        var key: SQLValue
        var row: [SQLValue]?
    }

    /// What an erasure does to the read models, once it is applied.
    package struct Changes {
        fileprivate var changes: [Change]
        /// The keys of the rows that the event fed: the identifiers of what it was about.
        package var ids: [String] {
            changes.compactMap { if case .text(let key) = $0.key { key } else { nil } }
        }
    }

    /// - Throws: ``Rejection`` when more events would have to be folded than ``eventsMax``, or what is live is not what they
    ///   give.
    /// - Parameters:
    ///   - event: As it was recorded.
    ///   - remains: What it will be.
    ///   - scratch: An empty database with the projected tables. Emptied again, where nothing was thrown.
    package static func changes(
        _ event: Recorded<DomainEvent>, leaving remains: DomainEvent, scratch: any Database,
        in transaction: any ReadTransaction
    ) throws -> Changes {
        for filter in [nil, neighbours(of: event.envelope), EventFilter()] {
            let events = try events(around: event, filter, transaction)
            let before = try rows(of: events, in: scratch)
            let after = try rows(
                of: events.map { $0.envelope.eventID == event.envelope.eventID ? $0.with(remains) : $0 }, in: scratch)
            guard let changes = try difference(before, after, live: transaction) else { continue }
            // Alone it makes its own rows. What changes rows that others made gives nothing alone, and no event does both.
            if filter != nil || !changes.isEmpty { return Changes(changes: changes) }
        }
        throw Rejection(
            .eventNotErasable,
            "the read models are not what the log gives: stop the api and run `aos projections rebuild` first")
    }

    /// Replaces the rows. Called with the event erased.
    package static func apply(
        _ changes: Changes, of event: EventEnvelope, in transaction: any WriteTransaction
    ) throws {
        for change in changes.changes {
            if change.projector.name == SearchTable.table.name {
                // Takes the words out of the index too; what remains of an event has none.
                precondition(change.row == nil, "an erased text is not searched")
                try SearchTable.remove(broughtBy: event.globalSeq, transaction)
            } else if let row = change.row {
                try change.projector.rows?.put(row, transaction)
            } else {
                preconditionFailure("\(change.projector.name): an erased event still makes its row")
            }
        }
    }

    private static func neighbours(of event: EventEnvelope) -> EventFilter {
        var filter = EventFilter()
        if let run = event.runID {
            filter.runID = run
        } else if let thread = event.threadID {
            filter.threadID = thread
        } else {
            filter.stream = event.stream
        }
        return filter
    }

    /// - Parameter filter: Nil for the event alone.
    private static func events(
        around event: Recorded<DomainEvent>, _ filter: EventFilter?, _ transaction: any ReadTransaction
    ) throws -> [Recorded<DomainEvent>] {
        guard let filter else { return [event] }
        let stored = try EventQueries.events(filter, limit: eventsMax + 1, in: transaction)
        guard stored.count <= eventsMax else {
            throw Rejection(
                .eventNotErasable, "more than \(eventsMax) events would have to be folded again for the rows it fed")
        }
        let forms = try ErasedForms(in: transaction)
        return try stored.compactMap { try forms.folded($0) }
    }

    private typealias Rows = [[SQLValue: [SQLValue]]]

    private static func rows(of events: [Recorded<DomainEvent>], in scratch: any Database) throws -> Rows {
        try scratch.writeAndWait { transaction in
            try ProjectorCatalogue.project(events, in: transaction)
            let rows = try ProjectorCatalogue.all.map { projector in
                var rows: [SQLValue: [SQLValue]] = [:]
                if projector.rows != nil { try projector.eachRow(transaction) { rows[$1[0]] = $1 } }
                return rows
            }
            for projector in ProjectorCatalogue.all { try projector.clear(transaction) }
            return rows
        }
    }

    /// Nil when a row that differs is not what is live: then events are missing.
    private static func difference(_ before: Rows, _ after: Rows, live: any ReadTransaction) throws -> [Change]? {
        var changes: [Change] = []
        for (projector, (before, after)) in zip(ProjectorCatalogue.all, zip(before, after)) {
            guard let rows = projector.rows else { continue }
            for (key, row) in before where after[key] != row {
                guard try rows.find(key, live) == row else { return nil }
                changes.append(Change(projector: projector, key: key, row: after[key]))
            }
        }
        return changes
    }
}
