package import DatabaseCore
package import Domain
import EventStore
import JSON
package import Shared

/// A read model: its table, and the fold that fills it.
package struct Projector: Sendable {
    package let name: String
    package let schema: Schema
    /// Folds one event into the table. A pure function of the rows and the event: no clock, no randomness.
    package let project: @Sendable (Recorded<DomainEvent>, any WriteTransaction) throws -> Void
    /// Its rows in the order of their keys, each as bytes to compare.
    package let eachRow:
        @Sendable (any ReadTransaction, (_ key: String, _ row: [SQLValue]) throws -> Void) throws -> Void
    /// Empties the table, to be folded anew.
    package let clear: @Sendable (any WriteTransaction) throws -> Void
    /// Its rows one by one; nil for an index, which has none of its own.
    let rows: Rows?

    struct Rows: Sendable {
        let find: @Sendable (_ key: SQLValue, any ReadTransaction) throws -> [SQLValue]?
        let put: @Sendable ([SQLValue], any WriteTransaction) throws -> Void
    }

    init(
        _ name: String, schema: Schema,
        project: @escaping @Sendable (Recorded<DomainEvent>, any WriteTransaction) throws -> Void,
        eachRow: @escaping @Sendable (any ReadTransaction, (String, [SQLValue]) throws -> Void) throws -> Void,
        clear: @escaping @Sendable (any WriteTransaction) throws -> Void, rows: Rows? = nil
    ) {
        (self.name, self.schema, self.project, self.eachRow, self.clear) = (name, schema, project, eachRow, clear)
        self.rows = rows
    }

    init<Record>(
        _ table: Table<Record>,
        project: @escaping @Sendable (Recorded<DomainEvent>, any WriteTransaction) throws -> Void
    ) {
        let rows = Rows(find: { try table.row($0, in: $1) }, put: { try table.putRow($0, in: $1) })
        self.init(
            table.name, schema: table.schema, project: project,
            eachRow: { transaction, body in
                try table.eachRow(in: transaction) { row in
                    guard case .text(let key) = row[0] else {
                        preconditionFailure("\(table.name): the key stands first")
                    }
                    try body(key, row)
                }
            },
            clear: { transaction in
                try transaction.execute(SQL(unsafeText: "DELETE FROM \(table.name)"))
                table.forgetAll(in: transaction)
            }, rows: rows)
    }
}

/// What an event makes of one row: the fold, apart from where rows are kept.
struct RowChange<Record: Sendable> {
    var key: String
    /// The event makes the row, whatever was there: it is not looked for.
    var isNew = false
    var evolve: (Record?) -> Record?

    /// Nil without a key: the event is about no row.
    init?(_ key: (some RawRepresentable<String>)?, isNew: Bool = false, _ evolve: @escaping (Record?) -> Record?) {
        guard let key else { return nil }
        (self.key, self.isNew, self.evolve) = (key.rawValue, isNew, evolve)
    }
}

extension Projector {
    /// A read model of which an event changes at most one row.
    init<Record>(
        _ table: Table<Record>, change: @escaping @Sendable (Recorded<DomainEvent>) -> RowChange<Record>?
    ) {
        self.init(table) { recorded, transaction in
            guard let change = change(recorded) else { return }
            try table.fold(change.key, isNew: change.isNew, in: transaction, change.evolve)
        }
    }
}

extension Table {
    /// Loads the row, folds, and writes it back if there is one.
    /// - Parameter isNew: The event makes the row, whatever was there: it is not looked for.
    func fold(
        _ key: (some SQLStorable)?, isNew: Bool = false, in transaction: any WriteTransaction,
        _ evolve: (Record?) -> Record?
    ) throws {
        guard let key, let next = evolve(isNew ? nil : try find(key, in: transaction)) else { return }
        try put(next, in: transaction)
    }
}

extension ReadTransaction {
    /// The `count` and the time `since` of a statement's one row.
    package func backlog(_ statement: SQL) throws -> Backlog {
        try first(statement) { Backlog(count: try $0.get("count"), since: try $0.get("since")) } ?? Backlog()
    }
}

/// Every read model, one line each.
package enum ProjectorCatalogue {
    package static let all: [Projector] = [
        ApprovalTable.projector,
        ArtifactTable.projector,
        ConstraintTable.projector,
        EvidenceTable.projector,
        ExperimentTable.projector,
        IncidentLearningTable.projector,
        IncidentTable.projector,
        KillSwitchTable.projector,
        LessonTable.projector,
        MessageTable.projector,
        RedactionTable.projector,
        RoomTable.projector,
        RunTable.projector,
        ScorecardTable.projector,
        SearchIndex.projector,
        SearchTable.projector,
        StepTable.projector,
        ThreadTable.projector,
        ToolCallTable.projector,
    ]

    package static let migration = Migration(
        2, "projections", all.map(\.schema).reduce(Schema(sqlite: [], postgres: []), +))

    /// Folds events into all read models, in the append's transaction.
    package static func project(_ recorded: [Recorded<DomainEvent>], in transaction: any WriteTransaction) throws {
        for event in recorded {
            for projector in all { try projector.project(event, transaction) }
        }
    }
}
