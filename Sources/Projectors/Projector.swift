package import DatabaseCore
import EventStore
import JSON
package import Shared

/// A read model: its table, and the fold that fills it.
package struct Projector: Sendable {
    package let name: String
    package let schema: [SQL]
    /// Folds one event into the table. A pure function of the rows and the event: no clock, no randomness.
    package let project: @Sendable (Recorded<DomainEvent>, any WriteTransaction) throws -> Void
    /// Its rows in the order of their keys, each as bytes to compare.
    package let eachRow:
        @Sendable (any ReadTransaction, (_ key: String, _ row: [SQLValue]) throws -> Void) throws -> Void

    init<Record>(
        _ table: Table<Record>,
        project: @escaping @Sendable (Recorded<DomainEvent>, any WriteTransaction) throws -> Void
    ) {
        (name, schema, self.project) = (table.name, table.schema, project)
        eachRow = { transaction, body in
            try table.eachRow(in: transaction) { row in
                guard case .text(let key) = row[0] else { preconditionFailure("\(table.name): the key stands first") }
                try body(key, row)
            }
        }
    }
}

extension Table {
    /// Loads the row, folds, and writes it back if there is one.
    func fold(
        _ key: (some SQLStorable)?, in transaction: any WriteTransaction, _ evolve: (Record?) -> Record?
    ) throws {
        guard let key, let next = evolve(try find(key, in: transaction)) else { return }
        try put(next, in: transaction)
    }
}

/// Every read model, one line each.
package enum ProjectorCatalogue {
    package static let all: [Projector] = [
        ApprovalTable.projector,
        ArtifactTable.projector,
        ConstraintTable.projector,
        KillSwitchTable.projector,
        RoomTable.projector,
        RunTable.projector,
        StepTable.projector,
        ToolCallTable.projector,
    ]

    package static let migration = Migration(2, "projections", sqlite: all.flatMap(\.schema))

    /// Folds events into all read models, in the append's transaction.
    package static func project(_ recorded: [Recorded<DomainEvent>], in transaction: any WriteTransaction) throws {
        for event in recorded {
            for projector in all { try projector.project(event, transaction) }
        }
    }
}
