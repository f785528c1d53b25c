package import DatabaseCore
import DatabaseSQLite
import EventStore
import Platform
import Projectors
import Shared

#if Postgres
    import DatabasePostgres
#endif

/// Opens the database that the settings name.
package enum Storage {
    package static let migrations = [
        EventTable.migration, ProjectorCatalogue.migration, OperationalTables.migration, InstanceKeyTable.migration,
        WebTables.migration, EventErasure.migration, CheckpointTable.migration,
    ]

    /// The number of the last of them.
    package static var schemaVersion: Int { migrations.count }

    /// What of the schema is added to and never changed, but for an erasure.
    private static let appendOnlyTables = ["evt_events": EventTable.erasableColumns]

    /// - Parameters:
    ///   - keepsCopy: A SQLite file with an older schema is copied before it is brought up to date.
    ///   - onStorageFault: The disk under a file of ours has failed: nothing may be acknowledged any more.
    ///   - onRecovery: The first thing that is done when a server is back that was away.
    ///   - onRemark: Something that an operator should know, a sentence.
    package static func open(
        _ location: StorageLocation, migrations: [Migration] = migrations, keepsCopy: Bool = true,
        onStorageFault: @escaping @Sendable (DatabaseError) -> Void = { _ in },
        onRecovery: @escaping @Sendable (any WriteTransaction) throws -> Void = { _ in },
        onBatch: @escaping @Sendable (WriteBatch) -> Void = { _ in }, onRemark: (String) -> Void = { _ in }
    ) throws -> any Database {
        switch location {
        case .sqlite(let path):
            if keepsCopy {
                let now = Timestamp(milliseconds: SystemClock().wallMilliseconds())
                try SchemaUpgrade.prepare(path, migrations, at: now, onRemark: onRemark)
            }
            return try SQLiteDatabase(
                path: path, migrations: migrations, onStorageFault: onStorageFault, onBatch: onBatch)
        case .postgres(let location):
            #if Postgres
                var settings = PostgresSettings(url: location.url)
                settings.readersMax = location.readersMax
                (settings.statementMilliseconds, settings.lockMilliseconds) = (
                    location.statementMilliseconds, location.lockMilliseconds
                )
                let database = try PostgresDatabase(
                    settings, migrations: migrations, migrationURL: location.migrationURL,
                    appendOnly: appendOnlyTables, batchWorksMax: location.batchMax, onRecovery: onRecovery,
                    onBatch: onBatch)
                for remark in database.remarks { onRemark(remark) }
                return database
            #else
                throw StartFailure("this build has no Postgres: install libpq-dev and build again")
            #endif
        }
    }
}
