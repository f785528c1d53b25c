import DatabaseCore
import DatabaseSQLite
import Platform
import PostgresTestSupport
import Synchronization
import Testing

#if Postgres
    import DatabasePostgres
#endif

/// A folder of its own for one test, gone when the test is.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = "/tmp/aos-test-\(SystemEntropy().integer(in: 0...Int64.max))"
        try Files.makeFolder(path)
    }

    #if Postgres
        private let database = Mutex<ScratchPostgres?>(nil)

        /// The test's database on the server, made when it is first asked for.
        func postgres() throws -> ScratchPostgres {
            try database.withLock { database in
                if let database { return database }
                let made = try ScratchPostgres()
                database = made
                return made
            }
        }
    #endif

    deinit { try? Files.removeTree(path) }
}

/// A kind of database that the conformance suite is run on.
struct Driver: Sendable, CustomTestStringConvertible {
    let backend: Backend
    let make: @Sendable (Scratch, [Migration], _ onBatch: @escaping @Sendable (WriteBatch) -> Void) throws -> Opened

    init(
        backend: Backend,
        make: @escaping @Sendable (Scratch, [Migration], @escaping @Sendable (WriteBatch) -> Void) throws -> Opened
    ) {
        (self.backend, self.make) = (backend, make)
    }

    var testDescription: String { backend.rawValue }

    /// An open database, and how it is closed.
    struct Opened: Sendable {
        let database: any Database
        let close: @Sendable () -> Void
    }

    /// All kinds that can be had here.
    static let all: [Driver] = TestBackends.all.map { $0 == .sqlite ? sqlite : postgres }

    static let sqlite = Driver(backend: .sqlite) { scratch, migrations, onBatch in
        let database = try SQLiteDatabase(
            path: "\(scratch.path)/test.db", migrations: migrations,
            onStorageFault: { Issue.record("storage fault: \($0)") }, onBatch: onBatch)
        return Opened(database: database) { database.close() }
    }

    static let postgres = Driver(backend: .postgres) { scratch, migrations, onBatch in
        #if Postgres
            let database = try PostgresDatabase(
                PostgresSettings(url: scratch.postgres().url), migrations: migrations, onBatch: onBatch)
            return Opened(database: database) { database.close() }
        #else
            preconditionFailure("this build has no Postgres")
        #endif
    }

    func open(_ scratch: Scratch, _ migrations: [Migration]) throws -> Opened {
        try make(scratch, migrations, { _ in })
    }
}

/// A table of words, unique by their text.
let wordsMigration = Migration(
    1, "words",
    sqlite: ["CREATE TABLE words (number INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE) STRICT"],
    postgres: [
        #"CREATE TABLE words (number BIGSERIAL PRIMARY KEY, word TEXT COLLATE "C" NOT NULL UNIQUE)"#
    ])

/// A row that the writer remembers.
struct CountedWord: Sendable, Equatable {
    var word = ""
    var number: Int64 = 0

    static let table = Table<CountedWord>(
        "counted", keys: ["word"], remembersRows: true, blank: CountedWord(),
        columns: [Column("word", \.word), Column("number", \.number)])
    static let migration = Migration(1, "counted", table.schema)

    /// Adds one to the word's count, and tells it.
    @Sendable static func count(_ transaction: any WriteTransaction) throws -> Int64 {
        var word = try table.find("w", in: transaction) ?? CountedWord(word: "w")
        word.number += 1
        try table.put(word, in: transaction)
        return word.number
    }
}

extension WriteTransaction {
    func add(_ word: String) throws { try execute("INSERT INTO words (word) VALUES (\(word))") }
}

extension ReadTransaction {
    func words() throws -> [String] { try all("SELECT word FROM words ORDER BY number") { try $0.get("word") } }
}

/// A refusal of a command's own.
struct Refusal: Error, Equatable {
    var number = 0
}

/// Keeps the writer busy with a work that waits, so that what is queued meanwhile becomes one batch.
struct WriterHold {
    private let state = Monitor((isHeld: false, isReleased: false))

    /// Returns when the writer is inside the work.
    init(_ database: any Database) {
        let state = state
        database.write { _ in
            state.update { $0.isHeld = true }
            _ = state.wait { $0.isReleased ? true : nil }
        } then: { (_: Result<Void, any Error>) in
        }
        _ = state.wait { $0.isHeld ? true : nil }
    }

    func release() { state.update { $0.isReleased = true } }
}

/// Answers in the order they came.
final class Answers<Value: Sendable>: Sendable {
    private let list = Monitor<[(name: Int, result: Result<Value, any Error>)]>([])

    func add(_ name: Int, _ result: Result<Value, any Error>) { list.update { $0.append((name, result)) } }

    /// Waits for so many.
    func wait(for count: Int) -> [(name: Int, result: Result<Value, any Error>)] {
        list.wait { $0.count >= count ? $0 : nil }!
    }
}

extension Result {
    var error: Failure? { if case .failure(let error) = self { error } else { nil } }
    var isSuccess: Bool { error == nil }
}
