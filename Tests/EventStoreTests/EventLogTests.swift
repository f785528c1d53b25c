import DatabaseCore
import JSON
import Platform
import Shared
import Testing

@testable import EventStore

struct EventLogTests {
    private struct Planned: Error {}

    @Test("Numbers have no gap and chains hold over random interleavings, refusals and rollbacks", arguments: 1...6)
    func randomHistories(_ seed: UInt64) throws {
        let (bench, dice) = (try Bench(seed: seed), SeededEntropy(seed: seed))
        func roll(_ most: Int64) -> Int64 { dice.integer(in: 1...most) }
        var kept = 0
        for round in 0..<60 {
            // A batch of several works, so that a failing one takes others back with it.
            let answers = Monitor<[Bool]>([])
            let gate = Monitor(false)
            bench.database.write { _ in
                _ = gate.wait { $0 ? true : nil }
            } then: { (_: Result<Void, any Error>) in
            }
            let works = Int(roll(6))
            var expected = 0
            for work in 0..<works {
                let (streams, count, fate) = (roll(4), Int(roll(3)), roll(6))
                let drafts = (0..<count).map { index in
                    note("\(round)/\(work)/\(index)", room: roll(5) == 1 ? nil : RoomID("room_\(roll(streams))"))
                }
                if fate > 2 { expected += count }
                bench.database.write { [log = bench.log] transaction in
                    if fate == 1 { throw Planned() }
                    _ = try log.append(drafts, at: Bench.start, in: transaction)
                    if fate == 2 { throw Planned() }
                } then: { (result: Result<Void, any Error>) in
                    answers.update { $0.append((try? result.get()) != nil) }
                }
            }
            gate.update { $0 = true }
            _ = answers.wait { $0.count == works ? true : nil }
            kept += expected
        }
        let events = try bench.stored()
        #expect(events.map(\.envelope.globalSeq) == Array(1...Int64(kept)))
        for (stream, of) in Dictionary(grouping: events, by: \.envelope.stream) {
            #expect(of.map(\.envelope.streamSeq) == Array(1...Int64(of.count)), "\(stream)")
            #expect(of.map(\.envelope.prevEventHash) == [nil] + of.dropLast().map { $0.envelope.eventHash })
            let last = try bench.database.read { try EventQueries.lastSeq(of: stream, in: $0) }
            #expect(last == Int64(of.count))
        }
        #expect(Set(events.map(\.envelope.eventID)).count == kept)
        #expect(try bench.verify().valid)
    }

    @Test("A second log on the same file goes on where the first has ended")
    func reopening() throws {
        let bench = try Bench()
        try bench.append(note("1"), note("2"))
        let entropy = SeededEntropy(seed: 99)
        let second = EventLog { entropy.bytes($0) }
        try bench.database.writeAndWait { _ = try second.append([note("3")], at: Bench.start, in: $0) }
        #expect(try bench.stored().map(\.envelope.streamSeq) == [1, 2, 3])
        #expect(try bench.verify().valid)
    }

    @Test("A key can be used once in a stream, for ever, and its second use leaves nothing")
    func idempotencyKeys() throws {
        let bench = try Bench()
        try bench.append(note("1", key: "k"))
        let error = #expect(throws: DatabaseError.self) { try bench.append(note("2", key: "k")) }
        #expect(error?.kind == .constraint)
        try bench.append(note("other stream", room: "room_b", key: "k"))
        try bench.append(note("3", key: "k2"))
        #expect(try bench.stored().map(\.envelope.globalSeq) == [1, 2, 3])
        #expect(try bench.verify().valid)
    }

    @Test("An event belongs to its room's stream, else to its workspace's")
    func streams() throws {
        let bench = try Bench()
        let events = try bench.append(note("in a room"), note("in none", room: nil))
        #expect(events.map(\.envelope.stream) == [StreamID(.room, "room_a"), StreamID(.workspace, "ws_test")])
    }

    @Test("An event without a cause of its own is caused by the draft before it, also when that one was redacted")
    func causes() throws {
        let bench = try Bench()
        var third = note("third")
        third.causationID = "elsewhere"
        let events = try bench.append(note("first"), note("second"), third)
        #expect(events.map(\.envelope.causationID) == [nil, events[0].envelope.eventID, "elsewhere"])
        let redacted = try bench.append(note("Bearer abcdefgh12345678"), note("next"))
        #expect(
            redacted.map(\.envelope.eventType) == [
                "run.completed", "event.redacted", "secret.leaked.detected", "run.completed",
            ])
        let first = redacted[0].envelope.eventID
        #expect(redacted.map(\.envelope.causationID) == [nil, first, first, first])
    }

    @Test("What is stored is canonical JSON, and reads back as it was written")
    func canonical() throws {
        let bench = try Bench()
        var draft = note("Zoë 🙂 \u{1}")
        draft.event = .run(
            .completed(
                RunCompleted(
                    runID: "run_1", summary: "s",
                    output: ["b": 1, "a": [1.5, nil, true, -9_007_199_254_740_991], "é": "x"])))
        draft.policyContext = ["z": 1, "a": 2]
        let recorded = try bench.append(draft)[0]
        let stored = try #require(try bench.stored().first)
        let payload = try #require(stored.payload)
        for bytes in [payload.data, payload.policyContext, payload.modelContext, payload.display] {
            #expect(JSON.canonical(try JSON.parse(bytes)) == bytes)
        }
        #expect(payload.salt.count == 16)
        #expect(stored.envelope == recorded.envelope)
        #expect(
            try JSON.canonical(encoding: AnyPayload(try #require(try stored.typed()).event.payload)) == payload.data)
        #expect(String(decoding: payload.policyContext, as: UTF8.self) == #"{"a":2,"z":1}"#)
    }

    @Test("Identifiers, salts and times come from the seams, so a seed gives the same log")
    func repeatable() throws {
        let hashes = try (0..<2).map { _ in
            let bench = try Bench(seed: 7)
            try bench.append(room("A"), note("one"))
            return try bench.stored().map(\.envelope.eventHash)
        }
        #expect(hashes[0] == hashes[1])
        let other = try Bench(seed: 8)
        try other.append(room("A"), note("one"))
        #expect(try other.stored().map(\.envelope.eventHash) != hashes[0])
    }

    @Test("Each filter selects its events and no others")
    func filters() throws {
        let bench = try Bench()
        for number in 0..<40 {
            let workspace = WorkspaceID("ws_\(number % 2)")
            let roomID = number % 3 == 0 ? nil : RoomID("room_\(number % 2)_\(number % 3)")
            let scope = EventScope(
                workspaceID: workspace, roomID: roomID, threadID: number % 5 == 0 ? "th_1" : nil,
                runID: RunID("run_\(number % 4)"), stepID: number % 7 == 0 ? "step_1" : nil,
                correlationID: "corr_\(number % 6)")
            let event: DomainEvent =
                number % 2 == 0
                ? .run(.completed(RunCompleted(runID: "run_1"))) : .run(.failed(RunFailed(runID: "run_1")))
            try bench.append(
                EventDraft(event, in: scope, by: .api), at: Bench.start.adding(milliseconds: Int64(number) * 1000))
        }
        let all = try bench.stored().map(\.envelope)
        func select(_ change: (inout EventFilter) -> Void, limit: Int = 100) throws -> [EventEnvelope] {
            var filter = EventFilter()
            change(&filter)
            return try bench.database.read { try EventQueries.events(filter, limit: limit, in: $0).map(\.envelope) }
        }
        #expect(try select { _ in } == all)
        #expect(try select { $0.workspaces = ["ws_1"] } == all.filter { $0.workspaceID == "ws_1" })
        #expect(try select { $0.workspaces = ["ws_1", "ws_0"] } == all)
        #expect(try select { $0.workspaces = [] } == [])
        #expect(try select { $0.runID = "run_3" } == all.filter { $0.runID == "run_3" })
        #expect(try select { $0.stepID = "step_1" } == all.filter { $0.stepID == "step_1" })
        #expect(try select { $0.threadID = "th_1" } == all.filter { $0.threadID == "th_1" })
        #expect(try select { $0.correlationID = "corr_5" } == all.filter { $0.correlationID == "corr_5" })
        #expect(try select { $0.eventTypes = ["run.failed"] } == all.filter { $0.eventType == "run.failed" })
        #expect(try select { $0.afterGlobalSeq = 30 } == Array(all.dropFirst(30)))
        #expect(try select({ $0.afterGlobalSeq = 30 }, limit: 3).map(\.globalSeq) == [31, 32, 33])
        #expect(try select { $0.throughGlobalSeq = 9 } == Array(all.prefix(9)))
        let stream = StreamID(.room, "room_1_1")
        #expect(try select { $0.stream = stream } == all.filter { $0.stream == stream })
        #expect(
            try select { ($0.stream, $0.afterStreamSeq) = (stream, 2) }
                == all.filter { $0.stream == stream && $0.streamSeq > 2 })
        #expect(try select { $0.roomID = "room_0_2" } == all.filter { $0.roomID == "room_0_2" })
        // All at once, with more than nine values.
        let many = try select { filter in
            filter.workspaces = ["ws_0", "ws_1", "ws_2", "ws_3", "ws_4"]
            filter.eventTypes = ["a", "b", "c", "d", "e", "run.completed"]
            (filter.correlationID, filter.runID, filter.afterGlobalSeq) = ("corr_2", "run_0", 3)
        }
        #expect(
            many
                == all.filter {
                    $0.globalSeq > 3 && $0.eventType == "run.completed" && $0.correlationID == "corr_2"
                        && $0.runID == "run_0"
                })
        #expect(!many.isEmpty)
    }
}
