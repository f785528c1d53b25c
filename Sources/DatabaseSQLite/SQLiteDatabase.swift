import CSQLite
package import DatabaseCore
import Platform
import Synchronization

/// SQLite with one writer that groups commits and is the only checkpointer, and a pool of read-only connections.
///
/// One writer matters twice: a batch of commands shares one fsync, and SQLite before 3.51.3 can corrupt a WAL that two
/// connections write or checkpoint at the same moment (Debian 12 has 3.40.1).
package final class SQLiteDatabase: Database {
    /// Works the queue may hold; more are refused, so that an overload shows as a refusal and not as memory.
    package static let queuedWorksMax = 8192
    /// Works in one transaction: enough to share the fsync, few enough that the first is not kept waiting.
    package static let batchWorksMax = 256
    package static let readersMax = 4

    private struct Queue {
        var works: [Work] = []
        var isClosing = false
    }

    /// One queued work. `run` does it inside the transaction; `finish` tells its caller how it ended.
    fileprivate struct Work: Sendable {
        var run: @Sendable (SQLiteWriteTransaction) throws -> any Sendable
        var finish: @Sendable (Result<any Sendable, any Error>) -> Void
    }

    private let queue = Monitor(Queue())
    private let readers: Monitor<ReaderPool>
    private let writer: Thread
    private let gauge = CommitGauge()
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
        readers = Monitor(ReaderPool())
        let (queue, gauge) = (queue, gauge)
        writer = Thread.start("db-writer") {
            SQLiteWriter(connection: connection, gauge: gauge, onStorageFault: onStorageFault, onBatch: onBatch).run {
                queue.wait { queue in
                    if queue.works.isEmpty { return queue.isClosing ? [] : nil }
                    let batch = Array(queue.works.prefix(Self.batchWorksMax))
                    queue.works.removeFirst(batch.count)
                    return batch
                } ?? []
            } isIdle: {
                queue.read { $0.works.isEmpty }
            }
        }
    }

    package func write<Value: Sendable>(
        _ work: @escaping @Sendable (any WriteTransaction) throws -> Value,
        then: @escaping @Sendable (Result<Value, any Error>) -> Void
    ) {
        let queued = Work(
            run: { try work($0) },
            finish: { result in then(result.map { $0 as! Value }) })
        let refusal: DatabaseError? = queue.update { queue in
            if queue.isClosing { return DatabaseError(.closed, "the database is closing") }
            if queue.works.count >= Self.queuedWorksMax {
                return DatabaseError(.overloaded, "\(Self.queuedWorksMax) commands are waiting to be written")
            }
            queue.works.append(queued)
            return nil
        }
        if let refusal { then(.failure(refusal)) }
    }

    package func writeAndWait<Value: Sendable>(
        _ work: @escaping @Sendable (any WriteTransaction) throws -> Value
    ) throws -> Value {
        let result = Monitor<Result<Value, any Error>?>(nil)
        write(work) { outcome in result.update { $0 = outcome } }
        return try result.wait { $0 }!.get()
    }

    package var lastCommitMicroseconds: Int64? { gauge.lastMicroseconds }

    package func read<Value>(_ work: (any ReadTransaction) throws -> Value) throws -> Value {
        let connection = try takeReader()
        defer { readers.update { $0.idle.append(connection) } }
        try connection.execute("BEGIN")
        defer { _ = try? connection.execute("COMMIT") }
        return try work(SQLiteReadTransaction(connection))
    }

    /// Works that wait for the writer.
    package var queuedWorks: Int { queue.read { $0.works.count } }

    /// The number of the last migration that was applied, as the file says.
    package func schemaVersion() throws -> Int {
        try read { try $0.first("SELECT max(version) AS last FROM schema_migrations") { try $0.get("last") } } ?? 0
    }

    /// Finishes what is queued, checkpoints, and closes. The file is free when this returns, unless a read is under way.
    package func close() {
        queue.update { $0.isClosing = true }
        readers.update { pool in
            pool.opened -= pool.idle.count
            pool.idle = []
        }
        writer.join()
    }

    private func takeReader() throws -> SQLiteConnection {
        let taken: SQLiteConnection?? = readers.wait { pool in
            if let connection = pool.idle.popLast() { return .some(connection) }
            if pool.opened < Self.readersMax {
                pool.opened += 1
                return .some(nil)
            }
            return nil
        }
        if let connection = taken ?? nil { return connection }
        do {
            let connection = try SQLiteConnection(path: path, flags: SQLITE_OPEN_READONLY)
            try SQLiteSettings.prepareReader(connection)
            return connection
        } catch {
            readers.update { $0.opened -= 1 }
            throw error
        }
    }

    private struct ReaderPool {
        var idle: [SQLiteConnection] = []
        var opened = 0
    }
}

/// How long the last commit took.
private final class CommitGauge: Sendable {
    private let clock = SystemClock()
    private let microseconds = Atomic<Int64>(-1)

    var lastMicroseconds: Int64? {
        let last = microseconds.load(ordering: .relaxed)
        return last < 0 ? nil : last
    }

    func start() -> Int64 { clock.monotonicNanoseconds() }
    func end(_ start: Int64) {
        microseconds.store((clock.monotonicNanoseconds() - start) / 1000, ordering: .relaxed)
    }
}

/// The writer's thread: takes a batch, runs it in one transaction, answers after the commit.
///
/// `@unchecked Sendable` holds because it is made before its thread starts and only used on it.
private final class SQLiteWriter: @unchecked Sendable {
    /// The WAL is copied back when the writer has nothing to do and this many pages have gathered …
    private static let idleCheckpointPages: Int32 = 2_000
    /// … and between two batches when it has grown to this many.
    private static let forcedCheckpointPages: Int32 = 16_000

    private let connection: SQLiteConnection
    private let gauge: CommitGauge
    private let onStorageFault: @Sendable (DatabaseError) -> Void
    private let onBatch: @Sendable (WriteBatch) -> Void
    private let clock = SystemClock()
    private var rollbacks = 0
    private var walPages: Int32 = 0

    init(
        connection: SQLiteConnection, gauge: CommitGauge, onStorageFault: @escaping @Sendable (DatabaseError) -> Void,
        onBatch: @escaping @Sendable (WriteBatch) -> Void
    ) {
        (self.connection, self.gauge) = (connection, gauge)
        (self.onStorageFault, self.onBatch) = (onStorageFault, onBatch)
    }

    func run(nextBatch: () -> [SQLiteDatabase.Work], isIdle: () -> Bool) {
        sqlite3_wal_hook(
            connection.handle,
            { writer, _, _, pages in
                Unmanaged<SQLiteWriter>.fromOpaque(writer!).takeUnretainedValue().walPages = pages
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
        while true {
            let batch = nextBatch()
            if batch.isEmpty { break }
            commit(batch)
            if walPages >= Self.forcedCheckpointPages || (walPages >= Self.idleCheckpointPages && isIdle()) {
                checkpoint()
            }
        }
        checkpoint()
        connection.close()
    }

    private func commit(_ batch: [SQLiteDatabase.Work]) {
        let (startNs, changesBefore) = (clock.monotonicNanoseconds(), changes)
        func report(_ failure: DatabaseError.Kind?) {
            onBatch(
                WriteBatch(
                    works: batch.count, nanoseconds: clock.monotonicNanoseconds() - startNs,
                    changes: changes - changesBefore, failure: failure))
        }
        do throws(DatabaseError) {
            let results = try attempt(batch)
            report(nil)
            for (work, result) in zip(batch, results) { work.finish(result) }
        } catch {
            report(error.kind)
            if batch.count == 1 || isFinal(error) {
                for work in batch { work.finish(.failure(error)) }
            } else {
                // One of them is at fault: let each stand for itself.
                for work in batch { commit([work]) }
            }
        }
    }

    /// Runs all works in one transaction. A refusal before a work's first write concerns that work alone; anything
    /// later rolls all back and is thrown.
    private func attempt(_ batch: [SQLiteDatabase.Work]) throws(DatabaseError) -> [Result<any Sendable, any Error>] {
        do throws(DatabaseError) {
            try connection.execute("BEGIN IMMEDIATE")
            let transaction = SQLiteWriteTransaction(connection, rollbacks: rollbacks)
            var results: [Result<any Sendable, any Error>] = []
            for work in batch {
                let changesBefore = transaction.changes
                do {
                    results.append(.success(try work.run(transaction)))
                } catch let error as DatabaseError where error.kind == .full || error.kind == .storage {
                    throw error
                } catch {
                    // SQLite itself may have ended the transaction: then the works before have lost their writes too.
                    if transaction.changes != changesBefore || sqlite3_get_autocommit(connection.handle) != 0 {
                        throw error as? DatabaseError
                            ?? DatabaseError(.statement, "a command failed after its first write: \(error)")
                    }
                    results.append(.failure(error))
                }
            }
            let start = gauge.start()
            try connection.execute("COMMIT")
            gauge.end(start)
            return results
        } catch {
            rollbacks += 1
            if sqlite3_get_autocommit(connection.handle) == 0 { _ = try? connection.execute("ROLLBACK") }
            if error.kind == .storage { onStorageFault(error) }
            throw error
        }
    }

    private var changes: Int { Int(sqlite3_total_changes64(connection.handle)) }

    /// Whether running the members again one by one is pointless or unsafe.
    private func isFinal(_ error: DatabaseError) -> Bool { error.kind == .full || error.kind == .storage }

    private func checkpoint() {
        var log: Int32 = 0
        var moved: Int32 = 0
        let result = sqlite3_wal_checkpoint_v2(connection.handle, nil, SQLITE_CHECKPOINT_PASSIVE, &log, &moved)
        if result == SQLITE_OK, log == moved { walPages = 0 }
        if result & 0xFF == SQLITE_IOERR || result & 0xFF == SQLITE_CORRUPT {
            onStorageFault(connection.error("wal_checkpoint"))
        }
    }
}

class SQLiteReadTransaction: ReadTransaction {
    fileprivate let connection: SQLiteConnection

    fileprivate init(_ connection: SQLiteConnection) { self.connection = connection }

    func each(_ statement: SQL, _ body: (any Row) throws -> Bool) throws { try connection.each(statement, body) }
}

final class SQLiteWriteTransaction: SQLiteReadTransaction, WriteTransaction {
    let rollbacks: Int

    fileprivate init(_ connection: SQLiteConnection, rollbacks: Int) {
        self.rollbacks = rollbacks
        super.init(connection)
    }

    var changes: Int { Int(sqlite3_total_changes64(connection.handle)) }

    func execute(_ statement: SQL) throws -> Int { try connection.execute(statement) }
}
