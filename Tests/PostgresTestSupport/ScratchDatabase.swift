package import DatabaseCore
import DatabaseSQLite
import Platform

#if Postgres
    import DatabasePostgres
#endif

/// A database of a test's own, of the kind that the suite is run on; gone with the value.
package final class ScratchDatabase: Sendable {
    package let database: any Database
    /// For SQLite: where the file is.
    package let path: String
    #if Postgres
        /// For Postgres: the database on the test server.
        package let postgres: ScratchPostgres?
    #endif

    /// - Parameter folder: Where a file may be put.
    package init(
        _ backend: Backend = TestBackends.chosen, in folder: String, _ migrations: [Migration],
        onFault: @escaping @Sendable (DatabaseError) -> Void
    ) throws {
        path = "\(folder)/\(SystemEntropy().integer(in: 0...Int64.max)).db"
        #if Postgres
            guard backend == .sqlite else {
                let scratch = try ScratchPostgres(migrations)
                postgres = scratch
                database = try PostgresDatabase(PostgresSettings(url: scratch.url), migrations: migrations)
                return
            }
            postgres = nil
        #endif
        database = try SQLiteDatabase(path: path, migrations: migrations, onStorageFault: onFault)
    }

    /// Another process's way to the same data; on SQLite there is none.
    package func another(_ migrations: [Migration]) throws -> any Database {
        #if Postgres
            if let postgres {
                return try PostgresDatabase(PostgresSettings(url: postgres.url), migrations: migrations)
            }
        #endif
        preconditionFailure("only one process writes to a file")
    }

    deinit { database.close() }
}

extension ScratchDatabase {
    /// Where a whole program of a test's own can keep its data, when the suite is run on Postgres.
    package final class Place: Sendable {
        /// Nil on SQLite, where it makes a file of its own.
        package let url: String?
        #if Postgres
            package let postgres: ScratchPostgres?
        #endif

        package init(_ migrations: [Migration] = [], on backend: Backend = TestBackends.chosen) throws {
            #if Postgres
                postgres = backend == .postgres ? try ScratchPostgres(migrations) : nil
                url = postgres?.url
            #else
                url = nil
            #endif
        }

        #if Postgres
            private init(_ postgres: ScratchPostgres?) { (self.postgres, url) = (postgres, postgres?.url) }

            /// The same data once more, while nobody is connected to them; on SQLite the file is copied by whoever knows it.
            package func copy() throws -> Place { Place(try postgres.map { try ScratchPostgres(copying: $0) }) }

            /// Runs text as the server's owner. False on SQLite.
            package func runOnServer(_ text: String) throws -> Bool { try postgres?.run(text) != nil }

            /// The first column of all rows; none on SQLite.
            package func rows(_ text: String) throws -> [String] {
                try postgres?.run(text).map { $0.first.flatMap { $0 } ?? "" } ?? []
            }
        #else
            package func copy() throws -> Place { self }
            package func runOnServer(_ text: String) throws -> Bool { false }
            package func rows(_ text: String) throws -> [String] { [] }
        #endif
    }
}
