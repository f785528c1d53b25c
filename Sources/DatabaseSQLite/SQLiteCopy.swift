import CSQLite
package import DatabaseCore
import Platform

/// Whole copies of a database file, taken from inside the process that works on it (a copy by other means would miss what
/// is in the WAL, and closing such a file would drop this process's locks: https://sqlite.org/howtocorrupt.html).
package enum SQLiteCopy {
    /// Pages between two looks at whether to go on.
    private static let stepPages: Int32 = 1_024

    /// Copies what is committed now into a new file, which needs no other beside it, and is whole: SQLite's own check
    /// finds nothing. Meanwhile others read and write; the WAL is not copied back until this is done.
    /// - Parameters:
    ///   - isCompared: Also reads both row by row and refuses a difference: for a file that nobody writes to.
    ///   - mayGoOn: Asked now and then.
    /// - Throws: ``DatabaseError``; then there is no copy. `full` says that the disk is.
    package static func make(
        of path: String, at target: String, isCompared: Bool = false, mayGoOn: () -> Bool = { true }
    ) throws(DatabaseError) {
        do throws(DatabaseError) {
            do throws(SystemError) { _ = try Files.createNew(target) } catch { throw DatabaseError(copying: error) }
            let source = try SQLiteConnection(path: path, flags: SQLITE_OPEN_READONLY)
            defer { source.close() }
            try SQLiteSettings.prepareReader(source)
            // One state for all steps, whatever is committed meanwhile.
            try source.execute("BEGIN")
            _ = try source.scalar("SELECT count(*) FROM sqlite_schema")
            let copy = try SQLiteConnection(path: target, flags: SQLITE_OPEN_READWRITE)
            defer { copy.close() }
            // The file is synced once, at its end.
            try copy.run("PRAGMA synchronous = OFF")
            try pages(of: source, to: copy, mayGoOn)
            try settle(copy)
            if isCompared { try requireEqual(source, copy) }
            do throws(SystemError) {
                try Descriptor.openToWrite(target).sync()
                try Files.syncFolder(Files.split(target).folder)
            } catch { throw DatabaseError(copying: error) }
        } catch {
            for suffix in ["", "-journal", "-wal", "-shm"] { try? Files.remove(target + suffix) }
            throw error
        }
    }

    /// Makes a database that nobody has open one file without a WAL, and has SQLite check it.
    package static func settle(_ path: String) throws(DatabaseError) {
        let connection = try SQLiteConnection(path: path, flags: SQLITE_OPEN_READWRITE)
        defer { connection.close() }
        try settle(connection)
    }

    /// The number of the last migration that was applied to the file; nil when there is no file or none was.
    package static func schemaVersion(of path: String) throws(DatabaseError) -> Int? {
        guard (Files.status(path)?.sizeBytes ?? 0) > 0 else { return nil }
        let connection = try SQLiteConnection(path: path, flags: SQLITE_OPEN_READONLY)
        defer { connection.close() }
        try SQLiteSettings.prepareReader(connection)
        let isThere = try connection.scalar("SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'")
        guard isThere != .null,
            case .integer(let last) = try connection.scalar("SELECT max(version) FROM schema_migrations")
        else { return nil }
        return Int(last)
    }

    private static func pages(
        of source: SQLiteConnection, to copy: SQLiteConnection, _ mayGoOn: () -> Bool
    ) throws(DatabaseError) {
        guard let backup = sqlite3_backup_init(copy.handle, "main", source.handle, "main") else {
            throw copy.error("backup")
        }
        var result = SQLITE_OK
        while result == SQLITE_OK, mayGoOn() { result = sqlite3_backup_step(backup, stepPages) }
        let finished = sqlite3_backup_finish(backup)
        guard finished == SQLITE_OK else { throw copy.error("backup") }
        guard result == SQLITE_DONE else { throw DatabaseError(.closed, "the copy was stopped") }
    }

    private static func settle(_ connection: SQLiteConnection) throws(DatabaseError) {
        guard try connection.scalar("PRAGMA journal_mode = DELETE") == .text("delete") else {
            throw DatabaseError(.storage, "the copy keeps its WAL: somebody else has it open")
        }
        let found = try connection.scalar("PRAGMA integrity_check(1)")
        guard found == .text("ok") else {
            guard case .text(let fault) = found else { throw connection.error("integrity_check") }
            throw DatabaseError(.storage, "SQLite's integrity check says: \(fault)")
        }
    }

    /// Steps through every table of both. The copy has the source's pages, so its rows come in the same order.
    private static func requireEqual(_ source: SQLiteConnection, _ copy: SQLiteConnection) throws(DatabaseError) {
        // Of a virtual table the tables beneath it are compared.
        let tables = try SQLiteStatement(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name",
            on: source)
        while try tables.step() {
            guard case .text(let name) = tables.value(at: 0) else { continue }
            let text = "SELECT * FROM \"\(name.split(separator: "\"").joined(separator: "\"\""))\""
            let (mine, theirs) = (try SQLiteStatement(text, on: source), try SQLiteStatement(text, on: copy))
            while true {
                let isMore = try mine.step()
                guard try theirs.step() == isMore, !isMore || mine.row == theirs.row else {
                    throw DatabaseError(.storage, "the copy of the table \(name) is not what was copied")
                }
                if !isMore { break }
            }
        }
    }
}

/// A database file that is read as it is: nothing is migrated, nothing is written.
package final class SQLiteReader: Sendable {
    private let path: String

    /// - Parameter path: Of a file that is there.
    package init(path: String) { self.path = path }

    /// Reads a consistent state.
    package func read<Value>(_ work: (any ReadTransaction) throws -> Value) throws -> Value {
        let connection = try SQLiteConnection(path: path, flags: SQLITE_OPEN_READONLY)
        defer { connection.close() }
        try SQLiteSettings.prepareReader(connection)
        try connection.execute("BEGIN")
        return try work(SQLiteReadTransaction(connection))
    }
}

extension DatabaseError {
    /// A file that could not be written.
    init(copying error: SystemError) { self.init(error.isDiskFull ? .full : .storage, "\(error)") }
}
