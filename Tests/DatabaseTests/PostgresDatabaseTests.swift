#if Postgres
    import DatabaseCore
    import DatabasePostgres
    import Platform
    import PostgresTestSupport
    import Testing

    /// What Postgres adds to the conformance suite: migrations, roles, lost connections, several writers.
    @Suite(.enabled(if: TestBackends.serverURL != nil)) struct PostgresDatabaseTests {
        private let server: ScratchPostgres

        init() throws { server = try ScratchPostgres() }

        private func open(
            _ migrations: [Migration] = [wordsMigration], lockMilliseconds: Int64 = 10_000,
            onRecovery: @escaping @Sendable (any WriteTransaction) throws -> Void = { _ in }
        ) throws -> PostgresDatabase {
            var settings = PostgresSettings(url: server.url)
            settings.lockMilliseconds = lockMilliseconds
            return try PostgresDatabase(settings, migrations: migrations, onRecovery: onRecovery)
        }

        /// Ends the connections of our programs, as a failing network or an administrator does.
        private func cutConnections() throws {
            try server.run(
                """
                SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'aos-api'
                """)
        }

        // MARK: Migrations

        @Test("Each migration is applied once, in order, also when several processes start together")
        func migrationsOnce() throws {
            let steps = (1...6).map { number in
                Migration(
                    number, "step \(number)", sqlite: [],
                    postgres: (number == 1
                        ? ["CREATE TABLE trail (place BIGSERIAL, number BIGINT NOT NULL)"] as [SQL] : [])
                        + [SQL(unsafeText: "INSERT INTO trail (number) VALUES (\(number))")])
            }
            for count in [1, 3, 6] {
                let opened = Monitor<[PostgresDatabase]>([])
                let starters = (0..<4).map { _ in
                    Thread.start("starter") {
                        let database = Result { try open(Array(steps.prefix(count))) }
                        if case .failure(let error) = database { Issue.record("\(error)") }
                        opened.update { $0.append(try! database.get()) }
                    }
                }
                for starter in starters { #expect(starter.join(milliseconds: 30_000)) }
                for database in opened.read({ $0 }) {
                    let trail = try database.read {
                        try $0.all("SELECT number FROM trail ORDER BY place") { try $0.get("number", as: Int.self) }
                    }
                    #expect(trail == Array(1...count))
                    #expect(try database.schemaVersion() == count)
                    database.close()
                }
            }
        }

        @Test("A schema that is newer than the program is refused, and nothing is changed")
        func newerSchema() throws {
            let second = Migration(2, "more", sqlite: [], postgres: ["CREATE TABLE more (a TEXT)"])
            try open([wordsMigration, second]).close()
            let error = #expect(throws: DatabaseError.self) { try open() }
            #expect(error?.message.contains("the database has schema 2, this program knows 1") == true)
            try open([wordsMigration, second]).close()
        }

        @Test("A migration that fails leaves nothing of itself and all before it")
        func failedMigration() throws {
            let broken = Migration(
                2, "broken", sqlite: [],
                postgres: ["CREATE TABLE half (a TEXT)", "INSERT INTO no_such_table VALUES (1)"])
            #expect(throws: DatabaseError.self) { try open([wordsMigration, broken]) }
            let database = try open()
            #expect(try database.schemaVersion() == 1)
            database.close()
            #expect(try server.run("SELECT to_regclass('half')") == [[nil]])
            let mended = Migration(2, "mended", sqlite: [], postgres: ["CREATE TABLE half (a TEXT)"])
            try open([wordsMigration, mended]).close()
        }

        @Test("A server that cannot be reached is named, without the password")
        func unreachable() throws {
            let error = #expect(throws: DatabaseError.self) {
                try PostgresDatabase(
                    PostgresSettings(url: "postgres://somebody:hunter2@127.0.0.1:1/nowhere"), migrations: [])
            }
            #expect(error?.kind == .unavailable)
            #expect(error?.message.contains("DATABASE_URL") == true && error?.message.contains("hunter2") == false)
        }

        // MARK: Roles

        @Test("The role that works with the tables cannot change or remove what is only added to")
        func roles() throws {
            let role = "worker_\(server.name.suffix(12))"
            try server.run("CREATE ROLE \(role) LOGIN PASSWORD 'w'")
            defer { _ = try? server.run("DROP OWNED BY \(role); DROP ROLE \(role)") }
            let migrations = [
                wordsMigration,
                Migration(2, "log", sqlite: [], postgres: ["CREATE TABLE log (place BIGINT PRIMARY KEY)"]),
            ]
            let database = try PostgresDatabase(
                PostgresSettings(url: server.url(as: role, password: "w")), migrations: migrations,
                migrationURL: server.url, appendOnly: ["log": []])
            #expect(database.remarks.allSatisfy { !$0.contains("could change log") })
            try database.writeAndWait { transaction in
                try transaction.add("one")
                try transaction.execute("INSERT INTO log (place) VALUES (1)")
                try transaction.execute("DELETE FROM words")
            }
            for statement in [
                "UPDATE log SET place = 2", "DELETE FROM log", "TRUNCATE log", "DROP TABLE log",
                "ALTER TABLE log ADD COLUMN more TEXT", "CREATE TABLE another (a TEXT)",
            ] {
                let error = #expect(throws: DatabaseError.self, "\(statement)") {
                    try database.writeAndWait { try $0.execute(SQL(unsafeText: statement)) }
                }
                #expect(error?.message.contains("DATABASE_MIGRATION_URL") == true, "\(String(describing: error))")
            }
            database.close()
            // The owner of the tables could, and that is said.
            let owner = try PostgresDatabase(
                PostgresSettings(url: server.url), migrations: migrations, appendOnly: ["log": []])
            #expect(owner.remarks.contains { $0.contains("could change log") && $0.contains("DATABASE_MIGRATION_URL") })
            owner.close()
        }

        // MARK: Lost connections

        @Test("Connections that were cut while nobody used them are replaced, and nobody notices")
        func cutWhileIdle() throws {
            let database = try open()
            defer { database.close() }
            for round in 1...3 {
                try database.writeAndWait { try $0.add("w\(round)") }
                #expect(try database.read { try $0.words().count } == round)
                try cutConnections()
                #expect(try database.read { try $0.words().count } == round)
                try cutConnections()
            }
        }

        @Test("A connection that is cut in the middle takes its transaction with it, says so, and is replaced")
        func cutInside() throws {
            let database = try open()
            defer { database.close() }
            let error = #expect(throws: DatabaseError.self) {
                try database.writeAndWait { transaction in
                    try transaction.add("half")
                    _ = try transaction.words()
                    try cutConnections()
                    _ = try transaction.words()
                }
            }
            #expect(error?.kind == .unavailable)
            #expect(throws: DatabaseError.self) {
                try database.read { transaction in
                    _ = try transaction.words()
                    try cutConnections()
                    _ = try transaction.words()
                }
            }
            try database.writeAndWait { try $0.add("whole") }
            #expect(try database.read { try $0.words() } == ["whole"])
        }

        @Test("When the server is back after it refused, recovery comes before everything else, once")
        func recovery() throws {
            let recoveries = Monitor(0)
            let database = try open { transaction in
                recoveries.update { $0 += 1 }
                try transaction.add("recovered \(recoveries.read { $0 })")
            }
            defer { database.close() }
            try database.writeAndWait { try $0.add("before") }
            try TestBackends.onServer("ALTER DATABASE \(server.name) ALLOW_CONNECTIONS false")
            try TestBackends.onServer(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '\(server.name)'")
            let refused = #expect(throws: DatabaseError.self) { try database.writeAndWait { try $0.add("lost") } }
            #expect(refused?.kind == .unavailable && refused?.message.contains("DATABASE_URL") == true)
            #expect(throws: DatabaseError.self) { try database.read { try $0.words() } }
            try TestBackends.onServer("ALTER DATABASE \(server.name) ALLOW_CONNECTIONS true")
            let clock = SystemClock()
            let deadline = clock.monotonicMilliseconds() + 10_000
            while (try? database.writeAndWait({ try $0.add("after") })) == nil {
                try #require(clock.monotonicMilliseconds() < deadline, "it does not come back")
                _ = Monitor(()).wait(milliseconds: 20) { _ in Bool?.none }
            }
            try database.writeAndWait { try $0.add("later") }
            #expect(try database.read { try $0.words() } == ["before", "recovered 1", "after", "later"])
        }

        // MARK: Others in the way

        @Test("A transaction that another was in the way of is run again; not for ever")
        func conflicts() throws {
            let database = try open()
            defer { database.close() }
            try server.run(
                """
                CREATE SEQUENCE tries;
                CREATE FUNCTION stumble(times BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$
                DECLARE try BIGINT := nextval('tries');
                BEGIN
                    IF try <= times THEN
                        RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
                    END IF;
                    RETURN try;
                END $$
                """)
            let runs = Monitor(0)
            let tries = try database.writeAndWait { transaction in
                runs.update { $0 += 1 }
                try transaction.add("once")
                return try transaction.first("SELECT stumble(\(3)) AS tries") { try $0.get("tries", as: Int.self) }
            }
            #expect(tries == 4 && runs.read { $0 } == 4)
            #expect(try database.read { try $0.words() } == ["once"])
            let error = #expect(throws: DatabaseError.self) {
                try database.writeAndWait { transaction in
                    try transaction.first("SELECT stumble(\(1_000)) AS tries") { _ in }
                }
            }
            #expect(error?.kind == .conflict)
            #expect(
                try server.run("SELECT last_value FROM tries") == [["\(4 + GroupCommitter.conflictRetriesMax + 1)"]])
        }

        @Test("Whoever waits too long for a lock of somebody else is told which setting says how long")
        func lockTimeout() throws {
            let database = try open(lockMilliseconds: 100)
            defer { database.close() }
            let other = try open()
            defer { other.close() }
            let error = Monitor<DatabaseError?>(nil)
            try other.writeAndWait { transaction in
                _ = try transaction.words()
                let found = #expect(throws: DatabaseError.self) { try database.writeAndWait { try $0.add("a") } }
                error.update { $0 = found }
            }
            #expect(error.read { $0?.kind } == .unavailable)
            #expect(error.read { $0?.message.contains("DATABASE_LOCK_TIMEOUT_MS") } == true)
            try database.writeAndWait { try $0.add("b") }
        }

        // MARK: Several processes

        @Test("Writers take turns: each sees all that was committed before it, and knows when another has written")
        func turns() throws {
            let databases = try (0..<3).map { _ in try open() }
            defer { for database in databases { database.close() } }
            let threads = databases.enumerated().flatMap { index, database in
                (0..<4).map { thread in
                    Thread.start("writer") {
                        for number in 0..<25 {
                            try? database.writeAndWait { transaction in
                                // Read and then written, without any lock of its own: a lost update would show.
                                let count = try transaction.words().count
                                try transaction.add("\(count): \(index)/\(thread)/\(number)")
                            }
                        }
                    }
                }
            }
            for thread in threads { thread.join() }
            let words = try databases[0].read { try $0.words() }
            #expect(words.enumerated().allSatisfy { $0.element.hasPrefix("\($0.offset): ") } && words.count == 300)

            func marks(_ database: PostgresDatabase) throws -> (epoch: Int, turns: Int) {
                try database.writeAndWait { ($0.cacheEpoch, $0.turnsOfOthers) }
            }
            try databases[0].writeAndWait { try $0.add("mine") }
            let before = try marks(databases[0])
            try databases[0].writeAndWait { try $0.add("mine again") }
            _ = try marks(databases[1])
            #expect(try marks(databases[0]) == before, "nobody else has written")
            try databases[1].writeAndWait { try $0.add("yours") }
            let after = try marks(databases[0])
            #expect(after.epoch > before.epoch && after.turns > before.turns)
            try databases[0].writeAndWait { try $0.add("mine once more") }
            let later = try marks(databases[0])
            try databases[1].writeAndWait { $0.leaveMark() }
            #expect(try marks(databases[0]).turns > later.turns, "it left its mark")
            #expect(try databases[0].writeAndWait { try $0.otherWriters() } == 2)
        }

        @Test(
            "What a writer takes for granted is checked: another's commit in between is seen, whatever was remembered")
        func grantedTurns() throws {
            let databases = [try open([CountedWord.migration]), try open([CountedWord.migration])]
            defer { for database in databases { database.close() } }
            let runs = Monitor(0)
            func count(_ database: PostgresDatabase) throws -> Int64 {
                try database.writeAndWait { transaction in
                    runs.update { $0 += 1 }
                    return try CountedWord.count(transaction)
                }
            }
            // Alone for so long that it takes its turns for granted; then by turns, in every rhythm.
            var expected: Int64 = 0
            for length in [100, 1, 60, 2, 40, 1, 1, 33, 1] {
                for database in length.isMultiple(of: 2) ? [databases[0]] : [databases[1], databases[0]] {
                    for _ in 0..<length {
                        expected += 1
                        #expect(try count(database) == expected)
                    }
                }
            }
            #expect(
                runs.read { Int64($0) } > expected, "somewhere it took for granted what was no longer so, and was told")
        }

        @Test("A process hears of what others commit, also after its connection was cut")
        func notifications() throws {
            let (mine, yours) = (try open(), try open())
            defer {
                mine.close()
                yours.close()
            }
            let heard = Monitor(0)
            mine.onOthersCommit { heard.update { $0 += 1 } }
            func wait(_ milliseconds: Int64, _ what: Comment) {
                let before = heard.read { $0 }
                #expect(heard.wait(milliseconds: milliseconds) { $0 > before ? true : nil } == true, what)
            }
            // Once for what was there before it listened.
            #expect(heard.wait(milliseconds: 5_000) { $0 >= 1 ? true : nil } == true)
            for round in 0..<5 {
                let before = heard.read { $0 }
                try yours.writeAndWait { try $0.add("\(round)") }
                #expect(heard.wait(milliseconds: 5_000) { $0 > before ? true : nil } == true)
            }
            try cutConnections()
            wait(5_000, "it listens again")
            // Without any notification it looks by itself.
            wait(5_000, "it looks now and then")
        }
    }
#endif
