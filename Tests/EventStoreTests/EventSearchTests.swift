import DatabaseCore
import JSON
import Platform
import Shared
import Testing

@testable import EventStore

struct EventSearchTests {
    private let bench: Bench
    private let dice = SeededEntropy(seed: 7)

    /// A log in which everything that can be asked for is there, and often together.
    init() throws {
        bench = try Bench(seed: 7)
        var now = Bench.start
        for _ in 0..<30 {
            now = now.adding(milliseconds: dice.integer(in: 0...2))
            let (drafts, at) = ((0..<10).map { _ in draft() }, now)
            try bench.database.writeAndWait { [log = bench.log] in _ = try log.append(drafts, at: at, in: $0) }
        }
    }

    private func roll(_ most: Int64) -> Int64 { dice.integer(in: 1...most) }

    private func draft() -> EventDraft {
        let workspace = WorkspaceID(roll(4) == 1 ? "ws_b" : "ws_a")
        let room = roll(3) == 1 ? nil : RoomID("\(workspace)_room_\(roll(2))")
        let event: DomainEvent =
            switch roll(4) {
            case 1: .run(.completed(RunCompleted(runID: "run_1", summary: "done")))
            case 2:
                .engine(
                    .registered(
                        EngineRegistered(
                            engineID: "eng_1", actorID: "e", principalID: "p_\(roll(2))", tokenID: "engtok_1")))
            case 3:
                .learning(
                    .mistakeRepeated(
                        MistakeRepeated(
                            constraintID: "con_1", category: "c", action: "a", reasonCode: "r", repeatCount: 2,
                            patternHash: "h", guidance: "g", subjectKey: "s", agentID: "agent_\(roll(2))",
                            learnedFromEventID: "e")))
            default: .system(.apiStopped(APIStopped(reason: "drained")))
            }
        return EventDraft(
            event,
            in: EventScope(
                workspaceID: workspace, roomID: room, threadID: roll(5) == 1 ? "th_1" : nil,
                runID: roll(2) == 1 ? RunID("run_\(roll(3))") : nil, stepID: roll(4) == 1 ? "step_1" : nil,
                correlationID: "corr_\(roll(4))"),
            by: [Actor.operatorUser, Actor(.service, "engine"), Actor(.agent, "a")][Int(roll(3)) - 1])
    }

    /// What the filter says, in plain words.
    private func holds(_ filter: EventFilter, _ event: StoredEvent) throws -> Bool {
        let envelope = event.envelope
        let data = try JSON.parse(event.payload?.data ?? [])
        func isMet<Value: Equatable>(_ wanted: Value?, _ found: Value?) -> Bool { wanted == nil || wanted == found }
        let principals = [
            envelope.actorPrincipalID, data["principal_id"]?.stringValue, data["issued_to_principal_id"]?.stringValue,
        ]
        return filter.workspaces.map { $0.contains(envelope.workspaceID) } ?? true
            && isMet(filter.stream, envelope.stream) && envelope.streamSeq > filter.afterStreamSeq ?? 0
            && envelope.globalSeq > filter.afterGlobalSeq && envelope.globalSeq <= filter.throughGlobalSeq ?? .max
            && isMet(filter.roomID, envelope.roomID) && isMet(filter.threadID, envelope.threadID)
            && isMet(filter.runID, envelope.runID) && isMet(filter.stepID, envelope.stepID)
            && isMet(filter.correlationID, envelope.correlationID)
            && (filter.eventTypes.isEmpty || filter.eventTypes.contains(envelope.eventType))
            && isMet(filter.actorType, envelope.actor.actorType) && isMet(filter.actorID, envelope.actor.actorID)
            && isMet(filter.subjectAgentID, data["agent_id"]?.stringValue)
            && (filter.subjectPrincipalID.map { principals.contains($0) } ?? true)
    }

    private func randomFilter() -> EventFilter {
        var filter = EventFilter(workspaces: [["ws_a"], ["ws_b"], ["ws_a", "ws_b"], nil][Int(roll(4)) - 1])
        func sometimes(_ body: () -> Void) { if roll(4) == 1 { body() } }
        sometimes { filter.stream = .room("ws_a_room_1") }
        if filter.stream != nil, roll(2) == 1 { filter.afterStreamSeq = roll(60) }
        sometimes { filter.afterGlobalSeq = roll(300) }
        sometimes { filter.throughGlobalSeq = roll(300) }
        sometimes { filter.roomID = "ws_a_room_1" }
        sometimes { filter.threadID = "th_1" }
        sometimes { filter.runID = RunID("run_\(roll(3))") }
        sometimes { filter.stepID = "step_1" }
        sometimes { filter.correlationID = "corr_\(roll(4))" }
        sometimes { filter.eventTypes = ["api.stopped", "engine.registered", "nothing.ever"] }
        sometimes { filter.actorType = [.user, .agent, .service][Int(roll(3)) - 1] }
        sometimes { filter.actorID = "engine" }
        sometimes { filter.subjectAgentID = "agent_1" }
        sometimes { filter.subjectPrincipalID = roll(2) == 1 ? "p_1" : Principal.id(of: .operatorUser) }
        return filter
    }

    @Test("Whatever is asked together, the answer is what the conditions say, from either end and in part")
    func sameAsPlain() throws {
        let all = try bench.stored()
        #expect(all.count == 300)
        var found = 0
        for _ in 0..<600 {
            let filter = randomFilter()
            let expected = try all.filter { try holds(filter, $0) }.map(\.envelope.globalSeq)
            found += expected.count
            let limit = Int(roll(40))
            try bench.database.read { transaction in
                let first = try EventQueries.events(filter, limit: limit, in: transaction)
                #expect(first.map(\.envelope.globalSeq) == Array(expected.prefix(limit)), "\(filter)")
                let last = try EventQueries.lastEvents(filter, limit: limit, in: transaction)
                #expect(last.map(\.envelope.globalSeq) == Array(expected.suffix(limit)), "\(filter)")
                var each: [Int64] = []
                try EventQueries.each(filter, limit: .max, in: transaction) {
                    each.append($0.envelope.globalSeq)
                    return true
                }
                #expect(each == expected, "\(filter)")
            }
        }
        #expect(found > 1_000)
    }

    @Test("Every way to ask goes by an index of its own and sorts nothing but what it has found")
    func paths() throws {
        func plan(_ change: (inout EventFilter) -> Void) throws -> String {
            var filter = EventFilter(workspaces: ["ws_a"])
            change(&filter)
            return try bench.database.read { transaction in
                var statement: SQL = Bench.isSQLite ? "EXPLAIN QUERY PLAN " : "EXPLAIN (COSTS OFF) "
                statement.append(try EventSearch(filter, limit: 10, in: transaction).statement)
                let column = Bench.isSQLite ? "detail" : "QUERY PLAN"
                // A small table is read whole, whatever indexes it has: it is asked what else could be done.
                if !Bench.isSQLite { try transaction.each("SET LOCAL enable_seqscan = off") { _ in true } }
                return try transaction.all(statement) { try $0.get(column, as: String.self) }.joined(separator: "\n")
            }
        }
        func expect(_ index: String, isSorted: Bool = false, _ change: (inout EventFilter) -> Void) throws {
            let plan = try plan(change)
            guard Bench.isSQLite else {
                let names = [
                    "sqlite_autoindex_evt_events_2": "evt_events_stream_type_stream_id_stream_seq_key",
                    "SEARCH evt_subjects USING PRIMARY KEY": "evt_subjects_pkey",
                ]
                #expect(plan.contains(names[index] ?? index), "\(index): \(plan)")
                #expect(!plan.contains("Seq Scan on evt_events"), "\(index): \(plan)")
                if !isSorted { #expect(!plan.contains("Sort"), "\(index): \(plan)") }
                return
            }
            #expect(plan.contains("evt_events USING") && plan.contains(index), "\(index): \(plan)")
            #expect(!plan.contains("SCAN evt_events"), "\(index): \(plan)")
            if !isSorted { #expect(!plan.contains("TEMP B-TREE"), "\(index): \(plan)") }
        }
        let type = { (filter: inout EventFilter) in filter.eventTypes = ["api.stopped"] }
        try expect("evt_events_by_step") {
            $0.stepID = "s"; type(&$0)
        }
        try expect("evt_events_by_run") {
            $0.runID = "r"; type(&$0); $0.actorID = "a"; $0.actorType = .user
        }
        try expect("evt_events_by_correlation") {
            $0.correlationID = "c"; type(&$0)
        }
        try expect("evt_events_by_thread") {
            $0.threadID = "t"; $0.roomID = "r"
        }
        try expect("SEARCH evt_subjects USING PRIMARY KEY", isSorted: true) {
            $0.subjectAgentID = "a"; type(&$0)
        }
        try expect("sqlite_autoindex_evt_events_2") {
            $0.roomID = "r"; type(&$0)
        }
        try expect("sqlite_autoindex_evt_events_2") {
            $0.stream = .room("r"); $0.afterStreamSeq = 4
        }
        try expect("evt_events_by_type", type)
        try expect("evt_events_by_principal") {
            $0.actorID = "a"; $0.actorType = .user
        }
        try expect("evt_events_by_actor") { $0.actorType = .agent }
        // Several ranges, of which each is read in its order and to its limit only.
        try expect("evt_events_by_type", isSorted: true) {
            $0.eventTypes = ["a", "b"]; $0.workspaces = ["x", "y"]
        }
        try expect("evt_events_by_actor", isSorted: true) { _ in }
        try expect("evt_events_by_principal", isSorted: true) { $0.subjectPrincipalID = "p" }
        try expect("SEARCH evt_subjects USING PRIMARY KEY", isSorted: true) { $0.subjectPrincipalID = "p" }
    }

    @Test("The last event before a time is found, also among many of one millisecond")
    func times() throws {
        let all = try bench.stored()
        let times = Set(all.map(\.envelope.recordedAt))
        for time in times.flatMap({ [$0, $0.adding(milliseconds: 1)] }) + [Timestamp(milliseconds: 0)] {
            let expected = all.last { $0.envelope.recordedAt < time }?.envelope.globalSeq ?? 0
            #expect(
                try bench.database.read { try EventQueries.lastGlobalSeq(recordedBefore: time, in: $0) } == expected)
        }
    }

    @Test("A clock that is set back does not make history run backwards, nor does a second log on the file")
    func clock() throws {
        let bench = try Bench()
        try bench.append(note("1"), at: Bench.start)
        try bench.append(note("2"), at: Bench.start.adding(milliseconds: -5_000))
        let second = EventLog { SeededEntropy(seed: 9).bytes($0) }
        try bench.database.writeAndWait { transaction in
            _ = try second.append([note("3")], at: Bench.start.adding(milliseconds: -9_000), in: transaction)
        }
        let events = try bench.stored()
        #expect(events.map(\.envelope.recordedAt) == [Bench.start, Bench.start, Bench.start])
        #expect(events[1].envelope.occurredAt == Bench.start.adding(milliseconds: -5_000))
        #expect(try bench.verify().valid)
    }
}

struct CloudEventTests {
    private func cloudEvent(_ change: (inout StoredEvent) -> Void) throws -> JSONValue {
        let vector = HashChainTests.vectors[1]
        var event = StoredEvent(vector.event, data: vector.payload.data)
        change(&event)
        var writer = JSONWriter()
        event.writeCloudEvent(to: &writer)
        return try JSON.parse(writer.bytes)
    }

    @Test("An event is a CloudEvent with exactly these attributes")
    func mapping() throws {
        let found = try cloudEvent { $0.envelope.globalSeq = 4711 }
        #expect(
            found == [
                "specversion": "1.0", "id": "018f0000-0000-7000-8000-000000000001", "source": "/workspaces/ws_dev",
                "type": "dev.aos.run.completed", "subject": "room/room_1", "time": "2026-03-04T05:06:07.089Z",
                "sequence": "00000000000000004711", "workspaceid": "ws_dev", "actortype": "service",
                "actorid": "engine \"one\"", "correlationid": "corr_1",
                "causationid": "018f0000-0000-7000-8000-000000000000", "datacontenttype": "application/json",
                "data": ["run_id": "run_1", "summary": "Zoë said \"hi\"\n🙂"],
            ])
        // CloudEvents 1.0, 3.1: extension names are small letters and digits, at most 20.
        for name in found.objectValue?.keys.map({ String($0) }) ?? [] {
            #expect(name.utf8.count <= 20 && name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) })
        }
    }

    @Test("What an event lacks is left out, and a source stays a URI reference")
    func absent() throws {
        let found = try cloudEvent { event in
            (event.payload, event.envelope.causationID, event.envelope.workspaceID) = (nil, nil, "a/b c%")
        }
        #expect(found["data"] == nil && found["datacontenttype"] == nil && found["causationid"] == nil)
        #expect(found["source"] == "/workspaces/a%2Fb%20c%25")
        #expect(found["workspaceid"] == "a/b c%")
    }
}
