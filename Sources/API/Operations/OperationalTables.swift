import Crypto
import DatabaseCore

/// The operational tables: droppable without loss of history.
enum OperationalTables {
    /// One of them, whatever its rows are.
    struct Operational: Sendable {
        let name: String
        let schema: Schema
        let copy: @Sendable (any ReadTransaction, any WriteTransaction) throws -> Void
        /// How many rows it has, and one digest of them all.
        let state: @Sendable (any ReadTransaction) throws -> (rows: Int64, digest: String)

        init<Record>(_ table: Table<Record>) {
            (name, schema) = (table.name, table.schema)
            copy = { source, target in
                try table.each(in: source) { try table.put($0, in: target) }
            }
            state = { transaction in
                let hash = RunningSHA256()
                var rows: Int64 = 0
                try table.eachRow(in: transaction) { row in
                    rows += 1
                    hash.update(Array("\(row)\n".utf8)[...])
                }
                return (rows, "sha256:" + hash.hex())
            }
        }
    }

    /// Those that there have been from the beginning.
    private static let first: [Operational] = [
        Operational(LeaseTable.table), Operational(AttemptTable.table), Operational(EngineTable.table),
        Operational(EngineTokenTable.table), Operational(IdempotencyTable.table), Operational(OwnerTable.table),
        Operational(ProbeTable.table), Operational(SessionTable.table), Operational(SpentBootstrapTokenTable.table),
    ]

    static let all =
        first + [
            Operational(LoginLinkTable.table), Operational(WebSessionTable.table), Operational(WebMarkTable.table),
            Operational(CheckpointTable.table),
        ]

    static let migration = Migration(3, "operations", first.map(\.schema).reduce(Schema(sqlite: [], postgres: []), +))
}
