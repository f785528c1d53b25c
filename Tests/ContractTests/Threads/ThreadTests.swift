import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("A thread")
struct ThreadTests {
    private func say(
        _ api: TestAPI, _ thread: String, _ text: String, _ more: JSONObject = [:], by client: APIClient? = nil
    ) throws -> Answered {
        var body = more
        (body["content_md"], body["lang"]) = (body["content_md"] ?? .string(text), body["lang"] ?? "en")
        return try (client ?? api.operator).post("/v1/threads/\(thread)/messages", .object(body))
    }

    @Test("is opened in a room, shown and listed, newest change first", arguments: Transports.allCases)
    func threads(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            let (first, second) = (try api.thread(in: room, "First"), try api.thread(in: room, "Second"))
            let shown = try api.operator.get("/v1/threads/\(first)")["thread"]
            #expect((shown?["title"], shown?["status"]) == ("First", "open"))
            #expect(shown?["room_id"] == .string(room.rawValue))
            api.clock.advance(1_000)
            #expect(try say(api, first, "hello").status == 201)
            let list = try api.operator.get("/v1/rooms/\(room)/threads")
            #expect(list["threads"]?.arrayValue?.map { $0["thread_id"] } == [.string(first), .string(second)])
            #expect(list["next_cursor"] == .null)
            let page = try api.operator.get("/v1/rooms/\(room)/threads?limit=1")
            let next = try api.operator.get("/v1/rooms/\(room)/threads?limit=1&cursor=\(page[text: "next_cursor"])")
            #expect(next["threads"]?[0]?["thread_id"] == .string(second))
            let events = try api.operator.get("/v1/events?thread_id=\(first)")["events"]?.arrayValue ?? []
            #expect(events.map { $0["event_type"] } == ["thread.created", "message.created"])
            #expect(events.allSatisfy { $0["stream_id"] == .string(room.rawValue) })
        }
    }

    @Test("holds messages, newest first, also those of one millisecond", arguments: Transports.allCases)
    func messages(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let thread = try api.thread(in: api.room())
            var ids: [JSONValue] = []
            for number in 0..<5 { ids.insert(.string(try say(api, thread, "m\(number)")[text: "message_id"]), at: 0) }
            let before = Timestamp(milliseconds: api.clock.wallMilliseconds() + 1).description
            api.clock.advance(1_000)
            let answer = try say(
                api, thread, "last", ["parent_message_id": ids[0], "labels": ["todo", "ops"], "schema_version": "2.1"])
            let all = try api.operator.get("/v1/threads/\(thread)/messages")
            #expect(all["messages"]?.arrayValue?.map { $0["message_id"] ?? .null } == [answer["message_id"]!] + ids)
            let earlier = try api.operator.get("/v1/threads/\(thread)/messages?before=\(before)")
            #expect(earlier["messages"]?.arrayValue?.map { $0["message_id"] ?? .null } == ids)
            var (paged, cursor): ([JSONValue], String) = ([], "")
            repeat {
                let page = try api.operator.get("/v1/threads/\(thread)/messages?limit=2\(cursor)")
                paged += page["messages"]?.arrayValue?.map { $0["message_id"] ?? .null } ?? []
                cursor = page["next_cursor"]?.stringValue.map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            #expect(paged == [answer["message_id"]!] + ids)
            let shown = try api.operator.get("/v1/messages/\(answer[text: "message_id"])")["message"]
            #expect((shown?["content_md"], shown?["lang"], shown?["labels"]) == ("last", "en", ["todo", "ops"]))
            #expect((shown?["sender_type"], shown?["sender_id"]) == ("user", "operator"))
            #expect(shown?["parent_message_id"] == ids[0])
            #expect(shown?["run_id"] == .null)
        }
    }

    @Test(
        "refuses what is no message, and nothing is left of it",
        arguments: [
            (["content_md": " "], 400, "missing_content"), (["content_md": .null], 400, "missing_content"),
            (["lang": ""], 400, "missing_lang"), (["content_md": 1], 400, "invalid_field"),
            (["content_md": .string(String(repeating: "a", count: 65_537))], 400, "invalid_field"),
            (["labels": .array((0..<21).map { .string("\($0)") })], 400, "invalid_field"),
            (["labels": [.string(String(repeating: "a", count: 101))]], 400, "invalid_field"),
            (["schema_version": "3.0"], 400, "invalid_schema_version"),
            (["sender_type": "robot"], 400, "invalid_field"), (["sender_type": "agent"], 403, "actor_claim_mismatch"),
            (["sender_id": "anon"], 403, "actor_claim_mismatch"),
            (["parent_message_id": "msg_nothing"], 400, "parent_message_mismatch"),
            (["run_id": "run_nothing"], 404, "run_not_found"), (["step_id": "step_nothing"], 404, "step_not_found"),
            (["idempotency_key": .string(String(repeating: "a", count: 201))], 400, "invalid_idempotency_key"),
        ] as [(JSONObject, Int, String)])
    func refused(_ members: JSONObject, _ status: Int, _ code: String) throws {
        try withAPI { api in
            let thread = try api.thread(in: api.room())
            let before = try api.lastGlobalSeq()
            var body: JSONObject = ["content_md": "a", "lang": "en"]
            for (name, value) in members { body[name] = value }
            let answer = try api.operator.post("/v1/threads/\(thread)/messages", .object(body))
            #expect((answer.status, answer.code) == (status, code), "\(answer.text)")
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test("is 404 where there is none, on lists too")
    func missing() throws {
        try withAPI { api in
            let room = try api.room()
            #expect(try say(api, "th_nothing", "a").code == "thread_not_found")
            #expect(try api.operator.get("/v1/threads/th_nothing/messages").code == "thread_not_found")
            #expect(try api.operator.get("/v1/threads/th_nothing").code == "thread_not_found")
            #expect(try api.operator.get("/v1/messages/msg_nothing").code == "message_not_found")
            #expect(try api.operator.get("/v1/rooms/room_nothing/threads").code == "room_not_found")
            #expect(try api.operator.post("/v1/rooms/\(room)/threads", ["title": " "]).code == "missing_title")
            let thread = try api.thread(in: room)
            for before in ["yesterday", "2026-03-04", "1"] {
                #expect(
                    try api.operator.get("/v1/threads/\(thread)/messages?before=\(before)").code == "invalid_before")
            }
            for cursor in ["zz", ListCursorText.ofATimeList] {
                #expect(
                    try api.operator.get("/v1/threads/\(thread)/messages?cursor=\(cursor)").code == "invalid_cursor")
            }
        }
    }

    @Test("is where its run lives: a run names a thread of its own room or none")
    func runs() throws {
        try withAPI { api in
            let (room, other) = (try api.room(), try api.room("Other"))
            let (own, foreign) = (try api.thread(in: room), try api.thread(in: other))
            func create(_ thread: String) throws -> Answered {
                try api.operator.post(
                    "/v1/runs", ["room_id": .string(room.rawValue), "thread_id": .string(thread), "title": "t"])
            }
            #expect(try create(foreign).code == "thread_not_found")
            let run = try create(own)
            #expect(run.status == 201)
            #expect(
                try api.operator.get("/v1/runs/\(run[text: "run_id"])")["run"]?["thread_id"] == .string(own))
        }
    }

    // MARK: Engines

    @Test("hears a run through the engine that holds it, and nobody else", arguments: Transports.allCases)
    func engines(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            _ = try api.run(in: room)
            let hold = try api.hold()
            let step = try hold.step("a")
            let thread = try hold.post("/v1/rooms/\(room)/threads", ["title": "t", "step_id": .string(step.rawValue)])
            #expect(thread.status == 201, "\(thread.text)")
            let id = thread[text: "thread_id"]
            let said = try hold.post(
                "/v1/threads/\(id)/messages",
                ["content_md": "done", "lang": "en", "step_id": .string(step.rawValue)])
            #expect(said.status == 201, "\(said.text)")
            let message = try hold.client.get("/v1/messages/\(said[text: "message_id"])")["message"]
            #expect((message?["run_id"], message?["step_id"]) == (.string(hold.runID.rawValue), .string(step.rawValue)))
            #expect((message?["sender_type"], message?["sender_id"]) == ("service", "engine-a"))
            #expect(try api.eventTypes(hold.runID).suffix(2) == ["thread.created", "message.created"])
            // In the run's name only with its token; in the engine's own name without.
            let before = try api.lastGlobalSeq()
            let run: JSONObject = ["run_id": .string(hold.runID.rawValue)]
            #expect(try say(api, id, "x", run, by: hold.client).code == "missing_claim_token")
            var wrong = run
            wrong["claim_token"] = "wrong"
            #expect(try say(api, id, "x", wrong, by: hold.client).code == "lease_token_mismatch")
            let elsewhere = try api.thread(in: api.room("Other"))
            #expect(
                try hold.post(
                    "/v1/threads/\(elsewhere)/messages",
                    ["content_md": "x", "lang": "en", "run_id": run["run_id"]!]
                ).code == "run_room_mismatch")
            #expect(try api.lastGlobalSeq() == before + 2)
            #expect(try say(api, id, "by myself", by: hold.client).status == 201)
            #expect(try api.operator.get("/v1/threads/\(id)/messages")["messages"]?[0]?["run_id"] == .null)
        }
    }

    @Test(
        "keeps one message for one key, whoever repeats it, and says 200 to the repeat", arguments: Transports.allCases)
    func repeats(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            let run = try api.run(in: room)
            let hold = try api.hold("engine-a")
            func speak(_ hold: Hold) throws -> (Answered, Answered) {
                let key = "\(run)/a/1"
                let thread = try hold.post(
                    "/v1/rooms/\(room)/threads",
                    ["title": "t", "run_id": .string(run.rawValue), "idempotency_key": .string("\(run)/thread")])
                let message = try hold.post(
                    "/v1/threads/\(thread[text: "thread_id"])/messages",
                    [
                        "content_md": "done", "lang": "en", "run_id": .string(run.rawValue),
                        "idempotency_key": .string(key),
                    ])
                return (thread, message)
            }
            let first = try speak(hold)
            #expect((first.0.status, first.1.status) == (201, 201))
            // Another engine carries on after the first was lost.
            api.clock.advance(60_000)
            let next = try api.hold("engine-b")
            let before = try api.lastGlobalSeq()
            let second = try speak(next)
            #expect((second.0.status, second.1.status) == (200, 200), "\(second)")
            #expect((second.0.json, second.1.json) == (first.0.json, first.1.json))
            #expect(try api.lastGlobalSeq() == before)
            let conflict = try next.post(
                "/v1/threads/\(first.0[text: "thread_id"])/messages",
                ["content_md": "x", "lang": "en", "idempotency_key": .string("\(run)/thread")])
            #expect((conflict.status, conflict.code) == (409, "idempotency_conflict"))
            // The key of a request stands for the request, as everywhere.
            let thread = first.0[text: "thread_id"]
            let posts = try (0..<2).map { _ in
                try api.operator.post(
                    "/v1/threads/\(thread)/messages", ["content_md": "once", "lang": "en"],
                    fields: [.idempotencyKey: "k-1"])
            }
            #expect(posts[0].json == posts[1].json)
            #expect(posts[1].response.fields[.idempotentReplayed] == "true")
        }
    }

    @Test("with a key of the system's own is refused: it would keep a run from ending")
    func reservedKey() throws {
        try withAPI { api in
            let room = try api.room()
            let run = try api.run(in: room)
            let hold = try api.hold()
            let key = JSONValue.string("evidence_manifest:\(run)")
            let thread = try api.thread(in: room)
            let before = try api.lastGlobalSeq()
            let message = try hold.post(
                "/v1/threads/\(thread)/messages", ["content_md": "x", "lang": "en", "idempotency_key": key])
            let opened = try hold.post("/v1/rooms/\(room)/threads", ["title": "x", "idempotency_key": key])
            for answer in [message, opened] {
                #expect((answer.status, answer.code) == (400, "invalid_idempotency_key"))
            }
            #expect(try api.lastGlobalSeq() == before)
            #expect(try hold.onRun("complete").status == 200)
        }
    }

    @Test("believes what the header mode says of the sender")
    func headerMode() throws {
        try withAPI(settings: ["AUTH_ALLOW_LEGACY_WORKSPACE_HEADER": "1"]) { api in
            let thread = try api.thread(in: api.room())
            let named = try say(
                api, thread, "x", ["sender_type": "agent", "sender_id": "scribe"], by: api.stranger)
            let shown = try api.operator.get("/v1/messages/\(named[text: "message_id"])")["message"]
            #expect((shown?["sender_type"], shown?["sender_id"]) == ("agent", "scribe"))
            let anonymous = try say(api, thread, "x", by: api.stranger)
            let other = try api.operator.get("/v1/messages/\(anonymous[text: "message_id"])")["message"]
            #expect((other?["sender_type"], other?["sender_id"]) == ("user", "anon"))
        }
    }
}

@Suite("A room")
struct RoomTests {
    @Test("is shown, and changed where it is told something else", arguments: Transports.allCases)
    func update(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room("Night shift")
            let before = try api.lastGlobalSeq()
            for body: JSONValue in [[:], ["title": "Night shift"], ["topic": ""], ["default_lang": " en "]] {
                let answer = try api.operator.post("/v1/rooms/\(room)/update", body)
                #expect((answer.status, answer.json) == (200, ["ok": true]))
            }
            #expect(try api.lastGlobalSeq() == before)
            let answer = try api.operator.post(
                "/v1/rooms/\(room)/update", ["title": "Night shift", "topic": "Backups", "room_mode": "quiet"])
            #expect(answer.status == 200)
            let events = try api.operator.get("/v1/events?room_id=\(room)")["events"]?.arrayValue ?? []
            #expect(events.last?["event_type"] == "room.updated")
            #expect(events.last?["data"] == ["topic": "Backups", "room_mode": "quiet"])
            #expect(events.last?["causation_id"] == events.first?["event_id"])
            let shown = try api.operator.get("/v1/rooms/\(room)")["room"]
            #expect((shown?["topic"], shown?["room_mode"], shown?["title"]) == ("Backups", "quiet", "Night shift"))
            #expect(try api.operator.post("/v1/rooms/\(room)/update", ["title": " "]).code == "missing_title")
            #expect(try api.operator.get("/v1/rooms/room_nothing").code == "room_not_found")
            #expect(try api.operator.post("/v1/rooms/room_nothing/update", ["topic": "a"]).code == "room_not_found")
            let engine = try api.engine("engine-a")
            #expect(try engine.post("/v1/rooms/\(room)/update", ["topic": "a"]).code == "operator_required")
        }
    }
}

/// A cursor of a list by time, which means nothing to others.
enum ListCursorText {
    static let ofATimeList = "1~run_1".utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

extension TestAPI {
    func thread(in room: RoomID, _ title: String = "Thread", workspace: WorkspaceID? = nil) throws -> String {
        let answer = try `operator`(in: workspace).post("/v1/rooms/\(room)/threads", ["title": .string(title)])
        guard answer.status == 201 else { throw TestFailure("no thread: \(answer.text)") }
        return answer[text: "thread_id"]
    }
}
