import APIClient
import DatabaseCore
import HTTP
import HTTPClient
import JSON
import Platform
import PostgresTestSupport
import Shared
import Synchronization
import Testing

extension EndToEnd {
    /// Two apis and four engines on one Postgres.
    @Suite(.serialized, .enabled(if: TestBackends.chosen == .postgres)) struct ManyProcessesTests {
        private static let rooms = 4
        private static let submitters = 4
        private static let secondsMax = Int64(EndToEnd.count("AOS_E2E_SECONDS", 1_500))

        @Test func `killed apis and engines lose no run, do none twice, and everybody is told the same`() throws {
            let runs = EndToEnd.count("AOS_E2E_RUNS", 400)
            let clock = SystemClock()
            let first = try Stage(ttlMs: 3_000)
            let second = try Stage(ttlMs: 3_000, place: first.place)
            try first.startAPI()
            let secondPort = ["PORT": String(try freePort())]
            try second.startAPI(secondPort)
            let engineSettings = ["ENGINE_MAX_PARALLEL_RUNS": "4"]
            let engines = try [first, first, second, second].enumerated().map { index, stage in
                try stage.startEngine("engine-\(index)", engineSettings)
            }
            let rooms = try (0..<Self.rooms).map { try first.room("room \($0)") }
            let random = EndToEnd.random(11)
            let followers = rooms.enumerated().flatMap { index, room in
                [
                    Follower(first, second, room: room, name: "follower-\(index)") {
                        Int(random.integer(in: 2_000...200_000))
                    },
                    Follower(second, first, room: room, name: "follower+\(index)") {
                        Int(random.integer(in: 2_000...200_000))
                    },
                ]
            }
            let readers = [CursorReader(first, second), CursorReader(second, first), CursorReader(first)]
            for follower in followers { follower.start() }
            for reader in readers { reader.start() }
            defer {
                for follower in followers { follower.stop() }
                for reader in readers { reader.stop() }
            }
            let beganMs = clock.monotonicMilliseconds()
            let submissions = Submissions(first, second, rooms)
            let submitting = (0..<Self.submitters).map { index in
                Thread.start("submitter-\(index)") {
                    for number in stride(from: index, to: runs, by: Self.submitters) { submissions.submit(number) }
                }
            }

            let reader = readers[2]
            try #require(
                reader.waitForEnds(runs / 3, milliseconds: Self.secondsMax * 1000), "\(story(reader, first))")
            second.api.killNow()
            engines[1].killNow()
            engines[2].killNow()
            try #require(
                reader.waitForEnds(runs / 2, milliseconds: Self.secondsMax * 1000), "\(story(reader, first))")
            try second.startAPI(secondPort)
            for thread in submitting { try #require(thread.join(milliseconds: Self.secondsMax * 1000)) }
            let isDone = reader.waitForEnds(runs, milliseconds: Self.secondsMax * 1000)
            let seconds = Double(clock.monotonicMilliseconds() - beganMs) / 1000
            #expect(isDone, "\(reader.ends) of \(runs) ended")

            // Every acknowledged run is there once, and nothing that nobody asked for.
            let created = reader.created
            #expect(created.count == runs)
            for (title, run) in submissions.acknowledged { #expect(created[title] == [run], "\(title)") }
            // None is lost: it ended, or it waits for a person because its engine was killed in the middle of it.
            let states = reader.runs
            let waiting = states.filter { $0.value == "run.waiting" }.map(\.key)
            #expect(states.values.allSatisfy { $0 == "run.completed" || $0 == "run.waiting" }, "\(Set(states.values))")
            #expect(waiting.count <= 8, "two engines with four runs each were killed")
            for run in waiting { #expect(try first.run(run).waits.map(\.kind) == [.unknown]) }
            // None was done twice: each writes a line once it does what it is for.
            let marks = first.lines("marks")
            let counts = Dictionary(marks.map { ($0, 1) }, uniquingKeysWith: +)
            #expect(counts.values.allSatisfy { $0 == 1 }, "twice: \(counts.filter { $0.value > 1 }.prefix(5))")
            for (title, ids) in created where states[ids[0]] == "run.completed" {
                #expect(counts[title] == 1, "\(title) completed and did nothing")
            }
            // Everybody was told the same: the log.
            try first.checkLog()
            try second.checkLog()
            let all = try first.events([("include_system", "1")]).map(\.globalSeq)
            let last = try #require(all.last)
            for reader in readers {
                #expect(reader.wait(until: last))
                let skipped = Set(all).subtracting(reader.places)
                #expect(skipped.isEmpty, "a cursor skipped \(skipped.count): \(skipped.sorted().prefix(5))")
                #expect(CursorReader.fault(in: reader.places, upTo: last) == nil)
            }
            let connections = try rooms.enumerated().reduce(0) { sum, room in
                let log = try Follower.log(first, room.element)
                return try sum
                    + followers[(room.offset * 2)...(room.offset * 2 + 1)].reduce(0) { sum, follower in
                        try follower.wait(until: log.last?.id ?? 0)
                        #expect(follower.transcript == log && follower.faults == [])
                        return sum + follower.connections
                    }
            }
            EndToEnd.say(
                "two apis, four engines, one api and two engines killed: \(runs) runs in \(seconds) s, \(waiting.count) wait as unknown, \(marks.count) marks, \(last) events, \(followers.count) followers over \(connections) connections, \(readers.count) cursors"
            )
        }

        /// For a test that fails: how far it came, and what of the log the cursor passed over.
        private func story(_ reader: CursorReader, _ stage: Stage) -> String {
            let places = Set(reader.places)
            let last = places.max() ?? 0
            let skipped = ((try? stage.events([("include_system", "1")])) ?? []).map(\.globalSeq).filter {
                $0 <= last && !places.contains($0)
            }
            return "\(reader.ends) ended; up to \(last) the cursor skipped \(skipped.count): \(skipped.prefix(5))"
        }

        private func freePort() throws -> UInt16 {
            let socket = try TCP.listen(at: SocketAddress(host: .v4([127, 0, 0, 1]), port: 0))
            return try #require(TCP.localAddress(of: socket)).port
        }
    }

    /// Runs that are asked for by turns at two apis, each with a key of its own, until one of them says yes.
    fileprivate final class Submissions: Sendable {
        private let stages: [Stage]
        private let rooms: [RoomID]
        private let known = Mutex<[String: RunID]>([:])

        init(_ first: Stage, _ second: Stage, _ rooms: [RoomID]) { (stages, self.rooms) = ([first, second], rooms) }

        /// The runs by their titles, as they were acknowledged.
        var acknowledged: [String: RunID] { known.withLock { $0 } }

        func submit(_ number: Int) {
            let title = "run-\(number)"
            let plan = Plans.plan(
                [Plans.script("mark", "echo \(title) >> marks", ["effect": "once"])], workdir: stages[0].site)
            let body = CreateRun(roomID: rooms[number % rooms.count], title: title, input: ["plan": plan])
            var turn = number
            while true {
                if let run = try? ask(stages[turn % stages.count], title, body) {
                    known.withLock { $0[title] = run }
                    return
                }
                // It is the one that was killed, or it says that it cannot now.
                turn += 1
                pause(milliseconds: 5)
            }
        }

        private func ask(_ stage: Stage, _ key: String, _ body: CreateRun) throws -> RunID {
            try stage.client().call(.createRun, body, fields: [.idempotencyKey: key]).runID
        }
    }
}
