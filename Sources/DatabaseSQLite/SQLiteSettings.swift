import CSQLite
import DatabaseCore

/// What must hold before a byte is acknowledged: set, then read back, because a setting that did not take is silent.
enum SQLiteSettings {
    /// Larger than the default: events are appended, and fewer, fuller pages mean fewer writes per commit.
    static let pageBytes: Int64 = 8192

    static func prepareWriter(_ connection: SQLiteConnection) throws(DatabaseError) {
        // First of all: another connection may be letting go of the file just now.
        try require(connection, "busy_timeout", set: "5000", reads: .integer(5000))
        try connection.run("PRAGMA page_size = \(pageBytes)")
        try require(connection, "journal_mode", set: "WAL", reads: .text("wal"))
        // FULL syncs the WAL at every commit; NORMAL would lose acknowledged events in a power cut.
        try require(connection, "synchronous", set: "FULL", reads: .integer(2))
        try require(connection, "foreign_keys", set: "ON", reads: .integer(1))
        // Without it INSERT OR REPLACE deletes rows behind the back of the append-only triggers.
        try require(connection, "recursive_triggers", set: "ON", reads: .integer(1))
        try require(connection, "trusted_schema", set: "OFF", reads: .integer(0))
        // What is erased must not stay readable in free pages.
        try require(connection, "secure_delete", set: "ON", reads: .integer(1))
        try require(connection, "wal_autocheckpoint", set: "0", reads: .integer(0))
        _ = aos_sqlite_db_config_int(connection.handle, SQLITE_DBCONFIG_DEFENSIVE, 1)
    }

    static func prepareReader(_ connection: SQLiteConnection) throws(DatabaseError) {
        try require(connection, "query_only", set: "ON", reads: .integer(1))
        try require(connection, "busy_timeout", set: "5000", reads: .integer(5000))
        // The writer is the only checkpointer, also when readers close.
        _ = aos_sqlite_db_config_int(connection.handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    }

    private static func require(
        _ connection: SQLiteConnection, _ pragma: String, set value: String, reads expected: SQLValue
    ) throws(DatabaseError) {
        try connection.run("PRAGMA \(pragma) = \(value)")
        let found = try connection.scalar("PRAGMA \(pragma)")
        guard found == expected else {
            throw DatabaseError(
                .storage, "SQLite setting \(pragma): expected \(expected), found \(found); refusing to write")
        }
    }
}

/// Brings the schema up to date, all steps in one transaction: a failure or a crash leaves the old schema.
enum SQLiteMigrator {
    static func migrate(_ connection: SQLiteConnection, _ migrations: [Migration]) throws(DatabaseError) {
        try connection.run(
            "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT")
        guard
            case .integer(let applied) = try connection.scalar(
                "SELECT coalesce(max(version), 0) FROM schema_migrations")
        else { return }
        let pending = try Migration.pending(migrations, applied: Int(applied))
        guard !pending.isEmpty else { return }
        try connection.execute("BEGIN IMMEDIATE")
        do throws(DatabaseError) {
            for migration in pending {
                for statement in migration.schema.sqlite {
                    precondition(statement.bindings.isEmpty, "a schema has no values: \(statement.text)")
                    try connection.run(statement.text)
                }
                try connection.execute(
                    "INSERT INTO schema_migrations (version, name) VALUES (\(migration.number), \(migration.name))")
            }
            try connection.execute("COMMIT")
        } catch {
            _ = try? connection.execute("ROLLBACK")
            throw error
        }
    }
}
