/// Statements that make the same tables on each database.
package struct Schema: Sendable {
    package var sqlite: [SQL]
    package var postgres: [SQL]

    package init(sqlite: [SQL], postgres: [SQL]) { (self.sqlite, self.postgres) = (sqlite, postgres) }

    package static func + (first: Schema, second: Schema) -> Schema {
        Schema(sqlite: first.sqlite + second.sqlite, postgres: first.postgres + second.postgres)
    }

    package func statements(on backend: Backend) -> [SQL] {
        switch backend {
        case .sqlite: sqlite
        case .postgres: postgres
        }
    }
}

/// One numbered step of the schema. Steps are only ever added; each is applied once, all that are lacking in one transaction.
package struct Migration: Sendable {
    package var number: Int
    package var name: String
    package var schema: Schema

    package init(_ number: Int, _ name: String, _ schema: Schema) {
        (self.number, self.name, self.schema) = (number, name, schema)
    }

    package init(_ number: Int, _ name: String, sqlite: [SQL], postgres: [SQL]) {
        self.init(number, name, Schema(sqlite: sqlite, postgres: postgres))
    }

    /// What is still to be applied.
    /// - Throws: When the schema is newer than this program.
    package static func pending(_ migrations: [Migration], applied: Int) throws(DatabaseError) -> ArraySlice<Migration>
    {
        precondition(
            migrations.enumerated().allSatisfy { $1.number == $0 + 1 }, "migrations are numbered 1, 2, 3 …")
        guard applied <= migrations.count else {
            throw DatabaseError(
                .newerSchema,
                "the database has schema \(applied), this program knows \(migrations.count): use a newer program")
        }
        return migrations.dropFirst(applied)
    }
}
