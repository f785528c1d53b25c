import DatabaseCore
import Platform
import Shared
import Testing

@testable import EventStore

/// Where several processes write, a reader that goes by the cursor sees every event, once, in order.
@Suite(.enabled(if: !Bench.isSQLite)) struct LogOrderTests {
    /// Reads what comes after the last place it has seen, again and again, as a mirror of the log does.
    private final class CursorReader: Sendable {
        private let state = Monitor((places: [Int64](), isStopping: false))
        private let read: @Sendable (_ after: Int64) throws -> [Int64]

        init(_ read: @escaping @Sendable (_ after: Int64) throws -> [Int64]) { self.read = read }

        var places: [Int64] { state.read { $0.places } }

        func look() throws {
            let new = try read(places.last ?? 0)
            state.update { $0.places += new }
        }

        func start() -> Thread {
            Thread.start("cursor") { [self] in
                while !state.read({ $0.isStopping }) { try? look() }
                try? look()
            }
        }

        func stop() { state.update { $0.isStopping = true } }

        /// The places that are there and were not shown, or were shown out of order.
        func skipped(of all: [Int64]) -> [Int64] {
            places == places.sorted() ? all.filter { !places.contains($0) } : all
        }
    }

    private static let writers = 3
    private static let threads = 4
    private static let appends = 40

    @Test("Events of several writers are numbered as they are committed: the cursor skips none, the chains hold")
    func order() throws {
        let bench = try Bench()
        let others = try (1..<Self.writers).map { _ in try bench.another() }
        defer { for other in others { other.close() } }
        let reader = CursorReader { after in
            var filter = EventFilter()
            filter.afterGlobalSeq = after
            return try bench.database.read {
                try EventQueries.events(filter, limit: 50, in: $0).map(\.envelope.globalSeq)
            }
        }
        let reading = reader.start()
        let writing = ([bench.database] + others).enumerated().flatMap { index, database in
            let log = EventLog { SystemEntropy().bytes($0) }
            return (0..<Self.threads).map { thread in
                Thread.start("writer") {
                    for number in 0..<Self.appends {
                        // Now and then one fails after it was numbered: that must leave no hole.
                        try? database.writeAndWait { transaction in
                            _ = try log.append(
                                [note("\(index)/\(thread)/\(number)", room: RoomID("room_\(number % 3)"))],
                                at: Bench.start, in: transaction)
                            if number % 7 == 6 { throw Refused() }
                        }
                    }
                }
            }
        }
        for thread in writing { thread.join() }
        reader.stop()
        reading.join()
        let all = try bench.stored().map(\.envelope.globalSeq)
        let kept = Self.writers * Self.threads * (0..<Self.appends).count { $0 % 7 != 6 }
        #expect(all == Array(1...Int64(kept)))
        #expect(reader.skipped(of: all) == [])
        #expect(try bench.verify().valid)
    }

    @Test("The same reader, shown a log that is numbered by a serial, is caught skipping")
    func plantedSerial() throws {
        let bench = try Bench()
        try bench.tamper("CREATE TABLE naive (place BIGSERIAL PRIMARY KEY)")
        let other = try bench.another()
        defer { other.close() }
        let reader = CursorReader { after in
            try bench.database.read { transaction in
                try transaction.all("SELECT place FROM naive WHERE place > \(after) ORDER BY place") {
                    try $0.get("place", as: Int64.self)
                }
            }
        }
        // The first takes its number and commits later than the second: which takes turns that nobody keeps here.
        try bench.database.writeAndWait { transaction in
            try transaction.execute("INSERT INTO naive DEFAULT VALUES")
            _ = try transaction.first("SELECT 1 AS n") { _ in }
            try bench.tamper("INSERT INTO naive DEFAULT VALUES")
            try reader.look()
        }
        try reader.look()
        let all = try bench.database.read { transaction in
            try transaction.all("SELECT place FROM naive ORDER BY place") { try $0.get("place", as: Int64.self) }
        }
        #expect(all == [1, 2])
        #expect(reader.skipped(of: all) == [1])
    }

    @Test("Whoever does not wait for its turn cannot take a place in the log, neither the same nor one beyond")
    func outOfTurn() throws {
        let bench = try Bench()
        try bench.append(note("first"))
        let copy = """
            INSERT INTO evt_events (\((EventTable.headerColumns + Bench.storedPayload).joined(separator: ", ")))
            SELECT \(
                (EventTable.headerColumns + Bench.storedPayload).map { column in
                    switch column {
                    case "global_seq": "PLACE"
                    case "event_id": "'e-new'"
                    case "stream_seq": "77"
                    default: column
                    }
                }.joined(separator: ", ")) FROM evt_events WHERE global_seq = 1
            """
        try bench.database.writeAndWait { [log = bench.log] transaction in
            _ = try log.append([note("second")], at: Bench.start, in: transaction)
            _ = try transaction.first("SELECT 1 AS n") { _ in }
            // Not visible yet, and taken all the same.
            #expect(throws: Bench.Refused.self) {
                try bench.tamper("SET lock_timeout = 200; " + copy.replacing("PLACE", with: "2"))
            }
            #expect(throws: Bench.Refused.self) { try bench.tamper(copy.replacing("PLACE", with: "3")) }
        }
        #expect(try bench.stored().map(\.envelope.globalSeq) == [1, 2])
        #expect(try bench.verify().valid)
    }

    private struct Refused: Error {}
}
