import API
import APIClient
import DatabaseCore
import HTTP
import JSON
import Platform
import PostgresTestSupport
import Shared
import TestSupport
import Testing

@Suite("An erasure")
struct ErasureTests {
    private static let marker = "Zaphod-Beeblebrox-31337"

    private func erase(_ api: TestAPI, _ event: String, reason: JSONValue = "asked for") throws -> Answered {
        try api.operator.post("/v1/events/\(event)/erase", ["reason": reason])
    }

    /// A workspace in whose every text the marker stands, all of it ended or settled.
    private func fill(_ api: TestAPI) throws {
        let (people, marker) = (api.operator, JSONValue.string(Self.marker))
        let room = try people.post("/v1/rooms", ["title": marker, "topic": marker])[text: "room_id"]
        let run = try people.post(
            "/v1/runs",
            [
                "room_id": .string(room), "title": marker, "goal": marker, "tags": [marker],
                "input": ["plan": Plans.publish, "note": marker],
            ], fields: [.idempotencyKey: "a-key"])
        #expect(run.status == 201)
        let hold = try api.hold()
        let step = try hold.step("a", kind: "http")
        let call = try hold.publish(step, text: Self.marker)
        #expect(call.status == 202)
        let approval =
            try people.get("/v1/approvals?status=pending")["approvals"]?[0]?["approval_id"]?.stringValue ?? ""
        let decided = try people.post("/v1/approvals/\(approval)/decide", ["decision": "approve", "reason": marker])
        #expect(decided.status == 200, "\(decided.text)")
        let permitted = try hold.publish(step, text: Self.marker)
        #expect(permitted.status == 201, "\(permitted.text)")
        #expect(try hold.succeed(permitted[text: "tool_call_id"], output: ["text": marker]).status == 200)
        let blob = Array(Self.marker.utf8)
        let put = try hold.client.exchange(
            .put, "/v1/steps/\(step)/blobs/\(digest(blob))", fields: [.xClaimToken: hold.token], body: blob)
        #expect(put.status == 201)
        for content: JSONObject in [
            ["sha256": .string(digest(blob))], ["content": ["type": "text", "text": marker]],
            ["content": ["type": "json", "json": ["a": marker]]],
        ] {
            var body: JSONObject = ["kind": "note", "title": marker, "metadata": ["by": marker]]
            for (key, value) in content { body[key] = value }
            let made = try hold.post("/v1/steps/\(step)/artifacts", body)
            #expect(made.status == 201, "\(made.text)")
        }
        #expect(try hold.post("/v1/steps/\(step)/fail", ["message": marker, "error": ["m": marker]]).status == 200)
        #expect(try hold.onRun("fail", ["message": marker, "error": ["m": marker]]).status == 200)
        let thread = try people.post("/v1/rooms/\(room)/threads", ["title": marker])[text: "thread_id"]
        for number in 0..<3 {
            let said = try people.post(
                "/v1/threads/\(thread)/messages",
                ["content_md": .string("\(number) \(Self.marker) \"\n"), "lang": "en", "labels": [marker]])
            #expect(said.status == 201)
        }
        let incident = try people.get("/v1/incidents")["incidents"]?[0]?["incident_id"]?.stringValue ?? ""
        #expect(try people.post("/v1/incidents/\(incident)/rca", ["summary": marker]).status == 200)
        #expect(
            try people.post("/v1/incidents/\(incident)/learning", ["note": marker, "tags": [marker]]).status == 201)
        #expect(try people.post("/v1/incidents/\(incident)/close", ["reason": marker]).status == 200)
        let experiment = try people.post(
            "/v1/experiments",
            [
                "title": marker, "hypothesis": marker, "budget_cap_units": 1, "risk_tier": "low",
                "metadata": ["m": marker],
            ])[text: "experiment_id"]
        #expect(
            try people.post("/v1/experiments/\(experiment)/close", ["status": "closed", "reason": marker]).status == 200
        )
        let scorecard = try people.post(
            "/v1/scorecards",
            [
                "template_key": "k", "template_version": "1", "metrics": [["key": marker, "value": 1]],
                "rationale": marker, "run_id": run["run_id"] ?? .null,
            ])[text: "scorecard_id"]
        let lesson = try people.post(
            "/v1/lessons",
            ["category": marker, "summary": marker, "action_items": [marker], "scorecard_id": .string(scorecard)])
        #expect(lesson.status == 201, "\(lesson.text)")
    }

    /// The events in which the marker stands, as a reader of one sees them.
    private func marked(_ api: TestAPI) throws -> [JSONValue] {
        try (api.operator.get("/v1/events?limit=200&include_system=1")["events"]?.arrayValue ?? []).filter { event in
            try api.operator.get("/v1/events/\(event["event_id"]?.stringValue ?? "")").text.contains(Self.marker)
        }
    }

    /// The files under the data directory in which the marker stands, in plain or with its blob's digest.
    private func files(_ api: TestAPI) throws -> [String] {
        let needles = [Self.marker, digest(Array(Self.marker.utf8))].map { Array($0.utf8) }
        func walk(_ path: String) throws -> [String] {
            try Files.list(path).flatMap { name -> [String] in
                let child = "\(path)/\(name)"
                if Files.status(child)?.kind == .folder { return try walk(child) }
                let text = String(decoding: try Files.read(child, bytesMax: 1 << 30), as: Unicode.ASCII.self) + name
                return needles.contains { text.contains(String(decoding: $0, as: UTF8.self)) } ? [child] : []
            }
        }
        return try walk(api.folder.path)
    }

    @Test("takes the text out of everything, and what is left is one history", arguments: Transports.allCases)
    func everywhere(_ transports: Transports) throws {
        try withAPI(transports) { api in
            try fill(api)
            let events = try marked(api)
            #expect(events.count >= 20, "\(events.map { $0["event_type"]?.stringValue ?? "" })")
            #expect(!(try files(api)).isEmpty)
            #expect((try api.operator.get("/v1/search?q=zaphod")["docs"]?.arrayValue?.count ?? 0) >= 8)
            for event in events {
                let answer = try erase(api, event["event_id"]?.stringValue ?? "")
                #expect(answer.status == 200, "\(event["event_type"] ?? .null): \(answer.text)")
                #expect(answer["scrubbed"] == .bool(TestBackends.chosen == .sqlite))
                #expect(answer.response.fields[.xCommitSeq] != nil)
            }
            #expect(try marked(api).isEmpty)
            #expect(try files(api) == [])
            #expect(try api.operator.get("/v1/search?q=zaphod")["docs"] == [])
            for list in [
                "rooms", "runs", "steps", "toolcalls", "artifacts", "approvals", "incidents", "experiments",
                "scorecards", "lessons", "constraints",
            ] {
                let answer = try api.operator.get("/v1/\(list)")
                if answer.status == 200 { #expect(!answer.text.contains(Self.marker), "\(list)") }
            }
            let found = try api.operator.get("/v1/audit/verify")
            #expect((found["valid"], found["erased"]) == (true, .integer(Int64(events.count))))
            // Structure stays: the run failed, the message was there.
            let run = try api.operator.get("/v1/runs")["runs"]?[0]
            #expect((run?["status"], run?["title"]) == ("failed", .string(ErasedForm.mark)))
            // Not carried out again, and not answered with what is gone.
            let again = try api.operator.post(
                "/v1/runs", ["room_id": run?["room_id"] ?? .null], fields: [.idempotencyKey: "a-key"])
            #expect((again.status, again.code) == (410, "answer_erased"))
        }
    }

    @Test("is recorded: who, when and why; and a second one is refused")
    func recorded() throws {
        try withAPI { api in
            let thread = try api.thread(in: api.room())
            _ = try api.operator.post("/v1/threads/\(thread)/messages", ["content_md": "oops", "lang": "en"])
            let event = try api.operator.get("/v1/events?thread_id=\(thread)")["events"]?[1] ?? .null
            let id = event["event_id"]?.stringValue ?? ""
            let answer = try erase(api, id, reason: "said in error")
            let mark = try api.operator.get("/v1/events/\(answer[text: "erased_by_event_id"])")["event"]
            #expect(mark?["event_type"] == "event.erased")
            #expect(mark?["data"]?["target_event_id"] == .string(id))
            #expect(mark?["data"]?["reason"] == "said in error")
            #expect((mark?["actor_id"], mark?["causation_id"]) == ("operator", .string(id)))
            #expect(mark?["data"]?["remains"]?["message_id"] == event["data"]?["message_id"])
            let shown = try api.operator.get("/v1/events/\(id)")["event"]
            #expect((shown?["data"], shown?["payload_digest"] == .null) == (.null, false))
            #expect(try erase(api, id).code == "event_already_erased")
            #expect(try erase(api, answer[text: "erased_by_event_id"]).code == "event_not_erasable")
            for reason: JSONValue in [.null, "", " "] { #expect(try erase(api, id, reason: reason).status == 400) }
            #expect(try erase(api, "nothing").code == "event_not_found")
            #expect(
                try api.operator(in: "ws_b").post("/v1/events/\(id)/erase", ["reason": "x"]).code == "event_not_found")
        }
    }

    @Test("waits for a run's end and for an approval's decision, and leaves alone what the instance says of itself")
    func refused() throws {
        try withAPI { api in
            let run = try api.run(in: api.room(), title: "alive")
            let created = try api.events(run)[0].eventID.rawValue
            let before = try api.lastGlobalSeq()
            #expect(try erase(api, created).code == "run_not_ended")
            _ = try api.operator.post("/v1/approvals", ["action": "external.write", "title": "x"])
            let asked = try api.operator.get("/v1/events?event_type=approval.requested")["events"]?[0]
            #expect(try erase(api, asked?["event_id"]?.stringValue ?? "").code == "approval_pending")
            let started = try api.operator.get("/v1/events?event_type=api.started&include_system=1")["events"]?[0]
            #expect(try erase(api, started?["event_id"]?.stringValue ?? "").code == "event_not_erasable")
            #expect(try api.lastGlobalSeq() == before + 1)
            _ = try api.operator.post("/v1/runs/\(run)/cancel")
            #expect(try erase(api, created).status == 200)
            let engine = try api.engine("e")
            #expect(try engine.post("/v1/events/\(created)/erase", ["reason": "x"]).status == 403)
        }
    }

    @Test("keeps bytes that another artifact names")
    func sharedBlob() throws {
        try withAPI { api in
            _ = try api.run(in: api.room())
            let hold = try api.hold()
            let (step, bytes) = (try hold.step("a"), Array("shared".utf8))
            _ = try hold.client.exchange(
                .put, "/v1/steps/\(step)/blobs/\(digest(bytes))", fields: [.xClaimToken: hold.token], body: bytes)
            for _ in 0..<2 {
                _ = try hold.post("/v1/steps/\(step)/artifacts", ["kind": "n", "sha256": .string(digest(bytes))])
            }
            _ = try hold.onRun("complete")
            let events = try api.events(hold.runID).filter { $0.eventType == "artifact.created" }
            let removed = try events.map { try erase(api, $0.eventID.rawValue)["blobs_removed"] }
            #expect(removed == [0, 1])
            let id = try api.operator.get("/v1/artifacts")["artifacts"]?[0]?["artifact_id"]?.stringValue ?? ""
            #expect(try api.operator.get("/v1/artifacts/\(id)/content").status == 404)
        }
    }

    @Test("reaches who follows the room: the event is there, and says nothing any more")
    func followers() throws {
        try withAPI(.socket) { api in
            let room = try api.room()
            let ended = Monitor<Bool>(false)
            let thread = Thread.start("follower") {
                try? Follower(api, room: room, from: 1).read(until: 5)
                ended.update { $0 = true }
            }
            try eventually("the follower to be there") { api.application.followerCount == 1 }
            let talk = try api.thread(in: room)
            func say(_ text: String) throws {
                _ = try api.operator.post("/v1/threads/\(talk)/messages", ["content_md": .string(text), "lang": "en"])
            }
            try say("oops")
            let event = try api.operator.get("/v1/events?thread_id=\(talk)")["events"]?[1]
            #expect(try erase(api, event?["event_id"]?.stringValue ?? "").status == 200)
            // Somebody who comes now is served by the log, not by what the hub kept for the first.
            let late = Follower(api, room: room, from: 2)
            try late.read(until: 4)
            #expect(try JSON.parse(Array(late.events[0].data.utf8))["data"] == .null)
            try say("the last")
            _ = ended.wait { $0 ? true : nil }
            thread.join()
        }
    }
}
