#if Postgres
    import DatabaseCore
    import Platform

    /// What reading and writing transactions have in common: statements on a connection that is in one.
    class PostgresReadTransaction: ReadTransaction {
        /// Rows that a scan takes at once.
        private static let scanRows = 200

        fileprivate var connection: PostgresConnection
        private var scans = 0
        let rows: RowCache?

        fileprivate init(_ connection: PostgresConnection, _ rows: RowCache? = nil) {
            (self.connection, self.rows) = (connection, rows)
        }

        var backend: Backend { .postgres }

        func each(_ statement: SQL, _ body: (any Row) throws -> Bool) throws {
            let result = try query(statement)
            for row in 0..<result.rows {
                if try !body(PostgresRow(result: result, row: row)) { return }
            }
        }

        func scan(_ statement: SQL, _ body: (any Row) throws -> Bool) throws {
            scans += 1
            let name = "scan_\(scans)"
            var declaration = SQL(unsafeText: "DECLARE \(name) NO SCROLL CURSOR FOR ")
            declaration.append(statement)
            try send(declaration)
            var isDone = false
            while !isDone {
                let result = try connection.query(unprepared: "FETCH FORWARD \(Self.scanRows) FROM \(name)")
                isDone = result.rows < Self.scanRows
                for row in 0..<result.rows {
                    if try !body(PostgresRow(result: result, row: row)) {
                        isDone = true
                        break
                    }
                }
            }
            try send(SQL(unsafeText: "CLOSE \(name)"))
        }

        func clockMilliseconds() throws -> Int64? {
            try first("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms") { try $0.get("ms") }
        }

        fileprivate func query(_ statement: SQL) throws(DatabaseError) -> PostgresResult {
            try connection.query(Self.storable(statement))
        }

        fileprivate func send(_ statement: SQL) throws(DatabaseError) {
            try connection.send(Self.storable(statement))
        }

        /// Postgres has no text with NUL, and our own has none either; what comes in as part of an address is looked for
        /// and, being nowhere, not found. U+FFFF is no character (Unicode, 23.7), so nothing that is stored has it.
        private static func storable(_ statement: SQL) -> SQL {
            func hasNUL(_ value: SQLValue) -> Bool {
                switch value {
                case .text(let text): text.utf8.contains(0)
                case .utf8(let bytes): bytes.contains(0)
                default: false
                }
            }
            guard statement.bindings.contains(where: hasNUL) else { return statement }
            return SQL(
                unsafeText: statement.text,
                bindings: statement.bindings.map { hasNUL($0) ? .text("\u{FFFF}") : $0 })
        }
    }

    /// A snapshot. It begins with its first statement, and is given up without waiting.
    final class PostgresSnapshot: PostgresReadTransaction {
        private static let begin: SQL = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        private let reconnect: () throws(DatabaseError) -> PostgresConnection
        private var hasRead = false

        /// - Parameter reconnect: Another connection in place of one that the server has closed meanwhile.
        init(
            _ connection: PostgresConnection, reconnect: @escaping () throws(DatabaseError) -> PostgresConnection
        ) {
            self.reconnect = reconnect
            super.init(connection)
        }

        /// The connection, when it can be used again.
        func end() -> PostgresConnection? {
            guard !connection.hasFailed else { return nil }
            guard hasRead else { return connection }
            do throws(DatabaseError) {
                if connection.isTransactionBroken {
                    try connection.send("ROLLBACK")
                    try connection.finish()
                } else {
                    try connection.send("COMMIT")
                    try connection.flush()
                }
                return connection
            } catch { return nil }
        }

        override fileprivate func query(_ statement: SQL) throws(DatabaseError) -> PostgresResult {
            try first { snapshot throws(DatabaseError) in try snapshot.rawQuery(statement) }
        }

        override fileprivate func send(_ statement: SQL) throws(DatabaseError) {
            try first { snapshot throws(DatabaseError) in try snapshot.rawSend(statement) }
        }

        private func rawQuery(_ statement: SQL) throws(DatabaseError) -> PostgresResult { try super.query(statement) }
        private func rawSend(_ statement: SQL) throws(DatabaseError) { try super.send(statement) }

        /// Nothing is lost when the first statement finds the connection closed: the server was restarted while it lay idle.
        private func first<Value>(
            _ body: (PostgresSnapshot) throws(DatabaseError) -> Value
        ) throws(DatabaseError) -> Value {
            guard !hasRead else { return try body(self) }
            do throws(DatabaseError) {
                try connection.finish()
                try connection.send(Self.begin)
                hasRead = true
                return try body(self)
            } catch {
                guard connection.hasFailed else { throw error }
                connection = try reconnect()
                try connection.send(Self.begin)
                hasRead = true
                return try body(self)
            }
        }
    }

    /// The one transaction that writes.
    final class PostgresWriteTransaction: PostgresReadTransaction, WriteTransaction {
        let cacheEpoch: Int
        let turnsOfOthers: Int
        private(set) var changes = 0
        private(set) var mustLeaveMark = false
        private let (clockMs, beganNs): (Int64, Int64)
        /// What ``executeLast(_:_:)`` was given and has not been sent yet, in the order of the keys' first use.
        private var (lastKeys, lastStatements): ([String], [String: SQL]) = ([], [:])

        init(
            _ connection: PostgresConnection, cacheEpoch: Int, turnsOfOthers: Int, clockMs: Int64, _ rows: RowCache
        ) {
            (self.cacheEpoch, self.turnsOfOthers, self.clockMs) = (cacheEpoch, turnsOfOthers, clockMs)
            beganNs = SystemClock().monotonicNanoseconds()
            super.init(connection, rows)
        }

        func execute(_ statement: SQL) throws {
            changes += 1
            try send(statement)
        }

        func executeLast(_ key: String, _ statement: SQL) throws {
            changes += 1
            if lastStatements.updateValue(statement, forKey: key) == nil { lastKeys.append(key) }
        }

        func update(_ statement: SQL) throws -> Int {
            changes += 1
            return try query(statement).changed
        }

        /// Sends what was put off.
        func sendLast() throws(DatabaseError) {
            guard !lastKeys.isEmpty else { return }
            let statements = lastKeys.compactMap { lastStatements[$0] }
            (lastKeys, lastStatements) = ([], [:])
            for statement in statements { try super.send(statement) }
        }

        override fileprivate func query(_ statement: SQL) throws(DatabaseError) -> PostgresResult {
            try sendLast()
            return try super.query(statement)
        }

        override func scan(_ statement: SQL, _ body: (any Row) throws -> Bool) throws {
            try sendLast()
            try super.scan(statement, body)
        }

        func leaveMark() { mustLeaveMark = true }

        /// Each writer holds a shared lock for as long as it is connected (``PostgresWriter``).
        func otherWriters() throws -> Int {
            try first(
                """
                SELECT count(*) AS others FROM pg_locks
                WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND mode = 'ShareLock' AND granted AND pid <> pg_backend_pid()
                    AND (classid::bigint << 32 | objid::bigint) = \(PostgresWriter.presenceKey)
                """
            ) { try $0.get("others") } ?? 0
        }

        /// Asked once, when the transaction began; what has passed since is measured here.
        override func clockMilliseconds() throws -> Int64? {
            clockMs + (SystemClock().monotonicNanoseconds() - beganNs) / 1_000_000
        }
    }
#endif
