import Platform

/// Which database it is. What the SQL of the two does not share is asked of this, beside the table concerned.
package enum Backend: String, Sendable, CaseIterable {
    case sqlite, postgres

    /// Whether several processes may write to one database.
    package var isShared: Bool { self == .postgres }
}

/// What a database is to us: one writer that groups commits, and readers that never wait for it.
package protocol Database: AnyObject, Sendable {
    var backend: Backend { get }

    /// Queues `work` for the writer. It runs in a transaction together with others that have arrived meanwhile; `then`
    /// is called on the writer's thread after that transaction has been committed (or has failed for good), in the
    /// order of the works. What `work` throws before its first write refuses it alone and leaves nothing behind; a
    /// failure after a write rolls the batch back, and its members are run once more, each in a transaction of its own.
    /// So `work` must not change anything outside its transaction.
    func write<Value: Sendable>(
        _ work: @escaping @Sendable (any WriteTransaction) throws -> Value,
        then: @escaping @Sendable (Result<Value, any Error>) -> Void)

    /// How long the last commit took, until the disk had it; nil before the first.
    var lastCommitMicroseconds: Int64? { get }

    /// Reads a consistent state of all that was committed before.
    func read<Value>(_ work: (any ReadTransaction) throws -> Value) throws -> Value

    /// Works that wait for the writer.
    var queuedWorks: Int { get }

    /// Calls `onMore` when another process may have committed, and now and then in case that was missed. A database that
    /// only this process writes to never does.
    func onOthersCommit(_ onMore: @escaping @Sendable () -> Void)

    /// Rewrites the files so that nothing of what was changed or removed is left in them, in turn with the writer's work.
    /// `then` is called on the writer's thread, told whether all of it is gone; a server's files are its own, and it is not.
    func scrub(then: @escaping @Sendable (Bool) -> Void)

    /// Finishes what is queued, refuses what comes later, and lets go of the database.
    func close()
}

extension Database {
    /// ``write(_:then:)`` for a caller that has a thread to wait with.
    package func writeAndWait<Value: Sendable>(
        _ work: @escaping @Sendable (any WriteTransaction) throws -> Value
    ) throws -> Value {
        let result = Monitor<Result<Value, any Error>?>(nil)
        write(work) { outcome in result.update { $0 = outcome } }
        return try result.wait { $0 }!.get()
    }

    /// The number of the last migration that was applied, as the database itself says.
    package func schemaVersion() throws -> Int {
        try read { try $0.first("SELECT max(version) AS last FROM schema_migrations") { try $0.get("last") } } ?? 0
    }
}

/// How a transaction of the writer went, for whoever counts.
package struct WriteBatch: Sendable {
    /// Works that shared it.
    package var works: Int
    /// From its beginning to the end of its commit, or of its rollback.
    package var nanoseconds: Int64
    /// How much it changed; 0 for one that only looked, which needs no disk.
    package var changes: Int
    /// Nil when it was committed.
    package var failure: DatabaseError.Kind?

    package init(works: Int, nanoseconds: Int64, changes: Int, failure: DatabaseError.Kind? = nil) {
        (self.works, self.nanoseconds, self.changes, self.failure) = (works, nanoseconds, changes, failure)
    }
}

/// A consistent view on the tables.
package protocol ReadTransaction: AnyObject {
    var backend: Backend { get }

    /// Hands each row to `body`; a row is only valid inside it. Returning false stops. All rows may be held in memory: the
    /// statement says how many there are at the most.
    func each(_ statement: SQL, _ body: (any Row) throws -> Bool) throws

    /// The same for a statement with any number of rows: they come in pieces, and those after a stop are not read.
    func scan(_ statement: SQL, _ body: (any Row) throws -> Bool) throws

    /// What the writer remembers of rows; nil for a reader.
    var rows: RowCache? { get }

    /// What the database's own clock says, in milliseconds since 1970; nil for one inside this process, which has none.
    /// All processes that share the database agree on it.
    func clockMilliseconds() throws -> Int64?
}

/// A transaction that may change them.
package protocol WriteTransaction: ReadTransaction {
    /// Runs a statement. It may reach the database together with the next one that is waited for, and its error with it;
    /// no later than the commit, and always before anything is answered.
    func execute(_ statement: SQL) throws
    /// Runs a statement before the next one that is waited for, and no later than the commit. Until then another one with
    /// the same key takes its place: for a row of which only the last state matters.
    func executeLast(_ key: String, _ statement: SQL) throws
    /// Runs a statement and waits for it.
    /// - Returns: The number of rows changed.
    func update(_ statement: SQL) throws -> Int
    /// Another number when rows may have changed otherwise than by works of this database that were committed: by a
    /// rollback, or by another process. Whatever was remembered of rows under the old number is void.
    var cacheEpoch: Int { get }
    /// How many other processes are connected to write.
    func otherWriters() throws -> Int
    /// Another number when another process has written since this one's last transaction.
    var turnsOfOthers: Int { get }
    /// Lets the other processes see in ``turnsOfOthers`` that there was this transaction, although it changes nothing.
    func leaveMark()
    /// Grows with everything that the transaction changes, at the latest when the statement is run.
    var changes: Int { get }
}

/// One row of an answer. Columns are found by name.
package protocol Row {
    func value(_ column: String) throws -> SQLValue
    /// Text or a blob, without making a `String`.
    func bytes(_ column: String) throws -> [UInt8]
}

extension Row {
    package func get<Value: SQLStorable>(_ column: String, as type: Value.Type = Value.self) throws -> Value {
        try Value(sqlValue: value(column))
    }
}

extension ReadTransaction {
    /// All rows, decoded.
    package func all<Value>(_ statement: SQL, _ decode: (any Row) throws -> Value) throws -> [Value] {
        var values: [Value] = []
        try each(statement) { row in
            values.append(try decode(row))
            return true
        }
        return values
    }

    /// The first row, decoded; nil when there is none.
    package func first<Value>(_ statement: SQL, _ decode: (any Row) throws -> Value) throws -> Value? {
        var value: Value?
        try each(statement) { row in
            value = try decode(row)
            return false
        }
        return value
    }
}

/// What a database could not do.
package struct DatabaseError: Error, Hashable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// A constraint or a trigger of ours said no.
        case constraint
        /// The disk is full: nothing was written, reading goes on.
        case full
        /// The disk failed or the file is damaged: what was acknowledged is safe only if nothing more is written.
        case storage
        /// The database cannot be reached or has gone away: nothing is acknowledged meanwhile, and it is tried again.
        case unavailable
        /// Another transaction was in the way (serialization failure, deadlock): the same again may succeed.
        case conflict
        /// A stored value is not what the column promises.
        case unexpectedValue
        /// More work is queued than the writer may hold.
        case overloaded
        /// The schema is of a newer program than this one: nothing was changed.
        case newerSchema
        /// The database has been closed.
        case closed
        /// A statement that makes no sense: a defect of ours.
        case statement
    }

    package var kind: Kind
    package var message: String
    package var statement: String?

    package init(_ kind: Kind, _ message: String, statement: String? = nil) {
        (self.kind, self.message, self.statement) = (kind, message, statement)
    }

    package static func unexpectedValue(expected: String, found: SQLValue) -> DatabaseError {
        let kind =
            switch found {
            case .null: "null"
            case .integer: "an integer"
            case .real: "a real"
            case .text, .utf8: "text"
            case .time: "a time"
            case .blob: "a blob"
            }
        return DatabaseError(.unexpectedValue, "expected \(expected), found \(kind)")
    }

    package var description: String { statement.map { "\(message) [\($0)]" } ?? message }
}
