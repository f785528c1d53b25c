import DatabaseCore
import Platform
import Testing

/// What every database of ours promises.
@Suite("Database conformance")
struct DatabaseConformanceTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func open(_ driver: Driver) throws -> Driver.Opened { try driver.open(scratch, [wordsMigration]) }

    // MARK: Writing and reading

    @Test("What is written is read back", arguments: Driver.all)
    func writeAndRead(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        let changed = try opened.database.writeAndWait { transaction in
            try transaction.add("one")
            try transaction.add("two")
            return try transaction.update("UPDATE words SET word = word || '!'")
        }
        #expect(changed == 2)
        #expect(try opened.database.read { try $0.words() } == ["one!", "two!"])
        #expect(try opened.database.read { try $0.first("SELECT 1 AS n WHERE 1 = 2") { _ in 1 } } == nil)
    }

    @Test("Works that wait together share one transaction", arguments: Driver.all)
    func groupCommit(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        let (database, answers, count) = (opened.database, Answers<Int>(), 100)
        let hold = WriterHold(database)
        for number in 0..<count {
            database.write { transaction in
                try transaction.add("w\(number)")
            } then: { (result: Result<Void, any Error>) in
                // Inside the first answer a reader sees already what the last work has written.
                answers.add(number, result.flatMap { _ in Result { try database.read { try $0.words().count } } })
            }
        }
        hold.release()
        let all = answers.wait(for: count)
        #expect(try all.map { try $0.result.get() } == Array(repeating: count, count: count))
        #expect(all.map(\.name) == Array(0..<count))
    }

    @Test("Each answer comes after its commit and in the order of the works", arguments: Driver.all)
    func answersInOrder(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        let (database, answers, count) = (opened.database, Answers<Bool>(), 400)
        for number in 0..<count {
            database.write {
                try $0.add("w\(number)")
            } then: { (result: Result<Void, any Error>) in
                answers.add(
                    number,
                    result.flatMap { _ in Result { try database.read { try $0.words().contains("w\(number)") } } })
            }
        }
        let all = answers.wait(for: count)
        #expect(all.map(\.name) == Array(0..<count))
        #expect(all.allSatisfy { (try? $0.result.get()) == true })
    }

    @Test("A refusal before the first write concerns one work only, and nothing runs twice", arguments: Driver.all)
    func refusalBeforeWrite(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        let (database, answers, runs) = (opened.database, Answers<Void>(), Monitor([0, 0, 0]))
        let hold = WriterHold(database)
        for number in 0..<3 {
            database.write { transaction in
                runs.update { $0[number] += 1 }
                if number == 1 { throw Refusal(number: 1) }
                try transaction.add("w\(number)")
            } then: {
                answers.add(number, $0)
            }
        }
        hold.release()
        let all = answers.wait(for: 3)
        #expect(all.map(\.result.isSuccess) == [true, false, true])
        #expect(all[1].result.error as? Refusal == Refusal(number: 1))
        #expect(runs.read { $0 } == [1, 1, 1])
        #expect(try database.read { try $0.words() } == ["w0", "w2"])
    }

    @Test("An error after a write rolls the batch back, and its members run singly", arguments: Driver.all)
    func errorAfterWrite(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        let (database, answers, runs) = (opened.database, Answers<Void>(), Monitor([0, 0, 0]))
        let before = try database.writeAndWait { $0.cacheEpoch }
        let hold = WriterHold(database)
        for number in 0..<3 {
            database.write { transaction in
                runs.update { $0[number] += 1 }
                try transaction.add("w\(number)")
                if number == 1 { throw Refusal() }
            } then: {
                answers.add(number, $0)
            }
        }
        hold.release()
        let all = answers.wait(for: 3)
        #expect(all.map(\.name) == [0, 1, 2])
        #expect(all.map(\.result.isSuccess) == [true, false, true])
        // The third was not reached in the batch.
        #expect(runs.read { $0 } == [2, 2, 1])
        #expect(try database.read { try $0.words() } == ["w0", "w2"])
        // At least one rollback of the batch, and one of the work alone.
        #expect(try database.writeAndWait { $0.cacheEpoch } >= before + 2)
    }

    @Test("A violated constraint leaves nothing of its work and all of the others", arguments: Driver.all)
    func constraint(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        let (database, answers) = (opened.database, Answers<Void>())
        let hold = WriterHold(database)
        for (number, words) in [["a"], ["b", "a"], ["c"], ["a", "d"]].enumerated() {
            database.write { transaction in
                for word in words { try transaction.add(word) }
            } then: {
                answers.add(number, $0)
            }
        }
        hold.release()
        let all = answers.wait(for: 4)
        #expect(all.map(\.result.isSuccess) == [true, false, true, false])
        for number in [1, 3] { #expect((all[number].result.error as? DatabaseError)?.kind == .constraint) }
        #expect(try database.read { try $0.words() } == ["a", "c"])
    }

    @Test(
        "What a batch changed is counted, and one that only looked is told from one that wrote", arguments: Driver.all)
    func changes(_ driver: Driver) throws {
        let batches = Monitor<[WriteBatch]>([])
        let opened = try driver.make(scratch, [wordsMigration]) { batch in batches.update { $0.append(batch) } }
        defer { opened.close() }
        try opened.database.writeAndWait { transaction in
            let before = transaction.changes
            try transaction.add("a")
            #expect(transaction.changes == before + 1)
        }
        _ = try opened.database.writeAndWait { try $0.words() }
        #expect(batches.read { $0.map(\.changes) } == [1, 0])
    }

    @Test(
        "Of statements that are put off the last one with a key counts, for every look and for the commit",
        arguments: Driver.all)
    func lastStatements(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        let database = opened.database
        @Sendable func rename(_ to: String, _ transaction: any WriteTransaction) throws {
            try transaction.executeLast("one", "UPDATE words SET word = \(to) WHERE word LIKE 'one%'")
        }
        try database.writeAndWait { try $0.add("one") }
        let seen = try database.writeAndWait { transaction in
            try rename("one 1", transaction)
            try rename("one 2", transaction)
            let first = try transaction.words()
            try rename("one 3", transaction)
            var scanned: [String] = []
            try transaction.scan("SELECT word FROM words") {
                scanned.append(try $0.get("word"))
                return true
            }
            try rename("one 4", transaction)
            return [first, scanned]
        }
        #expect(seen == [["one 2"], ["one 3"]])
        #expect(try database.read { try $0.words() } == ["one 4"])
        #expect(throws: DatabaseError.self) {
            try database.writeAndWait { transaction in
                try rename("one 5", transaction)
                throw Refusal()
            }
        }
        #expect(try database.read { try $0.words() } == ["one 4"])
    }

    @Test("Rows that the writer remembers are those of the table, also after a rollback", arguments: Driver.all)
    func rememberedRows(_ driver: Driver) throws {
        let (table, count) = (CountedWord.table, CountedWord.count)
        let opened = try driver.open(scratch, [CountedWord.migration])
        defer { opened.close() }
        let database = opened.database
        #expect(try (1...3).map { _ in try database.writeAndWait(count) } == [1, 2, 3])
        #expect(throws: DatabaseError.self) {
            try database.writeAndWait { transaction in
                #expect(try count(transaction) == 4)
                throw Refusal()
            }
        }
        #expect(try database.writeAndWait(count) == 4)
        try database.writeAndWait { transaction in
            table.forget("w", in: transaction)
            try transaction.execute("UPDATE counted SET number = 10")
            #expect(try count(transaction) == 11)
            table.forgetAll(in: transaction)
            try transaction.execute("DELETE FROM counted")
            #expect(try count(transaction) == 1)
        }
        #expect(try database.read { try table.find("w", in: $0) } == CountedWord(word: "w", number: 1))
    }

    @Test("A full queue refuses the next work and does all it has taken", arguments: Driver.all)
    func overload(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        let (database, answers, most) = (opened.database, Answers<Void>(), GroupCommitter.queuedWorksMax)
        let hold = WriterHold(database)
        for number in 0...most {
            database.write { _ in
            } then: {
                answers.add(number, $0)
            }
        }
        let refused = answers.wait(for: 1)[0]
        #expect(refused.name == most)
        #expect((refused.result.error as? DatabaseError)?.kind == .overloaded)
        hold.release()
        let all = answers.wait(for: most + 1)
        #expect(all.dropFirst().allSatisfy { $0.result.isSuccess })
        #expect(all.dropFirst().map(\.name) == Array(0..<most))
    }

    @Test("A reader sees committed rows only", arguments: Driver.all)
    func readCommitted(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        let (database, state, answers) = (opened.database, Monitor((isWritten: false, isRead: false)), Answers<Void>())
        database.write { transaction in
            try transaction.add("half")
            state.update { $0.isWritten = true }
            _ = state.wait { $0.isRead ? true : nil }
        } then: {
            answers.add(0, $0)
        }
        _ = state.wait { $0.isWritten ? true : nil }
        #expect(try database.read { try $0.words() } == [])
        state.update { $0.isRead = true }
        _ = answers.wait(for: 1)
        #expect(try database.read { try $0.words() } == ["half"])
    }

    @Test("A reader keeps one consistent state while others write", arguments: Driver.all)
    func snapshot(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        let database = opened.database
        try database.writeAndWait { try $0.add("before") }
        let seen = try database.read { transaction in
            let first = try transaction.words()
            try database.writeAndWait { try $0.add("meanwhile") }
            return [first, try transaction.words()]
        }
        #expect(seen == [["before"], ["before"]])
        #expect(try database.read { try $0.words() } == ["before", "meanwhile"])
    }

    @Test("Readers are many and do not wait for the writer", arguments: Driver.all)
    func parallelReaders(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        let database = opened.database
        try database.writeAndWait { try $0.add("here") }
        let hold = WriterHold(database)
        let inside = Monitor(0)
        let readers = (0..<3).map { number in
            Thread.start("reader \(number)") {
                _ = try? database.read { transaction in
                    guard try transaction.words() == ["here"] else { return }
                    inside.update { $0 += 1 }
                    // All three are inside at the same time.
                    _ = inside.wait { $0 == 3 ? true : nil }
                }
            }
        }
        for reader in readers { #expect(reader.join(milliseconds: 10_000)) }
        hold.release()
    }

    @Test("A reader that throws gives its connection back", arguments: Driver.all)
    func throwingReader(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        for number in 0..<20 {
            #expect(throws: Refusal(number: number)) {
                try opened.database.read { transaction in
                    try transaction.each("SELECT 1 AS n") { _ in throw Refusal(number: number) }
                }
            }
        }
        #expect(try opened.database.read { try $0.words() } == [])
    }

    @Test("A reader cannot write", arguments: Driver.all)
    func readersDoNotWrite(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        #expect(throws: DatabaseError.self) {
            try opened.database.read { try $0.all("INSERT INTO words (word) VALUES ('x') RETURNING word") { _ in } }
        }
        #expect(try opened.database.read { try $0.words() } == [])
    }

    @Test("Closing finishes what is queued and refuses what comes later", arguments: Driver.all)
    func closing(_ driver: Driver) throws {
        let opened = try open(driver)
        let (database, answers, count) = (opened.database, Answers<Void>(), 50)
        let hold = WriterHold(database)
        for number in 0..<count {
            database.write {
                try $0.add("w\(number)")
            } then: {
                answers.add(number, $0)
            }
        }
        let closer = Thread.start("closer") { opened.close() }
        hold.release()
        #expect(closer.join(milliseconds: 10_000))
        #expect(answers.wait(for: count).allSatisfy { $0.result.isSuccess })
        let error = #expect(throws: DatabaseError.self) { try database.writeAndWait { try $0.add("late") } }
        #expect(error?.kind == .closed)
        let again = try driver.open(scratch, [wordsMigration])
        #expect(try again.database.read { try $0.words().count } == count)
        again.close()
    }

    // MARK: Statements

    @Test("A value is bound and never becomes part of the statement", arguments: Driver.all)
    func injection(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        let hostile = ["'); DROP TABLE words; --", "$1", "' OR 1 = 1 --", "\"", "\\", "?1", "a\u{1}b", "%", ";"]
        try opened.database.writeAndWait { transaction in
            for word in hostile { try transaction.add(word) }
        }
        #expect(try opened.database.read { try $0.words() } == hostile)
        for word in hostile {
            let found = try opened.database.read { transaction in
                try transaction.all("SELECT word FROM words WHERE word = \(word)") {
                    try $0.get("word", as: String.self)
                }
            }
            #expect(found == [word])
        }
    }

    @Test("A list binds each of its values, and an empty list has none", arguments: Driver.all)
    func lists(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        try opened.database.writeAndWait { transaction in
            for number in 1...20 { try transaction.add("w\(number)") }
        }
        func matching(_ words: [String]) throws -> [String] {
            try opened.database.read { transaction in
                try transaction.all(
                    "SELECT word FROM words WHERE word IN (\(list: words)) AND number > \(0) ORDER BY number"
                ) { try $0.get("word") }
            }
        }
        let wanted = (1...12).map { "w\($0)" }
        #expect(try matching(wanted + ["no such word"]) == wanted)
        #expect(try matching([]) == [])
    }

    @Test("Pieces with many values keep each value in its place", arguments: Driver.all)
    func appending(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        let values = (1...25).map { "v\($0)" }
        var statement: SQL = "SELECT \(values[0]) AS c1"
        for (index, value) in values.enumerated().dropFirst().prefix(11) {
            statement.append(SQL(unsafeText: ", $1 AS c\(index + 1)", bindings: [.text(value)]))
        }
        // One piece with more than nine values: $1 must not be taken for the start of $10.
        let rest = values.dropFirst(12)
        let columns = rest.indices.map { "$\($0 - 11) AS c\($0 + 1)" }.joined(separator: ", ")
        statement.append(SQL(unsafeText: ", " + columns, bindings: rest.map { .text($0) }))
        #expect(statement.bindings.count == 25)
        let row = try opened.database.read { transaction in
            try transaction.first(statement) { row in try (1...25).map { try row.get("c\($0)", as: String.self) } }
        }
        #expect(row == values)
    }

    @Test("A piece may name a value twice or in another order", arguments: Driver.all)
    func repeatedMarks(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        var statement: SQL = "SELECT \("first") AS a"
        statement.append(
            SQL(unsafeText: ", $2 AS b, $1 AS c, $2 AS d, '$1' AS e", bindings: [.text("one"), .text("two")]))
        let row = try opened.database.read { transaction in
            try transaction.first(statement) { row in
                try ["a", "b", "c", "d", "e"].map { try row.get($0, as: String.self) }
            }
        }
        #expect(row == ["first", "two", "one", "two", "$1"])
    }

    @Test("A statement that lacks a value is refused, not run with null", arguments: Driver.all)
    func missingBinding(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        for bindings in [[], [SQLValue.integer(1)], [.integer(1), .integer(2), .integer(3)]] {
            let error = #expect(throws: DatabaseError.self) {
                try opened.database.read { transaction in
                    try transaction.all(SQL(unsafeText: "SELECT $1 AS a, $2 AS b", bindings: bindings)) { _ in }
                }
            }
            #expect(error?.kind == .statement)
        }
    }

    @Test("Values come back as they went in", arguments: Driver.all)
    func roundTrip(_ driver: Driver) throws {
        let kinds: [ColumnKind] = [.integer, .real, .text, .blob]
        func columns(_ backend: Backend) -> String {
            kinds.map { "\($0)_cell \($0.type(on: backend))" }.joined(separator: ", ")
        }
        let cells = Migration(
            1, "cells",
            sqlite: [SQL(unsafeText: "CREATE TABLE cells (number INTEGER PRIMARY KEY, \(columns(.sqlite))) STRICT")],
            postgres: [SQL(unsafeText: "CREATE TABLE cells (number BIGSERIAL PRIMARY KEY, \(columns(.postgres)))")])
        let opened = try driver.open(scratch, [cells])
        defer { opened.close() }
        func check(_ kind: ColumnKind, _ value: SQLValue, readsAs expected: SQLValue? = nil) throws {
            let back = try opened.database.writeAndWait { transaction in
                try transaction.execute("DELETE FROM cells")
                try transaction.execute(
                    SQL(unsafeText: "INSERT INTO cells (\(kind)_cell) VALUES ($1)", bindings: [value]))
                return try transaction.first(SQL(unsafeText: "SELECT \(kind)_cell AS cell FROM cells")) {
                    (value: try $0.value("cell"), bytes: (try? $0.bytes("cell")) ?? [])
                }
            }
            #expect(back?.value == expected ?? value)
            // Text keeps its bytes: composed and decomposed letters are not made the same.
            if case .text(let text) = value { #expect(back?.bytes == Array(text.utf8)) }
        }
        for kind in kinds { try check(kind, .null) }
        for number in [0, 1, -1, 255, 256, -256, .max, .min] as [Int64] { try check(.integer, .integer(number)) }
        let reals = [0.1, -1e300, .leastNonzeroMagnitude, 0, .greatestFiniteMagnitude, 1 / 3, -0.5]
        for number in reals { try check(.real, .real(number)) }
        let texts = ["", "Zoë 🙂 e\u{301}", "a\u{1}b\n\t\u{FFFD}", String(repeating: "large ", count: 500_000)]
        for text in texts { try check(.text, .text(text)) }
        try check(.text, .utf8(Array("bytes".utf8)), readsAs: .text("bytes"))
        try check(.text, .utf8([]), readsAs: .text(""))
        for blob in [[], Array(0...255), [UInt8](repeating: 7, count: 3_000_000)] as [[UInt8]] {
            try check(.blob, .blob(blob))
        }
    }

    @Test("What is looked for with a NUL, which no text has, is not found", arguments: Driver.all)
    func lookingForNUL(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        try opened.database.writeAndWait { try $0.add("a") }
        let found = try opened.database.read { transaction in
            try transaction.all("SELECT word FROM words WHERE word = \("a\0b") OR word = \("\0")") { _ in true }
        }
        #expect(found == [])
    }

    @Test("A scan gives all rows in order, may be nested, and stops when told to", arguments: Driver.all)
    func scans(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        let count = 1_000
        try opened.database.writeAndWait { transaction in
            for number in 1...count { try transaction.add("w\(number)") }
        }
        try opened.database.read { transaction in
            var (seen, inner) = ([String](), 0)
            try transaction.scan("SELECT word FROM words WHERE number > \(0) ORDER BY number") { row in
                seen.append(try row.get("word"))
                if seen.count % 200 == 0 {
                    try transaction.scan("SELECT word FROM words ORDER BY number") { _ in
                        inner += 1
                        return inner % 300 != 0
                    }
                    #expect(try transaction.words().count == count)
                }
                return true
            }
            #expect(seen == (1...count).map { "w\($0)" })
            #expect(inner == 5 * 300)
        }
        let written = try opened.database.writeAndWait { transaction in
            var seen = 0
            try transaction.scan("SELECT word FROM words ORDER BY number") { _ in
                seen += 1
                return true
            }
            return seen
        }
        #expect(written == count)
    }

    @Test("A stored value of the wrong kind is an error that says so", arguments: Driver.all)
    func wrongKind(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        func kind(_ read: (any Row) throws -> Void) -> DatabaseError.Kind? {
            do {
                try opened.database.read {
                    try $0.each("SELECT 'text' AS t, 1 AS i, NULL AS n") {
                        try read($0); return true
                    }
                }
                return nil
            } catch { return (error as? DatabaseError)?.kind ?? .closed }
        }
        #expect(kind { _ = try $0.get("t", as: Int.self) } == .unexpectedValue)
        #expect(kind { _ = try $0.get("i", as: String.self) } == .unexpectedValue)
        #expect(kind { _ = try $0.get("n", as: String.self) } == .unexpectedValue)
        #expect(kind { _ = try $0.get("none", as: String.self) } == .statement)
        #expect(kind { _ = try $0.bytes("n") } == .unexpectedValue)
        #expect(kind { guard try $0.get("n", as: String?.self) == nil else { throw Refusal() } } == nil)
        #expect(kind { guard try $0.get("i", as: Bool.self) else { throw Refusal() } } == nil)
    }

    @Test("The same statement may be under way twice", arguments: Driver.all)
    func nestedLoops(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        try opened.database.writeAndWait { transaction in
            for word in ["a", "b", "c"] { try transaction.add(word) }
        }
        let pairs = try opened.database.read { transaction in
            var pairs: [String] = []
            try transaction.each("SELECT word FROM words ORDER BY number") { outer in
                let first = try outer.get("word", as: String.self)
                try transaction.each("SELECT word FROM words ORDER BY number") { inner in
                    pairs.append(first + (try inner.get("word", as: String.self)))
                    return true
                }
                return true
            }
            return pairs
        }
        #expect(pairs == ["aa", "ab", "ac", "ba", "bb", "bc", "ca", "cb", "cc"])
    }

    @Test("Many writers at once lose nothing", arguments: Driver.all)
    func manyWriters(_ driver: Driver) throws {
        let opened = try open(driver)
        defer { opened.close() }
        let database = opened.database
        let threads = (0..<8).map { thread in
            Thread.start("writer \(thread)") {
                for number in 0..<50 {
                    // Every third fails after its write, every fifth before.
                    try? database.writeAndWait { transaction in
                        if number % 5 == 4 { throw Refusal() }
                        try transaction.add("\(thread)/\(number)")
                        if number % 3 == 2 { throw Refusal() }
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        let expected = Set(
            (0..<8).flatMap { thread in
                (0..<50).filter { $0 % 5 != 4 && $0 % 3 != 2 }.map { "\(thread)/\($0)" }
            })
        let found = try database.read { try $0.words() }
        #expect(Set(found) == expected)
        #expect(found.count == expected.count)
    }
}
