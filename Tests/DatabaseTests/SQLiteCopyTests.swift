import CSQLite
import DatabaseCore
import DatabaseSQLite
import Platform
import Testing

/// Copies of a database that is written to.
struct SQLiteCopyTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private var path: String { "\(scratch.path)/test.db" }
    private var target: String { "\(scratch.path)/copy.db" }

    private func words(_ path: String) throws -> Int {
        try SQLiteReader(path: path).read {
            try $0.first("SELECT count(*) AS n FROM words") { try $0.get("n", as: Int.self) } ?? 0
        }
    }

    @Test("A copy has all that was acknowledged before it, is one file, and whole, while others write")
    func underLoad() throws {
        let database = try SQLiteDatabase(path: path, migrations: [wordsMigration]) { _ in }
        defer { database.close() }
        let (acknowledged, isOver) = (Monitor(0), Monitor(false))
        let writers = (0..<4).map { writer in
            Thread.start("writer-\(writer)") {
                var count = 0
                while !isOver.read({ $0 }) {
                    count += 1
                    let text = "\(writer)-\(count) " + String(repeating: "x", count: 400)
                    guard (try? database.writeAndWait { try $0.add(text) }) != nil else { return }
                    acknowledged.update { $0 += 1 }
                }
            }
        }
        defer {
            isOver.update { $0 = true }
            for writer in writers { writer.join() }
        }
        for round in 1...5 {
            _ = acknowledged.wait { $0 >= round * 200 ? true : nil }
            let before = acknowledged.read { $0 }
            try? Files.remove(target)
            try SQLiteCopy.make(of: path, at: target)
            let after = acknowledged.read { $0 }
            #expect((before...(after + 4)).contains(try words(target)))
            #expect(!Files.exists(target + "-wal") && !Files.exists(target + "-journal"))
            #expect(Files.status(target)?.mode == 0o600)
        }
    }

    @Test("A copy that is compared, stopped, or has something in its way leaves no file, or the one that was there")
    func refused() throws {
        let database = try SQLiteDatabase(path: path, migrations: [wordsMigration]) { _ in }
        for index in 0..<2_000 {
            try database.writeAndWait { try $0.add("\(index) " + String(repeating: "y", count: 8_000)) }
        }
        database.close()
        try SQLiteCopy.make(of: path, at: target, isCompared: true)
        #expect(try words(target) == 2_000)
        #expect(try SQLiteCopy.schemaVersion(of: target) == 1)
        #expect(try SQLiteCopy.schemaVersion(of: "\(scratch.path)/nothing.db") == nil)
        let inTheWay = "\(scratch.path)/other.db"
        var pieces = 0
        let error = #expect(throws: DatabaseError.self) {
            try SQLiteCopy.make(of: path, at: inTheWay) {
                pieces += 1
                return pieces < 2
            }
        }
        #expect(error?.kind == .closed && !Files.exists(inTheWay))
        #expect(throws: DatabaseError.self) { try SQLiteCopy.make(of: "\(scratch.path)/nothing.db", at: inTheWay) }
        #expect(!Files.exists(inTheWay))
    }

    @Test("A damaged database is not copied as a good one")
    func damaged() throws {
        let database = try SQLiteDatabase(path: path, migrations: [wordsMigration]) { _ in }
        try database.writeAndWait { for index in 0..<3_000 { try $0.add("word \(index)") } }
        database.close()
        var bytes = try Files.read(path, bytesMax: 1 << 26)
        for offset in 0..<64 { bytes[bytes.count / 2 + offset] = 0xFF }
        try Files.writeAtomically(bytes, to: path)
        #expect(throws: DatabaseError.self) { try SQLiteCopy.make(of: path, at: target) }
        #expect(!Files.exists(target))
    }
}
