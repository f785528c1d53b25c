#if Postgres
    package import DatabaseCore
    package import Platform
    import Synchronization

    /// Postgres: a writer that groups commits and takes turns with the writers of other processes, and a pool of readers.
    package final class PostgresDatabase: Database {
        private let settings: PostgresSettings
        private let committer: GroupCommitter
        private let gate = ConnectionGate()
        private let ownProcess = OwnProcess()
        private let readers: ReaderPool<PostgresConnection>
        private let writer: Thread
        private let listeners = Mutex<[(PostgresListener, Thread)]>([])
        /// What an operator should know about the server, a sentence each.
        package let remarks: [String]

        /// Connects, applies what migrations the database lacks, and starts the writer.
        /// - Parameters:
        ///   - migrationURL: Where to connect for migrations, as a role that may change the schema; the role of `settings`
        ///     is then given what it needs and no more.
        ///   - appendOnly: Tables of which that role may change and remove nothing, but for the columns that are named.
        ///   - batchWorksMax: 1 gives each command a transaction of its own: for measuring what sharing is worth.
        ///   - onRecovery: The first thing that is done when the server is back after it was away.
        ///   - onBatch: Called on the writer's thread after each transaction, before its works hear of it.
        /// - Throws: ``DatabaseError`` when the server cannot be reached or is not fit for us, or the schema is newer.
        package init(
            _ settings: PostgresSettings, migrations: [Migration], migrationURL: String? = nil,
            appendOnly: [String: [String]] = [:], batchWorksMax: Int = GroupCommitter.batchWorksMax,
            entropy: any Entropy = SystemEntropy(),
            onRecovery: @escaping @Sendable (any WriteTransaction) throws -> Void = { _ in },
            onBatch: @escaping @Sendable (WriteBatch) -> Void = { _ in }
        ) throws(DatabaseError) {
            self.settings = settings
            readers = ReaderPool(connectionsMax: settings.readersMax)
            let connection = try PostgresConnection(settings, for: .writing)
            var migrating = settings
            migrating.url = migrationURL ?? settings.url
            try PostgresMigrator.migrate(
                migrating, migrations,
                grantingTo: migrationURL == nil ? nil : try connection.text("SELECT current_user::text AS value"),
                appendOnly: appendOnly)
            remarks = try Self.inspect(connection, appendOnly)
            try PostgresWriter.announce(connection)
            committer = GroupCommitter(
                batchWorksMax: batchWorksMax, entropy: entropy, onStorageFault: { _ in }, onBatch: onBatch)
            let name = entropy.bytes(8).map { String($0, radix: 16) }.joined()
            writer = committer.start(
                PostgresWriter(connection, settings, gate, name: name, ownProcess, onRecovery: onRecovery))
        }

        package var backend: Backend { .postgres }

        /// Dead rows go with the server's VACUUM, its WAL with its own time: nothing that we could promise.
        package func scrub(then: @escaping @Sendable (Bool) -> Void) { committer.scrub(then: then) }

        package func write<Value: Sendable>(
            _ work: @escaping @Sendable (any WriteTransaction) throws -> Value,
            then: @escaping @Sendable (Result<Value, any Error>) -> Void
        ) {
            committer.write(work, then: then)
        }

        package var lastCommitMicroseconds: Int64? { committer.lastCommitMicroseconds }

        package var queuedWorks: Int { committer.queuedWorks }

        package func read<Value>(_ work: (any ReadTransaction) throws -> Value) throws -> Value {
            let open = { [gate, settings] () throws(DatabaseError) in try gate.open(settings, for: .reading) }
            let snapshot = try PostgresSnapshot(readers.take(open), reconnect: open)
            defer { readers.give(snapshot.end()) }
            return try work(snapshot)
        }

        package func onOthersCommit(_ onMore: @escaping @Sendable () -> Void) {
            let listener = PostgresListener(settings, ownProcess, onMore: onMore)
            listeners.withLock { $0.append((listener, listener.start())) }
        }

        package func close() {
            for (listener, thread) in listeners.withLock({ $0 }) {
                listener.stop()
                thread.join()
            }
            committer.close()
            readers.closeIdle()
            writer.join()
        }

        /// What must hold before anything is acknowledged, and what had better hold.
        private static func inspect(
            _ connection: PostgresConnection, _ appendOnly: [String: [String]]
        ) throws(DatabaseError) -> [String] {
            var remarks: [String] = []
            guard try connection.text("SELECT current_setting('synchronous_commit') AS value") != "off" else {
                throw DatabaseError(
                    .storage,
                    "synchronous_commit: expected on, found off; an acknowledged event could be lost, refusing to write"
                )
            }
            if try connection.text("SELECT current_setting('fsync') AS value") == "off" {
                remarks.append(
                    "fsync is off on the Postgres server: acknowledged events can be lost when its machine fails")
            }
            for table in appendOnly.keys.sorted()
            where try connection.text("SELECT has_table_privilege(\(table), 'UPDATE')::text AS value") == "true" {
                remarks.append(
                    "the role of DATABASE_URL could change \(table) if it dropped the triggers: set DATABASE_MIGRATION_URL"
                )
                break
            }
            return remarks
        }
    }
#endif
