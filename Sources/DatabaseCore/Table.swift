/// A table whose rows are values of one type: its columns are listed once, and the statements follow from them.
package struct Table<Record: Sendable>: Sendable {
    package let name: String
    package let columns: [Column<Record>]
    package let keys: [String]
    /// More of the schema: indexes, mostly.
    package let indexes: [SQL]
    /// Whether the writer remembers rows: then nothing changes them but ``put(_:in:)``, or it says so (``forget(_:in:)``).
    private let remembersRows: Bool
    private let key: Column<Record>
    private let blank: Record
    private let putText: String
    private let selectText: String

    /// - Parameter blank: A value to read rows into; every column of it is replaced.
    package init(
        _ name: String, keys: [String], remembersRows: Bool = false, blank: Record, columns: [Column<Record>],
        indexes: [SQL] = []
    ) {
        (self.name, self.keys, self.blank, self.columns, self.indexes) = (name, keys, blank, columns, indexes)
        guard let key = columns.first(where: { $0.name == keys[0] }) else {
            preconditionFailure("\(name): the key is no column of it")
        }
        (self.key, self.remembersRows) = (key, remembersRows && keys.count == 1)
        let names = columns.map(\.name)
        let places = names.indices.map { "$\($0 + 1)" }
        let updates = names.filter { !keys.contains($0) }.map { "\($0) = excluded.\($0)" }
        putText = """
            INSERT INTO \(name) (\(names.joined(separator: ", "))) VALUES (\(places.joined(separator: ", "))) \
            ON CONFLICT (\(keys.joined(separator: ", "))) DO UPDATE SET \(updates.joined(separator: ", "))
            """
        selectText = "SELECT \(names.joined(separator: ", ")) FROM \(name)"
    }

    /// The statements that make the table.
    package var schema: Schema { Schema(sqlite: schema(on: .sqlite), postgres: schema(on: .postgres)) }

    private func schema(on backend: Backend) -> [SQL] {
        let lines = columns.map { "\($0.name) \($0.kind.type(on: backend))\($0.isNullable ? "" : " NOT NULL")" }
        let body = (lines + ["PRIMARY KEY (\(keys.joined(separator: ", ")))"]).joined(separator: ", ")
        return [SQL(unsafeText: "CREATE TABLE \(name) (\(body))\(backend == .sqlite ? " STRICT" : "")")] + indexes
    }

    /// Inserts the record, or replaces the one with the same key.
    package func put(_ record: Record, in transaction: any WriteTransaction) throws {
        try transaction.execute(SQL(unsafeText: putText, bindings: columns.map { $0.get(record) }))
        if remembersRows { transaction.rows?.keep(name, key.get(record), record) }
    }

    /// The row is about to be changed by a statement of its own.
    package func forget(_ key: some SQLStorable, in transaction: any WriteTransaction) {
        transaction.rows?.forget(name, key.sqlValue)
    }

    /// Any row is about to be.
    package func forgetAll(in transaction: any WriteTransaction) { transaction.rows?.forget(name) }

    /// The record with this key.
    package func find(_ key: some SQLStorable, in transaction: any ReadTransaction) throws -> Record? {
        let key = key.sqlValue
        let rows = remembersRows ? transaction.rows : nil
        if let known: Record = rows?.row(name, key) { return known }
        let found = try all(where: SQL(unsafeText: " WHERE \(keys[0]) = $1", bindings: [key]), in: transaction).first
        if let found { rows?.keep(name, key, found) }
        return found
    }

    /// The row with this key, as values: those that would be written.
    package func row(_ key: SQLValue, in transaction: any ReadTransaction) throws -> [SQLValue]? {
        let found = try all(where: SQL(unsafeText: " WHERE \(keys[0]) = $1", bindings: [key]), in: transaction).first
        return found.map { record in columns.map { $0.get(record) } }
    }

    /// Inserts a row of values, or replaces the one with the same key.
    package func putRow(_ row: [SQLValue], in transaction: any WriteTransaction) throws {
        try transaction.execute(SQL(unsafeText: putText, bindings: row))
        if let key = columns.firstIndex(where: { $0.name == keys[0] }) { transaction.rows?.forget(name, row[key]) }
    }

    /// The records that a condition (with its ` WHERE …`, ` ORDER BY …`) selects.
    package func all(where condition: SQL, in transaction: any ReadTransaction) throws -> [Record] {
        var statement = SQL(unsafeText: selectText)
        statement.append(condition)
        return try transaction.all(statement, decode)
    }

    /// A row of ``selectText``'s columns as a record.
    package func decode(_ row: any Row) throws -> Record {
        var record = blank
        for column in columns {
            do {
                try column.set(&record, row.value(column.name))
            } catch let error as DatabaseError {
                throw DatabaseError(error.kind, "\(name).\(column.name): \(error.message)", statement: error.statement)
            }
        }
        return record
    }

    /// All records in the order of their keys, one at a time.
    package func each(in transaction: any ReadTransaction, _ body: (Record) throws -> Void) throws {
        let order = SQL(unsafeText: "\(selectText) ORDER BY \(keys.joined(separator: ", "))")
        try transaction.scan(order) { row in
            try body(decode(row))
            return true
        }
    }

    /// All rows in the order of their keys, as values: what a comparison of two databases reads. The values are those that
    /// would be written, so they are the same whatever database the rows are in.
    package func eachRow(in transaction: any ReadTransaction, _ body: ([SQLValue]) throws -> Void) throws {
        try each(in: transaction) { record in try body(columns.map { $0.get(record) }) }
    }
}

/// One column: its name and type, and the member of the record it holds.
package struct Column<Record: Sendable>: Sendable {
    package let name: String
    package let kind: ColumnKind
    package let isNullable: Bool
    package let get: @Sendable (Record) -> SQLValue
    package let set: @Sendable (inout Record, SQLValue) throws -> Void

    package init(
        _ name: String, _ kind: ColumnKind, isNullable: Bool, get: @escaping @Sendable (Record) -> SQLValue,
        set: @escaping @Sendable (inout Record, SQLValue) throws -> Void
    ) {
        (self.name, self.kind, self.isNullable, self.get, self.set) = (name, kind, isNullable, get, set)
    }

    /// A member that may be nil makes a column that may be null.
    package init<Value: SQLStorable>(
        _ name: String, _ member: any WritableKeyPath<Record, Value> & Sendable
    ) {
        self.init(name, Value.columnKind, isNullable: Value.self is any OptionalValue.Type) {
            $0[keyPath: member].sqlValue
        } set: {
            $0[keyPath: member] = try Value(sqlValue: $1)
        }
    }
}

private protocol OptionalValue {}
extension Optional: OptionalValue {}
