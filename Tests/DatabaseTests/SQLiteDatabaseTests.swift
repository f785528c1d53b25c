import CSQLite
import DatabaseCore
import DatabaseSQLite
import Platform
import Testing

/// What SQLite adds to the conformance suite: settings, migrations, faults.
struct SQLiteDatabaseTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private var path: String { "\(scratch.path)/test.db" }

    private func open(_ migrations: [Migration] = [wordsMigration]) throws -> SQLiteDatabase {
        try SQLiteDatabase(path: path, migrations: migrations) { Issue.record("storage fault: \($0)") }
    }

    /// Runs text on a connection of the test's own.
    private func run(_ text: String) throws {
        var handle: OpaquePointer?
        defer { sqlite3_close_v2(handle) }
        try #require(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nil) == SQLITE_OK)
        try #require(
            sqlite3_exec(handle, text, nil, nil, nil) == SQLITE_OK, "\(String(cString: sqlite3_errmsg(handle)))")
    }

    @Test(
        "The writer's settings hold",
        arguments: [
            ("journal_mode", SQLValue.text("wal")), ("synchronous", .integer(2)), ("foreign_keys", .integer(1)),
            ("recursive_triggers", .integer(1)), ("trusted_schema", .integer(0)), ("secure_delete", .integer(1)),
            ("wal_autocheckpoint", .integer(0)), ("page_size", .integer(8192)),
        ])
    func writerSettings(_ name: String, _ expected: SQLValue) throws {
        let database = try open()
        defer { database.close() }
        let found = try database.writeAndWait { transaction in
            try transaction.first(SQL(unsafeText: "PRAGMA \(name)")) { try $0.value(name) }
        }
        #expect(found == expected)
    }

    @Test("The writer refuses changes that only damage can need")
    func defensive() throws {
        let database = try open()
        defer { database.close() }
        // SQLITE_DBCONFIG_DEFENSIVE: the schema table cannot be written, whatever the pragma says.
        try database.writeAndWait { transaction in
            try transaction.each("PRAGMA writable_schema = ON") { _ in true }
        }
        #expect(throws: DatabaseError.self) {
            try database.writeAndWait { try $0.execute("DELETE FROM sqlite_schema WHERE name = 'words'") }
        }
    }

    @Test("Readers are read-only by setting")
    func readerSettings() throws {
        let database = try open()
        defer { database.close() }
        let found = try database.read { try $0.first("PRAGMA query_only") { try $0.value("query_only") } }
        #expect(found == .integer(1))
    }

    @Test("A schema that is newer than the program is refused, and nothing is changed")
    func newerSchema() throws {
        let second = Migration(2, "more", sqlite: ["CREATE TABLE more (a TEXT) STRICT"], postgres: [])
        try open([wordsMigration, second]).close()
        let error = #expect(throws: DatabaseError.self) { try open() }
        #expect(error?.message.contains("the database has schema 2, this program knows 1") == true)
        try open([wordsMigration, second]).close()
    }

    @Test("Each migration is applied once, in order")
    func migrationsOnce() throws {
        let steps = (1...12).map { number in
            Migration(
                number, "step \(number)",
                sqlite: number == 1
                    ? ["CREATE TABLE trail (number INTEGER NOT NULL) STRICT", "INSERT INTO trail VALUES (1)"]
                    : [SQL(unsafeText: "INSERT INTO trail VALUES (\(number))")], postgres: [])
        }
        for count in [1, 3, 3, 11, 12, 12] {
            let database = try open(Array(steps.prefix(count)))
            let trail = try database.read {
                try $0.all("SELECT number FROM trail ORDER BY rowid") { try $0.get("number", as: Int.self) }
            }
            #expect(trail == Array(1...count))
            database.close()
        }
    }

    @Test("A migration that fails leaves nothing of itself and all before it")
    func failedMigration() throws {
        let broken = Migration(
            2, "broken", sqlite: ["CREATE TABLE half (a TEXT) STRICT", "INSERT INTO no_such_table VALUES (1)"],
            postgres: [])
        #expect(throws: DatabaseError.self) { try open([wordsMigration, broken]) }
        let database = try open()
        let tables = try database.read { transaction in
            try transaction.all("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
                try $0.get("name", as: String.self)
            }
        }
        #expect(tables == ["schema_migrations", "words"])
        database.close()
        let mended = Migration(2, "mended", sqlite: ["CREATE TABLE half (a TEXT) STRICT"], postgres: [])
        try open([wordsMigration, mended]).close()
    }

    @Test("A file that is no database is refused")
    func noDatabase() throws {
        try Files.append(Array("this is no database, but long enough to be read as one".utf8), to: path, sync: false)
        let error = #expect(throws: DatabaseError.self) { try open() }
        #expect(error?.kind == .storage)
    }

    @Test("A path without a folder is refused with its name")
    func noFolder() {
        let error = #expect(throws: DatabaseError.self) {
            try SQLiteDatabase(path: "/nonexistent/test.db", migrations: []) { _ in }
        }
        #expect(error?.message.contains("/nonexistent/test.db") == true)
    }

    @Test("A full disk fails the batch as full; reading goes on, and writing again when there is room")
    func fullDisk() throws {
        let database = try open()
        defer { database.close() }
        try database.writeAndWait { try $0.add("before") }
        try database.writeAndWait { try $0.each("PRAGMA max_page_count = 12") { _ in true } }
        let answers = Answers<Void>()
        let hold = WriterHold(database)
        database.write {
            try $0.add("small")
        } then: {
            answers.add(0, $0)
        }
        database.write {
            try $0.add(String(repeating: "large", count: 50_000))
        } then: {
            answers.add(1, $0)
        }
        hold.release()
        #expect(answers.wait(for: 2).map { ($0.result.error as? DatabaseError)?.kind } == [.full, .full])
        #expect(try database.read { try $0.words() } == ["before"])
        try database.writeAndWait { try $0.each("PRAGMA max_page_count = 100000") { _ in true } }
        try database.writeAndWait { try $0.add("after") }
        #expect(try database.read { try $0.words() } == ["before", "after"])
    }

    @Test("A damaged page is reported as a storage fault, and nothing is acknowledged")
    func damagedPage() throws {
        let database = try open()
        try database.writeAndWait { transaction in
            for number in 0..<3_000 { try transaction.add("a word of some length, number \(number)") }
        }
        database.close()
        // Every page but the first two, which hold the schema and the number of the last migration.
        let size = try #require(Files.status(path)).sizeBytes
        let bytes = try Files.read(path, bytesMax: Int(size))
        let first = bytes.prefix(2 * 8192)
        try Files.writeAtomically(Array(first) + [UInt8](repeating: 0xA5, count: bytes.count - first.count), to: path)
        for tail in ["-wal", "-shm"] { try Files.remove(path + tail) }
        let faults = Monitor(0)
        let damaged = try SQLiteDatabase(path: path, migrations: [wordsMigration]) { _ in faults.update { $0 += 1 } }
        let error = #expect(throws: DatabaseError.self) { try damaged.writeAndWait { try $0.add("new") } }
        #expect(error?.kind == .storage)
        #expect(faults.read { $0 } == 1)
        damaged.close()
    }

    @Test("A statement that ends the transaction itself takes no other work with it and doubles none")
    func rolledBackBySQLite() throws {
        let database = try open()
        defer { database.close() }
        try database.writeAndWait { try $0.add("taken") }
        let answers = Answers<Void>()
        let hold = WriterHold(database)
        database.write {
            try $0.add("first")
        } then: {
            answers.add(0, $0)
        }
        database.write { transaction in
            // On a conflict SQLite rolls back all that the transaction has done.
            try transaction.execute("INSERT OR ROLLBACK INTO words (word) VALUES ('taken')")
        } then: {
            answers.add(1, $0)
        }
        database.write {
            try $0.update("INSERT OR IGNORE INTO words (word) VALUES ('third')")
        } then: { (result: Result<Int, any Error>) in
            // Run outside a transaction and then once more, it would find its own row.
            answers.add(2, result.flatMap { $0 == 1 ? .success(()) : .failure(Refusal(number: $0)) })
        }
        hold.release()
        #expect(answers.wait(for: 3).map(\.result.isSuccess) == [true, false, true])
        #expect(try database.read { try $0.words() } == ["taken", "first", "third"])
    }

    @Test("The log of changes is copied back by the writer, also after much was written")
    func checkpoints() throws {
        let database = try open()
        let large = String(repeating: "x", count: 40_000)
        for round in 0..<30 {
            try database.writeAndWait { transaction in
                for number in 0..<20 { try transaction.add("\(round)/\(number) \(large)") }
            }
        }
        database.close()
        // Written: 24 MB and more. The WAL may not hold all of it.
        let wal = Files.status(path + "-wal")?.sizeBytes ?? 0
        #expect(try #require(Files.status(path)).sizeBytes > 20_000_000)
        #expect(wal < 160_000_000)
        let again = try open()
        #expect(try again.read { try $0.words().count } == 600)
        again.close()
    }
}
