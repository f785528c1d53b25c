import DatabaseCore
import DatabaseSQLite
import Platform
import Testing

/// A folder of its own for one test, gone when the test is.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = "/tmp/aos-test-\(SystemEntropy().integer(in: 0...Int64.max))"
        try Files.makeFolder(path)
    }

    deinit { try? Files.removeTree(path) }
}

/// A kind of database that the conformance suite is run on.
struct Driver: Sendable, CustomTestStringConvertible {
    let name: String
    /// The most works its queue holds.
    let queuedWorksMax: Int
    let open: @Sendable (Scratch, [Migration]) throws -> Opened

    var testDescription: String { name }

    /// An open database, and how it is closed.
    struct Opened: Sendable {
        let database: any Database
        let close: @Sendable () -> Void
    }

    /// All kinds; Postgres is one more line.
    static let all: [Driver] = [
        Driver(name: "SQLite", queuedWorksMax: SQLiteDatabase.queuedWorksMax) { scratch, migrations in
            let database = try SQLiteDatabase(path: "\(scratch.path)/test.db", migrations: migrations) {
                Issue.record("storage fault: \($0)")
            }
            return Opened(database: database) { database.close() }
        }
    ]
}

/// A table of words, unique by their text.
let wordsMigration = Migration(
    1, "words",
    sqlite: ["CREATE TABLE words (number INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE) STRICT"])

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
