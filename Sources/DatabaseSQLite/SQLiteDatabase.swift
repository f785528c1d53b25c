import CSQLite
package import DatabaseCore
import Platform

/// SQLite with one writer that groups commits and is the only checkpointer, and a pool of read-only connections.
///
/// One writer matters twice: a batch of commands shares one fsync, and SQLite before 3.51.3 can corrupt a WAL that two
/// connections write or checkpoint at the same moment (Debian 12 has 3.40.1).
package final class SQLiteDatabase: Database {
    package static let readersMax = 4

    private let committer: GroupCommitter
    private let readers = ReaderPool<SQLiteConnection>(connectionsMax: readersMax)
    private let writer: Thread
    package let path: String

    /// Opens (or creates) the database, applies what migrations it lacks, and starts the writer.
    /// - Parameter onStorageFault: Called on the writer's thread when the disk failed or the file is damaged: nothing
    ///   may be acknowledged any more, so the program has to end.
    /// - Parameter onBatch: Called on the writer's thread after each transaction, before its works hear of it.
    /// - Throws: ``DatabaseError`` when a safety setting does not hold or the schema is newer than this program.
    package init(
        path: String, migrations: [Migration], onStorageFault: @escaping @Sendable (DatabaseError) -> Void,
        onBatch: @escaping @Sendable (WriteBatch) -> Void = { _ in }
    ) throws(DatabaseError) {
        self.path = path
        let connection = try SQLiteConnection(path: path, flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
        try SQLiteSettings.prepareWriter(connection)
        try SQLiteMigrator.migrate(connection, migrations)
        committer = GroupCommitter(onStorageFault: onStorageFault, onBatch: onBatch)
        writer = committer.start(SQLiteWriter(connection, onStorageFault: onStorageFault))
    }

    package var backend: Backend { .sqlite }

    package func write<Value: Sendable>(
        _ work: @escaping @Sendable (any WriteTransaction) throws -> Value,
        then: @escaping @Sendable (Result<Value, any Error>) -> Void
    ) {
        committer.write(work, then: then)
    }

    package func onOthersCommit(_ onMore: @escaping @Sendable () -> Void) {}

    package func scrub(then: @escaping @Sendable (Bool) -> Void) { committer.scrub(then: then) }

    package var lastCommitMicroseconds: Int64? { committer.lastCommitMicroseconds }

    package var queuedWorks: Int { committer.queuedWorks }

    package func read<Value>(_ work: (any ReadTransaction) throws -> Value) throws -> Value {
        let connection = try readers.take { () throws(DatabaseError) in
            let connection = try SQLiteConnection(path: path, flags: SQLITE_OPEN_READONLY)
            try SQLiteSettings.prepareReader(connection)
            return connection
        }
        defer { readers.give(connection) }
        try connection.execute("BEGIN")
        defer { _ = try? connection.execute("COMMIT") }
        return try work(SQLiteReadTransaction(connection))
    }

    /// Finishes what is queued, checkpoints, and closes. The file is free when this returns, unless a read is under way.
    package func close() {
        committer.close()
        readers.closeIdle()
        writer.join()
    }
}

/// The one connection that writes, and checkpoints when there is time.
private final class SQLiteWriter: WriterConnection {
    /// The WAL is copied back when the writer has nothing to do and this many pages have gathered …
    private static let idleCheckpointPages: Int32 = 2_000
    /// … and between two batches when it has grown to this many.
    private static let forcedCheckpointPages: Int32 = 16_000

    private let connection: SQLiteConnection
    private let onStorageFault: @Sendable (DatabaseError) -> Void
    /// Something that was removed may still be in the WAL, because readers needed it.
    private var mustTruncate = false
    private var rollbacks = 0
    private let rows = RowCache()
    private var walPages: Int32 = 0

    init(_ connection: SQLiteConnection, onStorageFault: @escaping @Sendable (DatabaseError) -> Void) {
        (self.connection, self.onStorageFault) = (connection, onStorageFault)
        sqlite3_wal_hook(
            connection.handle,
            { writer, _, _, pages in
                Unmanaged<SQLiteWriter>.fromOpaque(writer!).takeUnretainedValue().walPages = pages
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    func begin() throws(DatabaseError) -> SQLiteWriteTransaction {
        try connection.execute("BEGIN IMMEDIATE")
        return SQLiteWriteTransaction(connection, cacheEpoch: rollbacks, rows)
    }

    func commit(_ transaction: SQLiteWriteTransaction) throws(DatabaseError) { try connection.execute("COMMIT") }

    func rollBack() {
        rollbacks += 1
        rows.clear()
        if !isBroken { _ = try? connection.execute("ROLLBACK") }
    }

    /// SQLite itself ends a transaction where a statement says so or the disk is full.
    var isBroken: Bool { sqlite3_get_autocommit(connection.handle) != 0 }

    /// A larger file is not written anew while commands wait: some 2 s.
    private static let vacuumBytesMax: Int64 = 1 << 30

    /// `secure_delete` overwrites what is removed, but not the copies that a row leaves where it moves from one page to
    /// another (SQLite 3.40 was seen to leave some): so the whole file is written anew. The new pages are in the WAL then,
    /// and the old ones go when it is copied back and emptied.
    func scrub() -> Bool {
        do throws(DatabaseError) {
            guard case .integer(let pages) = try connection.scalar("PRAGMA page_count"),
                pages * SQLiteSettings.pageBytes <= Self.vacuumBytesMax
            else {
                _ = truncate()
                return false
            }
            try connection.run("VACUUM")
        } catch {
            if error.kind == .storage { onStorageFault(error) }
            return false
        }
        return truncate()
    }

    private func truncate() -> Bool {
        mustTruncate = !checkpoint(SQLITE_CHECKPOINT_TRUNCATE)
        return !mustTruncate
    }

    func afterTransaction(isIdle: Bool) {
        if mustTruncate, isIdle { _ = truncate() }
        if walPages >= Self.forcedCheckpointPages || (walPages >= Self.idleCheckpointPages && isIdle) { checkpoint() }
    }

    func close() {
        checkpoint()
        connection.close()
    }

    /// Whether the whole WAL was copied back.
    @discardableResult
    private func checkpoint(_ mode: Int32 = SQLITE_CHECKPOINT_PASSIVE) -> Bool {
        var log: Int32 = 0
        var moved: Int32 = 0
        let result = sqlite3_wal_checkpoint_v2(connection.handle, nil, mode, &log, &moved)
        let isWhole = result == SQLITE_OK && log == moved
        if isWhole { walPages = 0 }
        if result & 0xFF == SQLITE_IOERR || result & 0xFF == SQLITE_CORRUPT {
            onStorageFault(connection.error("wal_checkpoint"))
        }
        return isWhole
    }
}

class SQLiteReadTransaction: ReadTransaction {
    fileprivate let connection: SQLiteConnection
    let rows: RowCache?

    init(_ connection: SQLiteConnection, _ rows: RowCache? = nil) {
        (self.connection, self.rows) = (connection, rows)
    }

    var backend: Backend { .sqlite }

    func each(_ statement: SQL, _ body: (any Row) throws -> Bool) throws { try connection.each(statement, body) }

    /// SQLite's rows come one at a time anyway.
    func scan(_ statement: SQL, _ body: (any Row) throws -> Bool) throws { try connection.each(statement, body) }

    func clockMilliseconds() throws -> Int64? { nil }
}

final class SQLiteWriteTransaction: SQLiteReadTransaction, WriteTransaction {
    let cacheEpoch: Int

    fileprivate init(_ connection: SQLiteConnection, cacheEpoch: Int, _ rows: RowCache) {
        self.cacheEpoch = cacheEpoch
        super.init(connection, rows)
    }

    func otherWriters() -> Int { 0 }

    var turnsOfOthers: Int { 0 }

    func leaveMark() {}

    var changes: Int { Int(sqlite3_total_changes64(connection.handle)) }

    func execute(_ statement: SQL) throws { try connection.execute(statement) }

    /// A statement costs no round trip here, so there is nothing to save.
    func executeLast(_ key: String, _ statement: SQL) throws { try connection.execute(statement) }

    func update(_ statement: SQL) throws -> Int { try connection.execute(statement) }
}
