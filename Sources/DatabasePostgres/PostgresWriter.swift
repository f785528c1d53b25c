#if Postgres
    import DatabaseCore
    import Platform
    import Synchronization

    /// The connection that writes. Of all processes on one database, one writes at a time: its turn lasts a transaction,
    /// and an advisory lock hands it on. So a command sees all that was committed before it, whoever did it, and what is
    /// numbered in one turn is visible before the next begins (docs/decisions/0011).
    ///
    /// While nobody else writes, it does not wait to learn so: a statement that fails if somebody has goes out ahead of the
    /// others, and then the turn is taken again with open eyes.
    final class PostgresWriter: WriterConnection {
        /// The turn: any number that nobody else uses on the same database.
        private static let turnKey: Int64 = 0x616F_735F_7475_726E
        /// Held by every writer while it is connected, so that each can tell how many others there are.
        static let presenceKey: Int64 = 0x616F_735F_6865_7265
        private static let looksAfterOthers = 32
        /// How long the server's clock is reckoned from ours before it is asked again.
        private static let clockNanoseconds: Int64 = 1_000_000_000
        private static let begin: SQL = "BEGIN ISOLATION LEVEL READ COMMITTED"
        private static let takeTurn = SQL(unsafeText: "SELECT pg_advisory_xact_lock(\(turnKey))")
        private static let lookAround: SQL = """
            SELECT writer, (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms FROM op_writer
            """

        private let settings: PostgresSettings
        private let gate: ConnectionGate
        private let onRecovery: @Sendable (any WriteTransaction) throws -> Void
        private let ownProcess: OwnProcess
        /// Names this writer in `op_writer`, where the last one to write leaves its name.
        private let name: String
        private var connection: PostgresConnection?
        private var epoch = 0 { didSet { rows.clear() } }
        private let rows = RowCache()
        private var turnsOfOthers = 0
        private var isLastWriter = false
        /// Turns to be begun by looking whether somebody else has written, before it is taken for granted that nobody has.
        private var turnsToLook = looksAfterOthers
        /// The server's clock at a moment of ours.
        private var clock: (serverMs: Int64, ownNs: Int64) = (0, 0)
        private var wasDown = false

        init(
            _ connection: PostgresConnection, _ settings: PostgresSettings, _ gate: ConnectionGate, name: String,
            _ ownProcess: OwnProcess, onRecovery: @escaping @Sendable (any WriteTransaction) throws -> Void
        ) {
            (self.connection, self.settings, self.gate, self.name) = (connection, settings, gate, name)
            (self.ownProcess, self.onRecovery) = (ownProcess, onRecovery)
            ownProcess.id = connection.serverProcess
        }

        func begin() throws(DatabaseError) -> PostgresWriteTransaction {
            do throws(DatabaseError) {
                let transaction = try take()
                guard wasDown else { return transaction }
                try recover(transaction)
                return transaction
            } catch {
                if error.kind == .unavailable { wasDown = true }
                throw error
            }
        }

        /// A turn, if need be on a new connection.
        private func take() throws(DatabaseError) -> PostgresWriteTransaction {
            if let connection {
                do throws(DatabaseError) {
                    return try take(connection)
                } catch {
                    // Cut while it lay idle: nothing is lost, and a new one may do.
                    guard connection.hasFailed else { throw error }
                    self.connection = nil
                }
            }
            let fresh = try gate.open(settings, for: .writing)
            try Self.announce(fresh)
            (connection, ownProcess.id) = (fresh, fresh.serverProcess)
            epoch += 1
            return try take(fresh)
        }

        private func take(_ connection: PostgresConnection) throws(DatabaseError) -> PostgresWriteTransaction {
            try connection.send(Self.begin)
            try connection.send(Self.takeTurn)
            let nowNs = SystemClock().monotonicNanoseconds()
            if isLastWriter, turnsToLook == 0, nowNs - clock.ownNs < Self.clockNanoseconds {
                try connection.send("SELECT op_require_writer(\(name))")
                return transaction(on: connection, atMs: clock.serverMs + (nowNs - clock.ownNs) / 1_000_000)
            }
            let around = try connection.query(Self.lookAround)
            guard around.rows == 1 else {
                throw DatabaseError(.statement, "op_writer: expected one row, found \(around.rows)")
            }
            do {
                let row = PostgresRow(result: around, row: 0)
                isLastWriter = try row.get("writer") == name
                if isLastWriter {
                    turnsToLook = max(0, turnsToLook - 1)
                } else {
                    (epoch, turnsOfOthers, turnsToLook) = (epoch + 1, turnsOfOthers + 1, Self.looksAfterOthers)
                }
                clock = (try row.get("ms"), SystemClock().monotonicNanoseconds())
                return transaction(on: connection, atMs: clock.serverMs)
            } catch {
                throw error as? DatabaseError ?? DatabaseError(.statement, "\(error)")
            }
        }

        private func transaction(on connection: PostgresConnection, atMs: Int64) -> PostgresWriteTransaction {
            PostgresWriteTransaction(
                connection, cacheEpoch: epoch, turnsOfOthers: turnsOfOthers, clockMs: atMs, rows)
        }

        static func announce(_ connection: PostgresConnection) throws(DatabaseError) {
            try connection.run("SELECT pg_advisory_lock_shared(\(presenceKey))")
        }

        private func recover(_ transaction: PostgresWriteTransaction) throws(DatabaseError) {
            do {
                try onRecovery(transaction)
                wasDown = false
            } catch {
                throw error as? DatabaseError ?? DatabaseError(.statement, "\(error)")
            }
        }

        func commit(_ transaction: PostgresWriteTransaction) throws(DatabaseError) {
            guard let connection else { throw DatabaseError(.unavailable, "the connection to Postgres was lost") }
            try transaction.sendLast()
            if !isLastWriter, transaction.changes > 0 || transaction.mustLeaveMark {
                try connection.send("UPDATE op_writer SET writer = \(name)")
            }
            if transaction.changes > 0 { try connection.send(PostgresListener.notification) }
            // Goes out together with all that has not been waited for: an error of any of it makes the server pass over the
            // rest, the commit included. Only when the connection is lost from here on, the outcome is not known.
            try connection.send("COMMIT")
            do throws(DatabaseError) {
                let result = try connection.finish()
                guard result?.command == "COMMIT" else {
                    throw DatabaseError(.statement, "the transaction had failed before; Postgres rolled it back")
                }
                isLastWriter = isLastWriter || transaction.changes > 0 || transaction.mustLeaveMark
            } catch {
                guard connection.hasFailed, transaction.changes > 0 else { throw error }
                throw DatabaseError(
                    error.kind, error.message + "; whether the last commands were recorded is not known, ask again")
            }
        }

        func rollBack() {
            (epoch, turnsToLook) = (epoch + 1, max(turnsToLook, 1))
            guard let connection else { return }
            do throws(DatabaseError) {
                // Errors of what was sent before are known already.
                _ = try? connection.finish()
                guard !connection.hasFailed else { throw DatabaseError(.unavailable, "lost") }
                try connection.run("ROLLBACK")
            } catch { self.connection = nil }
        }

        var isBroken: Bool { connection?.isTransactionBroken ?? true }

        func scrub() -> Bool { false }

        func afterTransaction(isIdle: Bool) {}

        func close() { connection = nil }
    }

    /// The server's process that writes for us, so that the listener knows our own notifications.
    final class OwnProcess: Sendable {
        private let value = Atomic<Int32>(0)
        var id: Int32 {
            get { value.load(ordering: .relaxed) }
            set { value.store(newValue, ordering: .relaxed) }
        }
    }

    /// Opens connections, and while the server is away, asks it only now and then: whoever comes in between is told at
    /// once what was found last.
    final class ConnectionGate: Sendable {
        static let pauseMilliseconds: Int64 = 200

        private struct Failure {
            var untilMs: Int64
            var error: DatabaseError
        }

        private let failure = Mutex<Failure?>(nil)
        private let clock = SystemClock()

        func open(
            _ settings: PostgresSettings, for use: PostgresConnection.Use
        ) throws(DatabaseError) -> PostgresConnection {
            if let failure = failure.withLock({ $0 }), clock.monotonicMilliseconds() < failure.untilMs {
                throw failure.error
            }
            do throws(DatabaseError) {
                let connection = try PostgresConnection(settings, for: use)
                failure.withLock { $0 = nil }
                return connection
            } catch {
                let until = clock.monotonicMilliseconds() + Self.pauseMilliseconds
                failure.withLock { $0 = Failure(untilMs: until, error: error) }
                throw error
            }
        }
    }
#endif
