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

        package init(_ migrations: [Migration] = []) throws {
            #if Postgres
                postgres = TestBackends.chosen == .postgres ? try ScratchPostgres(migrations) : nil
                url = postgres?.url
            #else
                url = nil
            #endif
        }
    }
}
