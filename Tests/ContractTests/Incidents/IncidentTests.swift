import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("An incident")
struct IncidentTests {
    private func open(_ api: TestAPI, _ body: JSONValue, in workspace: WorkspaceID? = nil) throws -> String {
        let answer = try api.operator(in: workspace).post("/v1/incidents", body)
        guard answer.status == 201 else { throw TestFailure("not opened: \(answer.text)") }
        return answer[text: "incident_id"]
    }

    @Test("is opened, understood, learned from and closed", arguments: Transports.allCases)
    func life(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            let opened = try api.operator.post(
                "/v1/incidents",
                [
                    "title": " Sent twice ", "summary": "Two mails", "severity": "warning", "category": "quality",
                    "details": ["mails": 2], "entity_type": "mail", "entity_id": "m-1",
                    "room_id": .string(room.rawValue), "correlation_id": "corr-1",
                ])
            #expect((opened.status, opened["deduped"]) == (201, false))
            let id = opened[text: "incident_id"]
            #expect(id.hasPrefix("inc_"))
            let shown = try api.operator.get("/v1/incidents/\(id)")
            let row = try #require(shown["incident"])
            #expect(
                Set(row.objectValue?.keys ?? []) == [
                    "incident_id", "workspace_id", "room_id", "thread_id", "run_id", "status", "title", "summary",
                    "severity", "rca", "rca_updated_at", "learning_count", "closed_reason", "created_by_type",
                    "created_by_id", "created_at", "closed_at", "updated_at", "correlation_id", "last_event_id",
                    "last_event_occurred_at",
                    "category", "entity_type", "entity_id", "details",
                ])
            #expect((row["title"], row["severity"], row["status"]) == ("Sent twice", "low", "open"))
            #expect((row["category"], row["entity_id"], row["details"]) == ("quality", "m-1", ["mails": 2]))
            #expect((row["rca"], row["rca_updated_at"], row["correlation_id"]) == ([:], .null, "corr-1"))
            #expect((row["created_by_type"], row["created_by_id"]) == ("user", "operator"))
            #expect(shown["learning"] == [])

            let rca = try api.operator.post(
                "/v1/incidents/\(id)/rca", ["summary": "No check", "analysis": ["depth": 2]])
            #expect((rca.status, rca.json) == (200, ["ok": true]))
            let learning = try api.operator.post(
                "/v1/incidents/\(id)/learning", ["note": " Check first ", "tags": ["mail", " mail ", "retry"]])
            #expect(learning.status == 201)
            #expect(learning[text: "learning_id"].hasPrefix("learn_"))
            let closed = try api.operator.post("/v1/incidents/\(id)/close", ["reason": "fixed"])
            #expect((closed.status, closed.json) == (200, ["ok": true]))

            let after = try api.operator.get("/v1/incidents/\(id)")
            #expect(after["incident"]?["rca"] == ["depth": 2, "summary": "No check"])
            #expect((after["incident"]?["status"], after["incident"]?["closed_reason"]) == ("closed", "fixed"))
            #expect(after["incident"]?["learning_count"] == 1)
            let kept = try #require(after["learning"]?[0])
            #expect(
                Set(kept.objectValue?.keys ?? []) == [
                    "learning_id", "incident_id", "workspace_id", "room_id", "run_id", "note", "tags",
                    "created_by_type", "created_by_id", "created_at", "last_event_id",
                ])
            #expect((kept["note"], kept["tags"]) == ("Check first", ["mail", "retry"]))
            // All on the room's stream, each caused by the one before it.
            let events = try api.operator.get("/v1/events?stream_type=room&stream_id=\(room)")["events"]?.arrayValue
            let incident = (events ?? []).filter { $0["event_type"]?.stringValue?.hasPrefix("incident.") == true }
            #expect(
                incident.map { $0["event_type"] } == [
                    "incident.opened", "incident.rca.updated", "incident.learning.logged", "incident.closed",
                ])
            #expect(incident.dropFirst().map { $0["causation_id"] } == incident.dropLast().map { $0["event_id"] })
            #expect(incident.allSatisfy { $0["correlation_id"] == "corr-1" })
        }
    }

    @Test("is refused in the order of the surface, and a refusal leaves nothing")
    func refusals() throws {
        try withAPI { api in
            let id = try open(api, ["title": "a"])
            let before = try api.lastGlobalSeq()
            func code(_ route: String, _ body: JSONValue = [:]) throws -> String {
                let answer = try api.operator.post("/v1/incidents/\(route)", body)
                expectProblem(answer)
                return "\(answer.status) \(answer.code ?? "")"
            }
            #expect(try code("\(id)/close") == "409 incident_close_blocked_missing_rca")
            #expect(try code("\(id)/rca") == "400 missing_rca_payload")
            #expect(try code("\(id)/rca", ["summary": " ", "analysis": [:]]) == "400 missing_rca_payload")
            #expect(try code("\(id)/learning", ["note": " "]) == "400 missing_note")
            for route in ["rca", "learning", "close"] {
                #expect(try code("inc_none/\(route)", ["note": "n", "summary": "s"]) == "404 incident_not_found")
            }
            #expect(try api.lastGlobalSeq() == before)
            #expect(try api.operator.post("/v1/incidents/\(id)/rca", ["summary": "s"]).status == 200)
            #expect(try code("\(id)/close") == "409 incident_close_blocked_missing_learning")
            #expect(try api.operator.post("/v1/incidents/\(id)/learning", ["note": "n"]).status == 201)
            #expect(try api.operator.post("/v1/incidents/\(id)/close").status == 200)
            let closed = try api.lastGlobalSeq()
            #expect(try code("\(id)/close") == "409 incident_already_closed")
            #expect(try code("\(id)/rca") == "409 incident_closed")
            #expect(try code("\(id)/learning", ["note": "n"]) == "409 incident_closed")
            #expect(try api.lastGlobalSeq() == closed)
        }
    }

    @Test("may be about a thread of its room, and of no other")
    func thread() throws {
        try withAPI { api in
            let (room, other) = (try api.room(), try api.room("Elsewhere"))
            let thread = try api.operator.post("/v1/rooms/\(room)/threads", ["title": "talk"])["thread_id"] ?? .null
            func open(in room: RoomID) throws -> Answered {
                try api.operator.post(
                    "/v1/incidents", ["title": "a", "room_id": .string(room.rawValue), "thread_id": thread])
            }
            let opened = try open(in: room)
            #expect(opened.status == 201)
            let shown = try api.operator.get("/v1/incidents/\(opened[text: "incident_id"])")["incident"]
            #expect(shown?["thread_id"] == thread)
            let before = try api.lastGlobalSeq()
            #expect(try open(in: other).code == "thread_not_found")
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test(
        "that cannot be is refused with the member",
        arguments: [
            ("{}", "missing_title", "title"), ("{\"title\":\" \"}", "missing_title", "title"),
            ("{\"title\":\"a\",\"severity\":\"fatal\"}", "invalid_severity", "severity"),
            ("{\"title\":\"a\",\"severity\":\"\"}", "invalid_severity", "severity"),
            ("{\"title\":\"a\",\"details\":[]}", "invalid_field", "details"),
            (
                "{\"title\":\"a\",\"idempotency_key\":\"\(String(repeating: "k", count: 201))\"}",
                "invalid_idempotency_key",
                "idempotency_key"
            ),
            (
                "{\"title\":\"a\",\"idempotency_key\":\"evidence_manifest:run_1\"}", "invalid_idempotency_key",
                "idempotency_key"
            ),
            ("{\"title\":\"a\",\"category\":7}", "invalid_field", "category"),
        ])
    func invalid(_ body: String, _ code: String, _ field: String) throws {
        try withAPI { api in
            let before = try api.lastGlobalSeq()
            let answer = try api.operator.post(text: body, "/v1/incidents")
            #expect((answer.status, answer.code) == (400, code), "\(answer.text)")
            #expect(answer["details"]?["field"] == .string(field))
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test("belongs to the run it is about, which must be ours and fit")
    func ofRun() throws {
        try withAPI { api in
            let (room, other) = (try api.room(), try api.room("Other"))
            let run = try api.run(in: room)
            let id = try open(api, ["title": "a", "run_id": .string(run.rawValue)])
            let row = try api.operator.get("/v1/incidents/\(id)")["incident"]
            #expect((row?["run_id"], row?["room_id"]) == (.string(run.rawValue), .string(room.rawValue)))
            let shown = try api.operator.get("/v1/runs/\(run)")["run"]
            #expect(row?["correlation_id"] == shown?["correlation_id"])
            #expect(try api.eventTypes(run).last == "incident.opened")
            func code(_ body: JSONValue, in workspace: WorkspaceID? = nil) throws -> String? {
                try api.operator(in: workspace).post("/v1/incidents", body).code
            }
            let (runID, otherID) = (JSONValue.string(run.rawValue), JSONValue.string(other.rawValue))
            #expect(try code(["title": "a", "run_id": "run_none"]) == "run_not_found")
            #expect(try code(["title": "a", "run_id": runID], in: "ws_b") == "run_not_found")
            #expect(try code(["title": "a", "run_id": runID, "room_id": otherID]) == "run_room_mismatch")
            #expect(try code(["title": "a", "run_id": runID, "thread_id": "th_x"]) == "run_thread_mismatch")
            #expect(try code(["title": "a", "room_id": "room_none"]) == "room_not_found")
            #expect(try code(["title": "a", "room_id": otherID], in: "ws_b") == "room_not_found")
            #expect(try code(["title": "a", "thread_id": "th_x"]) == "thread_not_found")
            #expect(try code(["title": "a", "actor_id": "ana"]) == "actor_claim_mismatch")
        }
    }

    @Test("is opened once for each key and stream, whatever races", arguments: Transports.allCases)
    func keys(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let (room, other) = (try api.room(), try api.room("Other"))
            @Sendable func body(_ room: RoomID, _ title: String) -> JSONValue {
                ["title": .string(title), "room_id": .string(room.rawValue), "idempotency_key": "k-1"]
            }
            let answers = try race(12) { try api.operator.post("/v1/incidents", body(room, "title \($0)")) }
            #expect(answers.count { $0.status == 201 && $0["deduped"] == false } == 1)
            #expect(answers.count { $0.status == 200 && $0["deduped"] == true } == 11)
            #expect(Set(answers.map { $0[text: "incident_id"] }).count == 1)
            let elsewhere = try api.operator.post("/v1/incidents", body(other, "b"))
            #expect((elsewhere.status, elsewhere["deduped"]) == (201, false))
            #expect(try api.operator.get("/v1/incidents")["incidents"]?.arrayValue?.count == 2)
            let event = try api.operator.get("/v1/events?event_type=incident.opened")["events"]?[0]
            let single = try api.operator.get("/v1/events/\(event?["event_id"]?.stringValue ?? "")")
            #expect(single["event"]?["idempotency_key"] == "k-1")
        }
    }

    @Test("is found by what it is about, page by page")
    func list() throws {
        try withAPI { api in
            let room = try api.room()
            let run = try api.run(in: room)
            let severities = ["low", "high", "critical"]
            for number in 0..<9 {
                var body: JSONObject = ["title": .string("n\(number)"), "severity": .string(severities[number % 3])]
                if number % 2 == 0 { body["room_id"] = .string(room.rawValue) }
                if number == 4 { (body["run_id"], body["category"]) = (.string(run.rawValue), "odd") }
                _ = try open(api, .object(body))
                api.clock.advance(1)
            }
            _ = try open(api, ["title": "theirs"], in: "ws_b")
            func titles(_ query: String) throws -> [String] {
                let answer = try api.operator.get("/v1/incidents?\(query)")
                return (answer["incidents"]?.arrayValue ?? []).compactMap { $0["title"]?.stringValue }
            }
            #expect(try titles("") == (0..<9).reversed().map { "n\($0)" })
            #expect(try titles("room_id=\(room)") == ["n8", "n6", "n4", "n2", "n0"])
            #expect(try titles("run_id=\(run)") == ["n4"])
            #expect(try titles("category=odd&severity=high") == ["n4"])
            #expect(try titles("severity=critical&status=open") == ["n8", "n5", "n2"])
            #expect(try titles("status=closed") == [])
            #expect(try api.operator.get("/v1/incidents?status=shut").code == "invalid_status")
            #expect(try api.operator.get("/v1/incidents?severity=fatal").code == "invalid_severity")
            var (found, cursor): ([String], String) = ([], "")
            repeat {
                let page = try api.operator.get("/v1/incidents?limit=4&cursor=\(cursor)")
                found += (page["incidents"]?.arrayValue ?? []).compactMap { $0["title"]?.stringValue }
                cursor = page["next_cursor"]?.stringValue ?? ""
            } while !cursor.isEmpty
            #expect(found == (0..<9).reversed().map { "n\($0)" })
        }
    }

    // MARK: Of failed runs

    private func incidents(_ api: TestAPI, of run: RunID) throws -> [JSONValue] {
        try api.operator.get("/v1/incidents?run_id=\(run)")["incidents"]?.arrayValue ?? []
    }

    @Test(
        "is opened by itself for every run that fails, in the same commit, where the run is",
        arguments: ["holder", "queued", "waiting"], Transports.allCases)
    func automatic(_ how: String, _ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            let run = try api.run(in: room, title: "Nightly")
            let body: JSONObject = ["message": "token ghp_aB3dE6gH9jK2mN5pQ8sT leaked", "error": ["code": "boom"]]
            let failed: Answered
            switch how {
            case "holder": failed = try api.hold().onRun("fail", body)
            case "queued": failed = try api.operator.post("/v1/runs/\(run)/fail", .object(body))
            default:
                let hold = try api.hold()
                _ = try hold.onRun("park", ["waits": [["kind": "timer", "wake_at": "2100-01-01T00:00:00.000Z"]]])
                failed = try api.operator.post("/v1/runs/\(run)/fail", .object(body))
            }
            #expect(failed.status == 200)
            let found = try incidents(api, of: run)
            #expect(found.count == 1)
            let incident = try #require(found.first)
            #expect((incident["title"], incident["category"]) == ("Run failed triage: Nightly", "run_failed"))
            #expect((incident["severity"], incident["status"]) == ("high", "open"))
            #expect((incident["entity_type"], incident["entity_id"]) == ("run", .string(run.rawValue)))
            #expect((incident["created_by_type"], incident["created_by_id"]) == ("service", "automation"))
            #expect(incident["summary"] == "token [redacted] leaked")
            let events =
                try api.operator.get("/v1/events?stream_type=room&stream_id=\(room)&limit=200")["events"]?
                .arrayValue ?? []
            let failure = try #require(events.first { $0["event_type"] == "run.failed" })
            let opened = try #require(events.first { $0["event_type"] == "incident.opened" })
            #expect(opened["causation_id"] == failure["event_id"])
            #expect(opened["correlation_id"] == failure["correlation_id"])
            #expect(opened["run_id"] == .string(run.rawValue))
            // One commit: the answer's position is that of its last event.
            #expect(failed.response.fields[.xCommitSeq] == String(opened["global_seq"]?.intValue ?? 0))
            let single = try api.operator.get("/v1/events/\(opened["event_id"]?.stringValue ?? "")")
            #expect(single["event"]?["idempotency_key"] == .string("incident:run_failed:ws_dev:\(run)"))
            // The secret was told of once, where it was.
            #expect(events.count { $0["event_type"] == "secret.leaked.detected" } == 1)
        }
    }

    @Test("is not opened for a run of which something was denied, nor for one that ends well")
    func notAutomatic() throws {
        try withAPI { api in
            let room = try api.room()
            let denied = try api.run(in: room, Plans.publish)
            let hold = try api.hold()
            let approval = try hold.publish(hold.step("a", kind: "http"))[text: "approval_id"]
            #expect(try api.operator.post("/v1/approvals/\(approval)/decide", ["decision": "deny"]).status == 200)
            #expect(try hold.onRun("fail", ["message": "denied"]).status == 200)
            #expect(try incidents(api, of: denied).isEmpty)
            let succeeded = try api.run(in: room)
            #expect(try api.hold().onRun("complete").status == 200)
            let cancelled = try api.run(in: room)
            #expect(try api.operator.post("/v1/runs/\(cancelled)/cancel").status == 200)
            for run in [succeeded, cancelled] { #expect(try incidents(api, of: run).isEmpty) }
        }
    }

    @Test("is not opened by itself when that is switched off", arguments: ["0", "false", "off", "no"])
    func switchedOff(_ word: String) throws {
        try withAPI(settings: ["PROMOTION_LOOP_ENABLED": word]) { api in
            let run = try api.run(in: api.room())
            #expect(try api.hold().onRun("fail").status == 200)
            #expect(try incidents(api, of: run).isEmpty)
            #expect(try api.operator.get("/v1/runs/\(run)/evidence").status == 200)
        }
    }

    @Test("that somebody has opened under the automation's key keeps no run from failing, and is the only one")
    func takenKey() throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            let mine = try open(
                api,
                [
                    "title": "I saw it coming", "run_id": .string(run.rawValue),
                    "idempotency_key": .string("incident:run_failed:ws_dev:\(run)"),
                ])
            #expect(try api.hold().onRun("fail").status == 200)
            #expect(try incidents(api, of: run).map { $0["incident_id"] } == [.string(mine)])
        }
    }
}
