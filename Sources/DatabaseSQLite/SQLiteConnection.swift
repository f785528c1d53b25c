import CSQLite
import DatabaseCore

/// One connection to one file, used by one thread at a time.
///
/// `@unchecked Sendable` holds because a connection is owned: the writer's by the writer's thread, a reader by whoever
/// took it out of the pool. SQLite is opened without its own mutexes for the same reason.
final class SQLiteConnection: @unchecked Sendable {
    let handle: OpaquePointer
    private var statements: [String: SQLiteStatement] = [:]
    private var isOpen = true
    private static let statementsMax = 256

    init(path: String, flags: Int32) throws(DatabaseError) {
        var handle: OpaquePointer?
        let result = sqlite3_open_v2(path, &handle, flags | SQLITE_OPEN_NOMUTEX, nil)
        guard result == SQLITE_OK, let handle else {
            let message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(handle)
            throw DatabaseError(.storage, "cannot open \(path): \(message)")
        }
        self.handle = handle
        sqlite3_extended_result_codes(handle, 1)
    }

    deinit { close() }

    /// Lets go of the file. The connection is of no use afterwards.
    func close() {
        guard isOpen else { return }
        isOpen = false
        statements.removeAll()
        sqlite3_close_v2(handle)
    }

    /// A statement, compiled once. It is reset and unbound.
    func statement(_ text: String) throws(DatabaseError) -> SQLiteStatement {
        if let statement = statements[text] { return statement }
        let statement = try SQLiteStatement(text, on: self)
        if statements.count >= Self.statementsMax { statements.removeAll() }
        statements[text] = statement
        return statement
    }

    @discardableResult
    func execute(_ statement: SQL) throws(DatabaseError) -> Int {
        let prepared = try self.statement(statement.text)
        try prepared.bind(statement.bindings)
        defer { prepared.reset() }
        while try prepared.step() {}
        return Int(sqlite3_changes64(handle))
    }

    func each(_ statement: SQL, _ body: (any Row) throws -> Bool) throws {
        var prepared = try self.statement(statement.text)
        // The same statement may be under way in an outer loop.
        if prepared.isBusy { prepared = try SQLiteStatement(statement.text, on: self) }
        try prepared.bind(statement.bindings)
        prepared.isBusy = true
        defer {
            prepared.isBusy = false
            prepared.reset()
        }
        while try prepared.step() {
            if try !body(prepared) { return }
        }
    }

    /// Runs text that is no cached statement: pragmas and schema.
    func run(_ text: String) throws(DatabaseError) {
        guard sqlite3_exec(handle, text, nil, nil, nil) == SQLITE_OK else { throw error(text) }
    }

    /// The first column of the first row.
    func scalar(_ text: String) throws(DatabaseError) -> SQLValue {
        let statement = try SQLiteStatement(text, on: self)
        return try statement.step() ? statement.value(at: 0) : .null
    }

    func error(_ statement: String?) -> DatabaseError {
        let code = sqlite3_extended_errcode(handle)
        let kind: DatabaseError.Kind =
            switch code & 0xFF {
            case SQLITE_CONSTRAINT: .constraint
            case SQLITE_FULL: .full
            case SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PROTOCOL:
                .storage
            default: .statement
            }
        return DatabaseError(kind, "\(String(cString: sqlite3_errmsg(handle))) (SQLite \(code))", statement: statement)
    }
}

/// A compiled statement and, while it is stepped, its current row.
final class SQLiteStatement: Row {
    private let handle: OpaquePointer
    // The connection outlives its cached statements; a statement outside the cache lives within one call.
    private unowned let connection: SQLiteConnection
    private let text: String
    /// For each parameter of the statement, in the order of their appearance, which value it is: `$2` may stand before
    /// `$1`, and SQLite numbers them as they come.
    private let places: [Int]
    private lazy var columns: [String: Int32] = {
        var columns: [String: Int32] = [:]
        for index in 0..<sqlite3_column_count(handle) {
            columns[String(cString: sqlite3_column_name(handle, index))] = index
        }
        return columns
    }()
    var isBusy = false

    init(_ text: String, on connection: SQLiteConnection) throws(DatabaseError) {
        var handle: OpaquePointer?
        let result = sqlite3_prepare_v3(
            connection.handle, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard result == SQLITE_OK, let handle else { throw connection.error(text) }
        (self.handle, self.connection, self.text) = (handle, connection, text)
        places = (0..<sqlite3_bind_parameter_count(handle)).map { index in
            let name = sqlite3_bind_parameter_name(handle, index + 1).map { String(cString: $0) }
            return name.flatMap { Int($0.dropFirst()) }.map { $0 - 1 } ?? Int(index)
        }
    }

    deinit { sqlite3_finalize(handle) }

    func bind(_ values: [SQLValue]) throws(DatabaseError) {
        guard places.count == values.count, places.allSatisfy(values.indices.contains) else {
            throw DatabaseError(
                .statement, "the statement names \(places.count) values, \(values.count) are given", statement: text)
        }
        for (index, place) in places.enumerated() {
            let position = Int32(index + 1)
            let result =
                switch values[place] {
                case .null: sqlite3_bind_null(handle, position)
                case .integer(let value): sqlite3_bind_int64(handle, position, value)
                case .real(let value): sqlite3_bind_double(handle, position, value)
                case .text(var text), .time(_, var text): text.withUTF8 { bindText($0, at: position) }
                case .utf8(let bytes): bytes.withUnsafeBufferPointer { bindText($0, at: position) }
                case .blob(let bytes):
                    bytes.withUnsafeBytes {
                        $0.isEmpty
                            ? sqlite3_bind_zeroblob(handle, position, 0)
                            : sqlite3_bind_blob64(
                                handle, position, $0.baseAddress, sqlite3_uint64($0.count), Self.transient)
                    }
                }
            guard result == SQLITE_OK else { throw connection.error(text) }
        }
    }

    private func bindText(_ text: UnsafeBufferPointer<UInt8>, at position: Int32) -> Int32 {
        guard let base = text.baseAddress, !text.isEmpty else {
            return sqlite3_bind_text(handle, position, "", 0, nil)
        }
        return base.withMemoryRebound(to: CChar.self, capacity: text.count) {
            sqlite3_bind_text64(
                handle, position, $0, sqlite3_uint64(text.count), Self.transient, UInt8(SQLITE_UTF8))
        }
    }

    /// SQLite copies the bytes before the call returns.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    /// False at the end.
    func step() throws(DatabaseError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let error = connection.error(text)
            sqlite3_reset(handle)
            throw error
        }
    }

    func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    func value(_ column: String) throws -> SQLValue { value(at: try index(of: column)) }

    func bytes(_ column: String) throws -> [UInt8] {
        let index = try index(of: column)
        guard sqlite3_column_type(handle, index) != SQLITE_NULL else {
            throw DatabaseError.unexpectedValue(expected: "bytes in \(column)", found: .null)
        }
        return copy(at: index)
    }

    func value(at index: Int32) -> SQLValue {
        switch sqlite3_column_type(handle, index) {
        case SQLITE_INTEGER: .integer(sqlite3_column_int64(handle, index))
        case SQLITE_FLOAT: .real(sqlite3_column_double(handle, index))
        case SQLITE_TEXT: .text(String(decoding: buffer(at: index), as: UTF8.self))
        case SQLITE_BLOB: .blob(copy(at: index))
        default: .null
        }
    }

    /// All columns of the current row, in their order.
    var row: [SQLValue] { (0..<sqlite3_column_count(handle)).map { value(at: $0) } }

    private func buffer(at index: Int32) -> UnsafeRawBufferPointer {
        let start = sqlite3_column_blob(handle, index)
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, index)))
    }

    private func copy(at index: Int32) -> [UInt8] { Array(buffer(at: index)) }

    private func index(of column: String) throws(DatabaseError) -> Int32 {
        guard let index = columns[column] else {
            throw DatabaseError(.statement, "no column \(column) in the answer", statement: text)
        }
        return index
    }
}
