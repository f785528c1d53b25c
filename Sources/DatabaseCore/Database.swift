/// What a database is to us: one writer that groups commits, and readers that never wait for it.
package protocol Database: AnyObject, Sendable {
    /// Queues `work` for the writer. It runs in a transaction together with others that have arrived meanwhile; `then`
    /// is called on the writer's thread after that transaction has been committed (or has failed for good), in the
    /// order of the works. What `work` throws before its first write refuses it alone and leaves nothing behind; a
    /// failure after a write rolls the batch back, and its members are run once more, each in a transaction of its own.
    /// So `work` must not change anything outside its transaction.
    func write<Value: Sendable>(
        _ work: @escaping @Sendable (any WriteTransaction) throws -> Value,
        then: @escaping @Sendable (Result<Value, any Error>) -> Void)

    /// ``write(_:then:)`` for a caller that has a thread to wait with.
    func writeAndWait<Value: Sendable>(
        _ work: @escaping @Sendable (any WriteTransaction) throws -> Value
    ) throws -> Value

    /// How long the last commit took, until the disk had it; nil before the first.
    var lastCommitMicroseconds: Int64? { get }

    /// Reads a consistent state of all that was committed before.
    func read<Value>(_ work: (any ReadTransaction) throws -> Value) throws -> Value
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
    /// Hands each row to `body`; a row is only valid inside it. Returning false stops.
    func each(_ statement: SQL, _ body: (any Row) throws -> Bool) throws
}

/// A transaction that may change them.
package protocol WriteTransaction: ReadTransaction {
    /// - Returns: The number of rows changed.
    @discardableResult func execute(_ statement: SQL) throws -> Int
    /// Grows when a rollback has undone what works of this database did, so that caches of rows can be dropped.
    var rollbacks: Int { get }
    /// How much the transaction has changed so far.
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
        /// A stored value is not what the column promises.
        case unexpectedValue
        /// More work is queued than the writer may hold.
        case overloaded
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
            case .blob: "a blob"
            }
        return DatabaseError(.unexpectedValue, "expected \(expected), found \(kind)")
    }

    package var description: String { statement.map { "\(message) [\($0)]" } ?? message }
}
