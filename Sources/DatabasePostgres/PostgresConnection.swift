#if Postgres
    import CPostgres
    import DatabaseCore

    /// One connection to the server, used by one thread at a time.
    ///
    /// Statements are prepared once and sent in libpq's pipeline mode: those whose outcome nobody has to know before the
    /// next one is sent go out together, and their results are taken with the next one that is waited for.
    ///
    /// `@unchecked Sendable` holds because a connection is owned: by the writer's thread, the listener's, or whoever took
    /// it out of the pool.
    final class PostgresConnection: @unchecked Sendable {
        /// Statements kept prepared; more, and all are prepared anew.
        private static let statementsMax = 512
        /// Results that may be waiting to be taken. Small ones: the server must not get stuck on sending them while we
        /// get stuck on sending to it.
        private static let outstandingMax = 1_000
        /// So many bytes go out at once, for the server to begin with while more is made.
        private static let flushBytes = 4_096

        let handle: OpaquePointer
        private var statements: [String: Prepared] = [:]
        private var preparedCount = 0
        private var outstanding: [Outstanding] = []
        private var isInPipeline = false
        private var unsentBytes = 0
        private(set) var hasFailed = false
        private var lostError: DatabaseError?

        /// A statement that the server knows by name.
        final class Prepared {
            let name: String
            let text: String
            /// Which column is where; known with the first answer.
            var columns: [String: Int32]?
            init(name: String, text: String) { (self.name, self.text) = (name, text) }
        }

        private enum Outstanding {
            case preparation(Prepared)
            case statement(Prepared)
            case synchronization
        }

        /// What a connection is for: that decides how long the server has patience with it.
        enum Use {
            case reading, writing
            case migrating(lockMilliseconds: Int64)
        }

        init(_ settings: PostgresSettings, for use: Use) throws(DatabaseError) {
            guard let handle = settings.connect() else {
                throw DatabaseError(.unavailable, "libpq is out of memory")
            }
            guard PQstatus(handle) == CONNECTION_OK else {
                let message = PostgresError.oneLine(PQerrorMessage(handle))
                PQfinish(handle)
                throw DatabaseError(.unavailable, "Postgres cannot be reached (DATABASE_URL): \(message)")
            }
            self.handle = handle
            try run(settings.sessionText(for: use))
        }

        deinit { PQfinish(handle) }

        var serverProcess: Int32 { PQbackendPID(handle) }

        /// Whether the transaction can only be rolled back.
        var isTransactionBroken: Bool {
            switch PQtransactionStatus(handle) {
            case PQTRANS_INERROR, PQTRANS_UNKNOWN: true
            default: hasFailed
            }
        }

        // MARK: Statements

        /// Runs text without values, of one or more statements, and waits for it.
        func run(_ text: String) throws(DatabaseError) {
            try finish()
            if isInPipeline {
                PQexitPipelineMode(handle)
                isInPipeline = false
            }
            let result = PQexec(handle, text)
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return
            default: throw error(result, statement: text)
            }
        }

        /// Sends a statement with its values; its result, which nobody needs but for its error, is taken later.
        func send(_ statement: SQL) throws(DatabaseError) {
            if outstanding.count >= Self.outstandingMax { try finish() }
            try enterPipeline(statement.text)
            let prepared = try prepare(statement.text)
            guard Self.send(prepared.name, statement.bindings, on: handle) else {
                throw error(nil, statement: statement.text)
            }
            outstanding.append(.statement(prepared))
            unsentBytes += Self.size(of: statement.bindings)
            if unsentBytes >= Self.flushBytes {
                unsentBytes = 0
                guard PQflush(handle) == 0 else { throw error(nil, statement: statement.text) }
            }
        }

        private static func size(of values: [SQLValue]) -> Int {
            values.reduce(0) { sum, value in
                switch value {
                case .null, .integer, .real, .time: sum + 24
                case .text(let text): sum + text.utf8.count
                case .utf8(let bytes), .blob(let bytes): sum + bytes.count
                }
            }
        }

        /// Sends a statement and waits for it, and for all that was sent before.
        func query(_ statement: SQL) throws(DatabaseError) -> PostgresResult {
            try send(statement)
            guard let result = try finish() else {
                throw DatabaseError(.statement, "the statement has no result", statement: statement.text)
            }
            return result
        }

        /// The same for a statement that is not worth keeping, or whose answer has other columns each time.
        func query(unprepared text: String) throws(DatabaseError) -> PostgresResult {
            try enterPipeline(text)
            guard PQsendQueryParams(handle, text, 0, nil, nil, nil, nil, 1) == 1 else {
                throw error(nil, statement: text)
            }
            outstanding.append(.statement(Prepared(name: "", text: text)))
            guard let result = try finish() else {
                throw DatabaseError(.statement, "the statement has no result", statement: text)
            }
            return result
        }

        private func enterPipeline(_ text: String) throws(DatabaseError) {
            if isInPipeline { return }
            guard PQenterPipelineMode(handle) == 1 else { throw error(nil, statement: text) }
            isInPipeline = true
        }

        /// Asks the server to do what was sent, without waiting for it.
        func flush() throws(DatabaseError) {
            guard PQpipelineSync(handle) == 1 else { throw error(nil, statement: nil) }
            outstanding.append(.synchronization)
        }

        /// Waits for all that was sent.
        /// - Returns: The result of the last statement.
        /// - Throws: The first error; what was sent after it has not been done.
        @discardableResult
        func finish() throws(DatabaseError) -> PostgresResult? {
            guard !outstanding.isEmpty else { return nil }
            if case .synchronization = outstanding.last {} else { try flush() }
            defer { outstanding.removeAll(keepingCapacity: true) }
            var (last, failure): (PostgresResult?, DatabaseError?) = (nil, nil)
            for sent in outstanding {
                let result = PQgetResult(handle)
                switch sent {
                case .synchronization:
                    defer { PQclear(result) }
                    guard PQresultStatus(result) == PGRES_PIPELINE_SYNC else {
                        // What would come next is anybody's guess: the connection is of no use any more.
                        let lost = lost(result)
                        throw failure ?? lost
                    }
                    continue
                case .preparation(let prepared):
                    if PQresultStatus(result) != PGRES_COMMAND_OK {
                        // Its name may be taken or not: it is not used again.
                        statements[prepared.text] = nil
                        failure = failure ?? error(result, statement: prepared.text)
                    }
                    PQclear(result)
                case .statement(let prepared):
                    switch PQresultStatus(result) {
                    case PGRES_COMMAND_OK, PGRES_TUPLES_OK: last = PostgresResult(result!, prepared)
                    default:
                        failure = failure ?? error(result, statement: prepared.text)
                        PQclear(result)
                    }
                }
                // A null result ends each statement's; a lost connection has nothing more to say.
                if hasFailed { throw lostError ?? failure ?? lost(nil) }
                while let more = PQgetResult(handle) { PQclear(more) }
            }
            if let failure { throw failure }
            return last
        }

        private func prepare(_ text: String) throws(DatabaseError) -> Prepared {
            if let prepared = statements[text] { return prepared }
            if statements.count >= Self.statementsMax {
                try run("DEALLOCATE ALL")
                statements.removeAll()
                try enterPipeline(text)
            }
            preparedCount += 1
            let prepared = Prepared(name: "s\(preparedCount)", text: text)
            guard PQsendPrepare(handle, prepared.name, text, 0, nil) == 1 else { throw error(nil, statement: text) }
            outstanding.append(.preparation(prepared))
            statements[text] = prepared
            return prepared
        }

        /// From 0001-01-01 to 9999-12-31: Postgres writes other years in another way, and nothing of ours is as far away.
        private static let years: Range<Int64> = -62_135_596_800_000_000..<253_402_300_800_000_000

        /// Values go as text, which every type reads, but for bytes; answers come in binary, which says exactly what is
        /// stored.
        private static func send(_ name: String, _ values: [SQLValue], on handle: OpaquePointer) -> Bool {
            var bytes: [UInt8] = []
            var places: [(start: Int, length: Int32, isBinary: Bool)?] = []
            places.reserveCapacity(values.count)
            for value in values {
                let start = bytes.count
                switch value {
                case .null:
                    places.append(nil)
                    continue
                case .integer(let number): bytes += String(number).utf8
                case .real(let number): bytes += "\(number)".utf8
                case .text(let text): bytes += text.utf8
                case .utf8(let text): bytes += text
                case .blob(let blob): bytes += blob
                case .time(let microseconds, let text):
                    bytes += (years.contains(microseconds) ? text : microseconds < 0 ? "-infinity" : "infinity").utf8
                }
                let isBlob = if case .blob = value { true } else { false }
                places.append((start, Int32(bytes.count - start), isBlob))
                // Text ends with a NUL, and has none inside (see `PostgresTransaction`).
                bytes.append(0)
            }
            return bytes.withUnsafeBufferPointer { buffer in
                // An empty buffer may have no address.
                let base = buffer.baseAddress.map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) }
                let pointers: [UnsafePointer<CChar>?] = places.map { place in place.flatMap { base! + $0.start } }
                let lengths = places.map { $0?.length ?? 0 }
                let formats = places.map { Int32($0?.isBinary == true ? 1 : 0) }
                return PQsendQueryPrepared(handle, name, Int32(values.count), pointers, lengths, formats, 1) == 1
            }
        }

        // MARK: Errors

        private func error(_ result: OpaquePointer?, statement: String?) -> DatabaseError {
            // The server's last words may be there before the connection's end is noticed.
            if PQstatus(handle) == CONNECTION_BAD || PostgresError.isLastWord(result) { return lost(result) }
            return PostgresError.error(result, PQerrorMessage(handle), statement: statement)
        }

        private func lost(_ result: OpaquePointer?) -> DatabaseError {
            hasFailed = true
            let known = PostgresError.oneLine(result.map { PQresultErrorMessage($0) } ?? PQerrorMessage(handle))
            let error = DatabaseError(.unavailable, "the connection to Postgres was lost: \(known)")
            lostError = error
            return error
        }
    }

    /// The rows of one answer.
    final class PostgresResult {
        fileprivate let handle: OpaquePointer
        fileprivate let columns: [String: Int32]
        fileprivate let text: String

        fileprivate init(_ handle: OpaquePointer, _ prepared: PostgresConnection.Prepared) {
            self.handle = handle
            text = prepared.text
            let known = prepared.columns ?? Self.columns(of: handle)
            (prepared.columns, columns) = (known, known)
        }

        deinit { PQclear(handle) }

        var rows: Int32 { PQntuples(handle) }

        /// Rows that a command changed.
        var changed: Int { PQcmdTuples(handle).flatMap { Int(String(cString: $0)) } ?? 0 }

        /// What was done, in a word: `COMMIT`, `INSERT`.
        var command: String { PQcmdStatus(handle).map { String(cString: $0) } ?? "" }

        private static func columns(of handle: OpaquePointer) -> [String: Int32] {
            var columns: [String: Int32] = [:]
            for index in 0..<PQnfields(handle) { columns[String(cString: PQfname(handle, index))] = index }
            return columns
        }
    }

    /// One row, in Postgres's binary format.
    struct PostgresRow: Row {
        /// Types of the answers, by their numbers in the server's `pg_type`.
        private enum TypeID {
            static let bool: Oid = 16, bytea: Oid = 17, name: Oid = 19, int8: Oid = 20, int2: Oid = 21, int4: Oid = 23
            static let text: Oid = 25, json: Oid = 114, float4: Oid = 700, float8: Oid = 701, unknown: Oid = 705
            static let bpchar: Oid = 1042, varchar: Oid = 1043, timestamptz: Oid = 1184, void: Oid = 2278
            static let jsonb: Oid = 3802
        }

        /// Microseconds between 1970, which we count from, and 2000, which Postgres counts from.
        private static let epochMicroseconds: Int64 = 946_684_800_000_000

        let result: PostgresResult
        let row: Int32

        func value(_ column: String) throws -> SQLValue {
            let index = try index(of: column)
            guard PQgetisnull(result.handle, row, index) == 0 else { return .null }
            let type = PQftype(result.handle, index)
            switch type {
            case TypeID.text, TypeID.varchar, TypeID.bpchar, TypeID.name, TypeID.unknown, TypeID.json:
                return .text(String(decoding: buffer(at: index), as: UTF8.self))
            // A version byte stands before the text.
            case TypeID.jsonb: return .text(String(decoding: buffer(at: index).dropFirst(), as: UTF8.self))
            case TypeID.bool, TypeID.int2, TypeID.int4, TypeID.int8: return .integer(integer(at: index))
            case TypeID.timestamptz:
                let (time, isInfinite) = integer(at: index).addingReportingOverflow(Self.epochMicroseconds)
                guard !isInfinite else {
                    throw DatabaseError(.unexpectedValue, "\(column): expected a time, found infinity")
                }
                return .time(microseconds: time, text: "")
            case TypeID.float8: return .real(Double(bitPattern: UInt64(bitPattern: integer(at: index))))
            case TypeID.float4:
                return .real(Double(Float(bitPattern: UInt32(truncatingIfNeeded: integer(at: index)))))
            case TypeID.bytea: return .blob(Array(buffer(at: index)))
            case TypeID.void: return .null
            default:
                throw DatabaseError(.statement, "column \(column) has a type (\(type)) that nobody reads here")
            }
        }

        func bytes(_ column: String) throws -> [UInt8] {
            let index = try index(of: column)
            guard PQgetisnull(result.handle, row, index) == 0 else {
                throw DatabaseError.unexpectedValue(expected: "bytes in \(column)", found: .null)
            }
            let isVersioned = PQftype(result.handle, index) == TypeID.jsonb
            return Array(buffer(at: index).dropFirst(isVersioned ? 1 : 0))
        }

        private func buffer(at index: Int32) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(
                start: PQgetvalue(result.handle, row, index), count: Int(PQgetlength(result.handle, row, index)))
        }

        /// Big-endian, of any width.
        private func integer(at index: Int32) -> Int64 {
            let bytes = buffer(at: index)
            let isNegative = bytes.count > 1 && bytes.first.map { $0 & 0x80 != 0 } ?? false
            return bytes.reduce(isNegative ? -1 : 0) { $0 << 8 | Int64($1) }
        }

        private func index(of column: String) throws(DatabaseError) -> Int32 {
            guard let index = result.columns[column] else {
                throw DatabaseError(.statement, "no column \(column) in the answer", statement: result.text)
            }
            return index
        }
    }
#endif
