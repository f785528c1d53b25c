import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("The event log")
struct EventTests {
    /// Two rooms with a run each, one of them worked on.
    private func story(_ api: TestAPI) throws -> (rooms: [RoomID], runs: [RunID], hold: Hold) {
        let rooms = [try api.room("one"), try api.room("two")]
        let first = try api.run(in: rooms[0])
        api.clock.advance(10)
        let second = try api.run(in: rooms[1])
        api.clock.advance(10)
        let hold = try api.hold()
        let step = try hold.step("a")
        api.clock.advance(10)
        let call = try hold.call(step, "shell", ["argv": ["wc"]])[text: "tool_call_id"]
        _ = try hold.succeed(call)
        _ = try hold.post("/v1/steps/\(step)/succeed")
        _ = try hold.onRun("complete")
        return (rooms, [first, second], hold)
    }

    private func rows(_ api: TestAPI, _ query: String) throws -> [JSONValue] {
        let answer = try api.operator.get("/v1/events?\(query)")
        #expect(answer.status == 200, "\(query): \(answer.text)")
        return answer["events"]?.arrayValue ?? []
    }

    @Test("is filtered by what is asked, all conditions together", arguments: Transports.allCases)
    func filters(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let (rooms, runs, _) = try story(api)
            let all = try rows(api, "limit=200")
            func expect(_ query: String, _ isWanted: (JSONValue) -> Bool) throws {
                let found = try rows(api, "limit=200&\(query)")
                #expect(found == all.filter(isWanted), "\(query)")
                #expect(!found.isEmpty, "\(query)")
            }
            let step = all.compactMap { $0["step_id"]?.stringValue }.first ?? ""
            let correlation = all.last?["correlation_id"]?.stringValue ?? ""
            try expect("room_id=\(rooms[0])") { $0["room_id"] == .string(rooms[0].rawValue) }
            try expect("run_id=\(runs[1])") { $0["run_id"] == .string(runs[1].rawValue) }
            try expect("step_id=\(step)") { $0["step_id"] == .string(step) }
            try expect("correlation_id=\(correlation)") { $0["correlation_id"] == .string(correlation) }
            try expect("event_type=run.created") { $0["event_type"] == "run.created" }
            try expect("event_types=run.created,%20run.started&event_types=tool.invoked&event_type=run.created") {
                ["run.created", "run.started", "tool.invoked"].contains($0["event_type"]?.stringValue ?? "")
            }
            try expect("event_type=run.created&room_id=\(rooms[1])") {
                $0["event_type"] == "run.created" && $0["room_id"] == .string(rooms[1].rawValue)
            }
            try expect("stream_type=room&stream_id=\(rooms[0])") { $0["stream_id"] == .string(rooms[0].rawValue) }
            try expect("stream_type=room&stream_id=\(rooms[0])&from_seq=2") {
                $0["stream_id"] == .string(rooms[0].rawValue) && ($0["stream_seq"]?.intValue ?? 0) > 2
            }
            let middle = all[all.count / 2]["recorded_at"]?.stringValue ?? ""
            try expect("before_recorded_at=\(middle)") { ($0["recorded_at"]?.stringValue ?? "") < middle }
            #expect(try rows(api, "run_id=\(runs[0])&room_id=\(rooms[1])").isEmpty)
            #expect(try rows(api, "event_type=nothing.ever").isEmpty)
            // Blank is not given.
            #expect(try rows(api, "limit=200&run_id=&event_type=%20") == all)
        }
    }

    /// What the principal did, or is named in.
    private static func concerning(_ principal: JSONValue, _ rows: [JSONValue]) -> [JSONValue] {
        rows.filter { [$0["actor_principal_id"], $0["data"]?["principal_id"]].contains(principal) }
    }

    @Test("is filtered by who acted, and about whom", arguments: Transports.allCases)
    func actors(_ transports: Transports) throws {
        try withAPI(transports) { api in
            _ = try story(api)
            let all = try rows(api, "limit=200")
            func expect(_ query: String, _ wanted: [JSONValue]) throws {
                #expect(!wanted.isEmpty)
                #expect(try rows(api, "limit=200&\(query)") == wanted, "\(query)")
            }
            let byEngine = all.filter { $0["actor_id"] == "engine-a" }
            let principal = byEngine.first?["actor_principal_id"] ?? .null
            let aboutEngine = Self.concerning(principal, all)
            try expect("actor_type=service", all.filter { $0["actor_type"] == "service" })
            try expect("actor_id=engine-a", byEngine)
            try expect("actor_id=operator&actor_type=user", all.filter { $0["actor_id"] == "operator" })
            try expect("subject_principal_id=\(principal.stringValue ?? "")", aboutEngine)
            #expect(aboutEngine.contains { $0["event_type"] == "engine.registered" })
            for query in ["subject_agent_id=agent_1", "actor_id=operator&actor_type=agent", "subject_principal_id=x"] {
                #expect(try rows(api, query).isEmpty, "\(query)")
            }
        }
    }

    @Test("is read page by page: every event once, in its order", arguments: [1, 3, 7, 200])
    func pages(_ limit: Int) throws {
        try withAPI { api in
            let (rooms, _, _) = try story(api)
            for query in ["", "&room_id=\(rooms[0])", "&include_system=1", "&stream_type=room&stream_id=\(rooms[0])"] {
                let all = try rows(api, "limit=200\(query)")
                var (seen, cursor) = ([JSONValue](), "")
                repeat {
                    let page = try api.operator.get(
                        "/v1/events?limit=\(limit)\(query)\(cursor.isEmpty ? "" : "&cursor=\(cursor)")")
                    seen += page["events"]?.arrayValue ?? []
                    #expect(page["next_cursor"] != nil)
                    cursor = page["next_cursor"]?.stringValue ?? ""
                } while !cursor.isEmpty && seen.count < 1_000
                #expect(seen == all)
                let seqs = seen.compactMap { $0["global_seq"]?.intValue }
                #expect(seqs == seqs.sorted() && Set(seqs).count == seqs.count)
            }
        }
    }

    @Test(
        "is read backwards from a time: the page just before it, oldest first, and on by its cursor",
        arguments: [1, 4, 200])
    func backwards(_ limit: Int) throws {
        try withAPI { api in
            let (rooms, runs, _) = try story(api)
            for query in ["", "&room_id=\(rooms[0])", "&run_id=\(runs[0])", "&include_system=1", "&actor_type=service"]
            {
                let all = try rows(api, "limit=200\(query)")
                // Many are recorded in the same millisecond.
                for time in Set(all.compactMap { $0["recorded_at"]?.stringValue }).union(["2100-01-01T00:00:00Z"]) {
                    let expected = all.filter { ($0["recorded_at"]?.stringValue ?? "") < time }
                    #expect(
                        try rows(api, "limit=\(limit)\(query)&before_recorded_at=\(time)")
                            == Array(expected.suffix(limit)), "\(query) \(time)")
                    var (seen, cursor) = ([JSONValue](), "")
                    repeat {
                        let page = try api.operator.get(
                            "/v1/events?limit=\(limit)\(query)&before_recorded_at=\(time)&cursor=\(cursor)")
                        seen = (page["events"]?.arrayValue ?? []) + seen
                        cursor = page["next_cursor"]?.stringValue ?? ""
                    } while !cursor.isEmpty && seen.count < 1_000
                    #expect(seen == expected, "\(query) \(time)")
                }
            }
        }
    }

    @Test("shows the machine's own events only when they are asked for")
    func system() throws {
        try withAPI { api in
            _ = try story(api)
            let with = try rows(api, "limit=200&include_system=1")
            let without = try rows(api, "limit=200")
            #expect(with.contains { $0["event_type"] == "api.started" })
            #expect(without == with.filter { $0["workspace_id"] == "ws_dev" })
            #expect(with.compactMap { $0["global_seq"]?.intValue } == Array(1...Int64(with.count)))
        }
    }

    @Test(
        "refuses questions that mean nothing, with the name of the parameter",
        arguments: [
            ("stream_type=room", "stream_type_and_stream_id_required_together"),
            ("stream_id=x", "stream_type_and_stream_id_required_together"),
            ("stream_type=galaxy&stream_id=x", "invalid_stream_type"), ("stream_type=galaxy", "invalid_stream_type"),
            ("actor_type=robot", "invalid_field"),
            ("cursor=x", "invalid_cursor"), ("cursor=-1", "invalid_cursor"), ("cursor=1.5", "invalid_cursor"),
            ("cursor=9223372036854775808", "invalid_cursor"), ("cursor=01", "invalid_cursor"),
            ("stream_type=room&stream_id=x&from_seq=x", "invalid_cursor"),
            ("stream_type=room&stream_id=x&from_seq=-1", "invalid_cursor"),
            ("before_recorded_at=yesterday", "invalid_before_recorded_at"),
            ("before_recorded_at=2026-13-01T00:00:00Z", "invalid_before_recorded_at"),
            ("limit=1.5", "invalid_limit"),
            ("event_types=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21", "invalid_field"),
        ])
    func refused(_ query: String, _ code: String) throws {
        try withAPI { api in
            let answer = try api.operator.get("/v1/events?\(query)")
            #expect((answer.status, answer.code) == (400, code))
            expectProblem(answer)
        }
    }

    @Test("shows one event with its hashes and contexts, each linked to the one before", arguments: Transports.allCases)
    func single(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let (rooms, runs, _) = try story(api)
            var previous: JSONValue = .null
            for row in try rows(api, "limit=200&room_id=\(rooms[0])") {
                let answer = try api.operator.get("/v1/events/\(row["event_id"]?.stringValue ?? "")")
                #expect(answer.status == 200)
                guard let event = answer["event"] else { continue }
                for member in ["payload_digest", "event_hash"] {
                    #expect(event[member]?.stringValue?.hasPrefix("sha256:") == true)
                    #expect(event[member]?.stringValue?.utf8.count == 71)
                }
                #expect(event["prev_event_hash"] == previous)
                previous = event["event_hash"] ?? .null
                for member in ["policy_context", "model_context", "display"] {
                    #expect(event[member]?.objectValue != nil)
                }
                #expect(event["payload_salt"] == nil)
                for (key, value) in row.objectValue ?? [:] { #expect(event[key] == value, "\(key)") }
            }
            let missing = try api.operator.get("/v1/events/\(runs[0])")
            #expect((missing.status, missing.code) == (404, "event_not_found"))
        }
    }
}
