import APIClient
import JSON
import Shared
import TestSupport
import Testing

@Suite("An experiment")
struct ExperimentTests {
    private let body: JSONObject = [
        "title": "Shorter prompts", "hypothesis": "Half the words do", "budget_cap_units": 100, "risk_tier": "low",
        "success_criteria": ["score": 0.8], "metadata": ["by": "Zoë"],
    ]

    private func open(_ api: TestAPI, _ more: JSONObject = [:]) throws -> String {
        var body = body
        for (key, value) in more { body[key] = value }
        let answer = try api.operator.post("/v1/experiments", .object(body))
        guard answer.status == 201 else { throw TestFailure("not opened: \(answer.text)") }
        return answer[text: "experiment_id"]
    }

    private func shown(_ api: TestAPI, _ id: String) throws -> JSONValue {
        try api.operator.get("/v1/experiments/\(id)")["experiment"] ?? .null
    }

    @Test("is opened, changed and closed, and each of it is history", arguments: Transports.allCases)
    func flow(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            let id = try open(api, ["room_id": .string(room.rawValue), "correlation_id": "corr-1"])
            #expect(id.hasPrefix("exp_"))
            var experiment = try shown(api, id)
            #expect((experiment["status"], experiment["room_id"]) == ("open", .string(room.rawValue)))
            #expect((experiment["success_criteria"], experiment["stop_conditions"]) == (["score": 0.8], [:]))
            #expect((experiment["budget_cap_units"], experiment["risk_tier"]) == (100, "low"))
            #expect((experiment["created_by_type"], experiment["created_by_id"]) == ("user", "operator"))
            #expect((experiment["closed_at"], experiment["correlation_id"]) == (.null, "corr-1"))
            api.clock.advance(5)
            let updated = try api.operator.post(
                "/v1/experiments/\(id)/update", ["title": "Much shorter", "success_criteria": [:], "risk_tier": "high"])
            #expect((updated.status, updated.json) == (200, ["ok": true]))
            // What says nothing new records nothing.
            let before = try api.lastGlobalSeq()
            #expect(try api.operator.post("/v1/experiments/\(id)/update", ["title": "Much shorter"]).status == 200)
            #expect(try api.operator.post("/v1/experiments/\(id)/update").status == 200)
            #expect(try api.lastGlobalSeq() == before)
            let closed = try api.operator.post("/v1/experiments/\(id)/close", ["reason": "known now"])
            #expect(closed.status == 200)
            #expect(closed.json == ["ok": true, "status": "closed", "active_run_count": 0])
            experiment = try shown(api, id)
            #expect((experiment["title"], experiment["risk_tier"]) == ("Much shorter", "high"))
            #expect((experiment["success_criteria"], experiment["status"]) == (["score": 0.8], "closed"))
            #expect(experiment["closed_at"]?.stringValue != nil)
            let events = try api.operator.get("/v1/events?room_id=\(room)")["events"]?.arrayValue ?? []
            #expect(
                events.compactMap { $0["event_type"]?.stringValue } == [
                    "room.created", "experiment.created", "experiment.updated", "experiment.closed",
                ])
            #expect(events[2]["data"] == ["experiment_id": .string(id), "title": "Much shorter", "risk_tier": "high"])
            #expect(
                events[3]["data"] == [
                    "experiment_id": .string(id), "status": "closed", "reason": "known now", "force": false,
                    "active_run_count": 0,
                ])
            #expect(events[3]["causation_id"] == events[2]["event_id"])
            for (route, body) in [("update", ["title": "x"]), ("close", [:])] as [(String, JSONValue)] {
                let late = try api.operator.post("/v1/experiments/\(id)/\(route)", body)
                #expect((late.status, late.code) == (409, "experiment_not_open"))
            }
        }
    }

    @Test(
        "is refused with the code of what is wrong, and leaves nothing",
        arguments: [
            (["title": nil], 400, "missing_title"), (["title": " "], 400, "missing_title"),
            (["title": 5], 400, "invalid_field"), (["hypothesis": nil], 400, "missing_hypothesis"),
            (["title": .string(String(repeating: "a", count: 501))], 400, "invalid_field"),
            (["budget_cap_units": nil], 400, "invalid_budget_cap_units"),
            (["budget_cap_units": -1], 400, "invalid_budget_cap_units"),
            (["budget_cap_units": 1.5], 400, "invalid_budget_cap_units"),
            (["risk_tier": nil], 400, "invalid_risk_tier"), (["risk_tier": "LOW"], 400, "invalid_risk_tier"),
            (["success_criteria": []], 400, "invalid_field"), (["stop_conditions": "x"], 400, "invalid_field"),
            (["metadata": 1], 400, "invalid_field"), (["room_id": "room_nothing"], 404, "room_not_found"),
            (["actor_id": "ana"], 403, "actor_claim_mismatch"),
        ] as [(JSONObject, Int, String)])
    func refused(_ change: JSONObject, _ status: Int, _ code: String) throws {
        try withAPI { api in
            let before = try api.lastGlobalSeq()
            var body = body
            for (key, value) in change { body[key] = value }
            let answer = try api.operator.post("/v1/experiments", .object(body))
            #expect((answer.status, answer.code) == (status, code), "\(answer.text)")
            expectProblem(answer)
            #expect(try api.lastGlobalSeq() == before)
            #expect(try api.operator.get("/v1/experiments")["experiments"] == [])
        }
    }

    @Test("that is nowhere is 404 on every route")
    func missing() throws {
        try withAPI { api in
            let target = "/v1/experiments/exp_nothing"
            #expect(try api.operator.get(target).code == "experiment_not_found")
            for route in ["update", "close"] {
                let answer = try api.operator.post("\(target)/\(route)", ["title": "x"])
                #expect((answer.status, answer.code) == (404, "experiment_not_found"))
            }
            let change = try api.operator.post("/v1/experiments/\(open(api))/update", ["budget_cap_units": -3])
            #expect((change.status, change.code) == (400, "invalid_budget_cap_units"))
        }
    }

    @Test("takes runs of its room while it is open", arguments: Transports.allCases)
    func runs(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let (room, other) = (try api.room(), try api.room("Other"))
            let id = try open(api, ["room_id": .string(room.rawValue)])
            func run(_ room: RoomID, _ experiment: String) throws -> Answered {
                try api.operator.post(
                    "/v1/runs", ["room_id": .string(room.rawValue), "experiment_id": .string(experiment)])
            }
            let made = try run(room, id)
            #expect(made.status == 201)
            #expect(
                try api.operator.get("/v1/runs/\(made[text: "run_id"])")["run"]?["experiment_id"] == .string(id))
            _ = try api.run(in: room)
            let listed = try api.operator.get("/v1/runs?experiment_id=\(id)")["runs"]?.arrayValue
            #expect(listed?.compactMap { $0["run_id"]?.stringValue } == [made[text: "run_id"]])
            // A room's experiment is no other room's; one without a room is everybody's.
            let before = try api.lastGlobalSeq()
            let mismatch = try run(other, id)
            #expect((mismatch.status, mismatch.code) == (400, "experiment_room_mismatch"))
            let nowhere = try run(room, "exp_nothing")
            #expect((nowhere.status, nowhere.code) == (404, "experiment_not_found"))
            #expect(try api.lastGlobalSeq() == before)
            #expect(try run(other, open(api)).status == 201)
            // Closing waits for its runs, and force does not.
            let close = "/v1/experiments/\(id)/close"
            let early = try api.operator.post(close)
            #expect((early.status, early.code) == (409, "experiment_has_active_runs"))
            #expect(early["details"]?["active_run_count"] == 1)
            #expect(try shown(api, id)["status"] == "open")
            let forced = try api.operator.post(close, ["force": true])
            #expect(forced.json == ["ok": true, "status": "stopped", "active_run_count": 1])
            // Its run goes on.
            #expect(try api.status(RunID(made[text: "run_id"])) == .queued)
            let late = try run(room, id)
            #expect((late.status, late.code) == (409, "experiment_not_open"))
        }
    }

    @Test("is closed by itself once its runs have ended, also with force")
    func ended() throws {
        try withAPI { api in
            let room = try api.room()
            for (end, force) in [("complete", false), ("fail", true), ("cancel", false)] {
                let id = try open(api)
                let run = try api.operator.post(
                    "/v1/runs", ["room_id": .string(room.rawValue), "experiment_id": .string(id)])[text: "run_id"]
                #expect(try api.operator.post("/v1/runs/\(run)/\(end)").status == 200)
                let closed = try api.operator.post("/v1/experiments/\(id)/close", ["force": .bool(force)])
                #expect(closed["status"] == "closed", "\(closed.text)")
            }
        }
    }

    @Test("is listed newest change first, by room and status, page by page")
    func lists() throws {
        try withAPI { api in
            let room = try api.room()
            var made: [String] = []
            for number in 0..<7 {
                if number % 3 == 0 { api.clock.advance(1) }
                made.append(try open(api, number < 3 ? ["room_id": .string(room.rawValue)] : [:]))
            }
            api.clock.advance(1)
            #expect(try api.operator.post("/v1/experiments/\(made[0])/close").status == 200)
            func ids(_ query: String) throws -> [String] {
                let page = try api.operator.get("/v1/experiments\(query)")
                return (page["experiments"]?.arrayValue ?? []).compactMap { $0["experiment_id"]?.stringValue }
            }
            #expect(try Set(ids("?room_id=\(room)")) == Set(made.prefix(3)))
            #expect(try ids("?status=closed") == [made[0]])
            #expect(try ids("?status=stopped") == [])
            var (seen, cursor) = ([String](), "")
            repeat {
                let page = try api.operator.get("/v1/experiments?limit=2\(cursor.isEmpty ? "" : "&cursor=\(cursor)")")
                seen += (page["experiments"]?.arrayValue ?? []).compactMap { $0["experiment_id"]?.stringValue }
                cursor = page["next_cursor"]?.stringValue ?? ""
            } while !cursor.isEmpty
            #expect(seen.first == made[0] && seen.count == 7 && Set(seen) == Set(made))
            #expect(try api.operator.get("/v1/experiments?status=asleep").code == "invalid_status")
        }
    }
}
