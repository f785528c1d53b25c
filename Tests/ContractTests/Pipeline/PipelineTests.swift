import APIClient
import JSON
import Shared
import TestSupport
import Testing

@Suite("The pipeline")
struct PipelineTests {
    private let stages = PipelineStage.allCases.map(\.rawValue)

    private func projection(_ api: TestAPI, _ query: String = "") throws -> Answered {
        let answer = try api.operator.get("/v1/pipeline/projection\(query)")
        guard answer.status == 200 else { throw TestFailure("no projection: \(answer.text)") }
        return answer
    }

    /// Where the entity is shown, and how.
    private func place(_ api: TestAPI, _ id: String) throws -> (stage: String, item: JSONValue)? {
        let answer = try projection(api)
        let found = stages.flatMap { stage in (answer[stage]?.arrayValue ?? []).map { (stage, $0) } }
            .filter { $0.1["entity_id"] == .string(id) }
        guard found.count < 2 else { throw TestFailure("\(id) is shown \(found.count) times") }
        return found.first
    }

    private func experiment(_ api: TestAPI) throws -> String {
        try api.operator.post(
            "/v1/experiments", ["title": "Trial", "hypothesis": "h", "budget_cap_units": 1, "risk_tier": "low"])[
                text: "experiment_id"]
    }

    private func run(_ api: TestAPI, in room: RoomID, _ more: JSONObject = [:]) throws -> String {
        var body = more
        body["room_id"] = .string(room.rawValue)
        let answer = try api.operator.post("/v1/runs", .object(body))
        guard answer.status == 201 else { throw TestFailure("no run: \(answer.text)") }
        return answer[text: "run_id"]
    }

    private func judge(_ api: TestAPI, _ value: Double, _ more: JSONObject = [:]) throws -> String {
        var body = more
        (body["template_key"], body["template_version"]) = ("quality", "1")
        body["metrics"] = [["key": "a", "value": JSONValue(number: value)]]
        let answer = try api.operator.post("/v1/scorecards", .object(body))
        guard answer.status == 201 else { throw TestFailure("no scorecard: \(answer.text)") }
        return answer[text: "scorecard_id"]
    }

    @Test("is six empty stages where there is nothing, in both shapes", arguments: Transports.allCases)
    func empty(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let flat = try projection(api)
            #expect(flat.json.objectValue?.map(\.key) == ["schema_version", "generated_at"] + stages)
            #expect(flat["schema_version"] == "2.1")
            #expect(Timestamp(flat[text: "generated_at"]) != nil)
            #expect(stages.allSatisfy { flat[$0] == [] })
            for format in ["envelope", "ENVELOPE", "Envelope"] {
                let answer = try projection(api, "?format=\(format)&limit=7")
                #expect(answer.json.objectValue?.map(\.key) == ["meta", "stages"])
                #expect(answer["stages"]?.objectValue?.map(\.key) == stages)
                var meta = answer["meta"]?.objectValue ?? [:]
                #expect(meta["generated_at"]?.stringValue != nil)
                meta["generated_at"] = nil
                let none: JSONValue = ["returned": 0, "truncated": false]
                let stats = JSONValue.object(JSONObject(stages.map { ($0, none) }))
                let expected: JSONObject = [
                    "schema_version": "2.1", "workspace_id": "ws_dev", "limit": 7, "truncated": false,
                    "next_cursor": nil, "stage_stats": stats, "watermark_event_id": nil,
                ]
                #expect(meta == expected)
            }
        }
    }

    @Test("shows a run's way from the queue to its promotion", arguments: Transports.allCases)
    func promotion(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            let trial = try experiment(api)
            #expect(try place(api, trial)?.stage == "1_inbox")
            api.clock.advance(1)
            let id = try run(api, in: room, ["experiment_id": .string(trial), "title": "Count"])
            for entity in [id, trial] { #expect(try place(api, entity)?.stage == "3_execute_workspace") }
            let hold = try api.hold()
            #expect(try place(api, id)?.item["status"] == "running")
            #expect(try hold.onRun("complete").status == 200)
            let evidence = try api.operator.get("/v1/runs/\(id)/evidence")["evidence"]?["evidence_id"]
            for entity in [id, trial] { #expect(try place(api, entity)?.stage == "4_review_evidence") }
            api.clock.advance(1)
            _ = try judge(api, 0.6, ["run_id": .string(id)])
            #expect(try place(api, id)?.stage == "4_review_evidence")
            api.clock.advance(1)
            let card = try judge(api, 0.9, ["evidence_id": evidence ?? .null])
            let shown = try place(api, id)
            #expect(shown?.stage == "5_promoted")
            let row = try api.operator.get("/v1/runs/\(id)")["run"]
            let now = Timestamp(milliseconds: api.clock.wallMilliseconds()).description
            let links: JSONObject = [
                "experiment_id": .string(trial), "approval_id": nil, "run_id": .string(id),
                "evidence_id": evidence ?? .null, "scorecard_id": .string(card), "incident_id": nil,
            ]
            let expected: JSONObject = [
                "entity_type": "run", "entity_id": .string(id), "title": "Count", "status": "succeeded",
                "room_id": .string(room.rawValue), "thread_id": nil,
                "correlation_id": row?["correlation_id"] ?? .null, "updated_at": .string(now),
                "last_event_id": row?["last_event_id"] ?? .null, "links": .object(links),
            ]
            #expect(shown?.item == .object(expected))
            // The judgement moved the item up; the run itself is as it was.
            #expect(row?["updated_at"] != shown?.item["updated_at"])
            let whole = try place(api, trial)
            #expect((whole?.stage, whole?.item["entity_type"]) == ("5_promoted", "experiment"))
            #expect((whole?.item["status"], whole?.item["links"]?["run_id"]) == ("open", .string(id)))
            // A newer run of the experiment begins anew; the scorecard of the older one proves nothing for it.
            api.clock.advance(1)
            _ = try judge(api, 0.9, ["run_id": .string(id), "experiment_id": .string(trial)])
            let next = try run(api, in: room, ["experiment_id": .string(trial)])
            let anew = try place(api, trial)
            #expect((anew?.stage, anew?.item["links"]?["run_id"]) == ("4_review_evidence", .string(next)))
            #expect(anew?.item["diagnostics"] == ["ghost_evidence_or_mismatch"])
            #expect(try place(api, id)?.stage == "5_promoted")
            // What belongs to a closed experiment is archived.
            #expect(try api.operator.post("/v1/experiments/\(trial)/close", ["force": true]).status == 200)
            for entity in [id, trial, next] { #expect(try place(api, entity) == nil) }
        }
    }

    @Test("shows who waits for a person, and what was stopped")
    func waiting() throws {
        try withAPI { api in
            let room = try api.room()
            _ = try api.run(in: room, Plans.publish)
            let hold = try api.hold()
            let step = try hold.step("a", kind: "http")
            let approval = try hold.publish(step)[text: "approval_id"]
            // While the run runs, it is work, and so is its approval.
            for id in [hold.runID.rawValue, approval] {
                #expect(try place(api, id)?.stage == "3_execute_workspace")
            }
            #expect(
                try hold.onRun("park", ["waits": [["kind": "approval", "approval_id": .string(approval)]]]).status
                    == 200)
            for id in [hold.runID.rawValue, approval] {
                let shown = try place(api, id)
                #expect(shown?.stage == "2_pending_approval")
                #expect(shown?.item["links"]?["approval_id"] == .string(approval))
                #expect(shown?.item["links"]?["run_id"] == .string(hold.runID.rawValue))
            }
            _ = try api.operator.post("/v1/approvals/\(approval)/decide", ["decision": "hold"])
            #expect(try place(api, approval)?.item["status"] == "held")
            _ = try api.operator.post("/v1/approvals/\(approval)/decide", ["decision": "approve"])
            #expect(try place(api, approval) == nil)
            #expect(try place(api, hold.runID.rawValue)?.stage == "3_execute_workspace")
            // Waiting for something else than a person is work too.
            let next = try api.hold()
            let later = Timestamp(milliseconds: api.clock.wallMilliseconds() + 60_000).description
            let timer: JSONValue = ["kind": "timer", "wake_at": .string(later)]
            #expect(try next.onRun("park", ["waits": [timer]]).status == 200)
            #expect(try place(api, hold.runID.rawValue)?.item["status"] == "waiting")
            #expect(try place(api, hold.runID.rawValue)?.stage == "3_execute_workspace")
            #expect(try api.operator.post("/v1/runs/\(hold.runID)/cancel").status == 200)
            let cancelled = try place(api, hold.runID.rawValue)
            #expect((cancelled?.stage, cancelled?.item["diagnostics"]) == ("6_demoted", ["cancelled"]))
            let free = try api.operator.post("/v1/approvals", ["action": "external.write"])[text: "approval_id"]
            let alone = try place(api, free)
            #expect((alone?.stage, alone?.item["title"]) == ("2_pending_approval", "external.write"))
        }
    }

    @Test("shows what failed, and what an open incident holds back")
    func demoted() throws {
        try withAPI { api in
            let room = try api.room()
            let failed = try run(api, in: room)
            #expect(try api.operator.post("/v1/runs/\(failed)/fail", ["message": "no"]).status == 200)
            let shown = try place(api, failed)
            #expect(shown?.stage == "6_demoted")
            #expect(shown?.item["links"]?["incident_id"]?.stringValue?.hasPrefix("inc_") == true)
            let good = try run(api, in: room)
            #expect(try api.operator.post("/v1/runs/\(good)/complete").status == 200)
            _ = try judge(api, 1, ["run_id": .string(good)])
            #expect(try place(api, good)?.stage == "5_promoted")
            api.clock.advance(1)
            let incident = try api.operator.post(
                "/v1/incidents", ["title": "Wrong after all", "run_id": .string(good)])[text: "incident_id"]
            let held = try place(api, good)
            #expect((held?.stage, held?.item["links"]?["incident_id"]) == ("6_demoted", .string(incident)))
            for (route, body) in [
                ("rca", ["summary": "a typo"]), ("learning", ["note": "look twice"]), ("close", [:]),
            ] as [(String, JSONValue)] {
                let answer = try api.operator.post("/v1/incidents/\(incident)/\(route)", body)
                #expect(answer.status < 300, "\(answer.text)")
            }
            #expect(try place(api, good)?.stage == "5_promoted")
            let fail = try judge(api, 0.1)
            #expect(try place(api, fail)?.stage == "6_demoted")
            let warn = try place(api, judge(api, 0.6))
            #expect((warn?.stage, warn?.item["diagnostics"]) == ("1_inbox", ["unmatched_state"]))
            #expect((warn?.item["title"], warn?.item["status"]) == ("quality", "warn"))
        }
    }

    @Test("is walked page by page: every entity once, in its order", arguments: Transports.allCases)
    func pages(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            var made: Set<String> = []
            for number in 0..<5 {
                // Several at the same millisecond: the cursor has to tell them apart.
                if number % 3 == 0 { api.clock.advance(1) }
                made.insert(try experiment(api))
                made.insert(try run(api, in: room))
                made.insert(try judge(api, 0.2))
                made.insert(try api.operator.post("/v1/approvals", ["action": "x"])[text: "approval_id"])
            }
            // Counted on its page, and not shown.
            let closed = try experiment(api)
            #expect(try api.operator.post("/v1/experiments/\(closed)/close").status == 200)
            for limit in [1, 3, 200] {
                var (seen, query, pages) = ([String](), "", 0)
                repeat {
                    let page = try projection(api, "?format=envelope&limit=\(limit)\(query)")
                    let meta = page["meta"]
                    var returned = 0
                    for stage in stages {
                        let items = page["stages"]?[stage]?.arrayValue ?? []
                        let stats = meta?["stage_stats"]?[stage]
                        #expect(stats?["returned"] == .integer(Int64(items.count)) && stats?["truncated"] == false)
                        let order = items.map { item in
                            func text(_ name: String) -> String { item[name]?.stringValue ?? "" }
                            return (text("updated_at"), text("entity_type"), text("entity_id"))
                        }
                        for (left, right) in zip(order, order.dropFirst()) {
                            let isLater = left.0 == right.0 && (left.1, left.2) < (right.1, right.2)
                            #expect(left.0 > right.0 || isLater)
                        }
                        seen += order.map(\.2)
                        returned += items.count
                    }
                    #expect(returned <= limit)
                    let cursor = meta?["next_cursor"]
                    #expect(meta?["truncated"] == .bool(cursor?.objectValue != nil))
                    query = (cursor?.objectValue ?? [:]).map { "&cursor_\($0.key)=\($0.value.stringValue ?? "")" }
                        .joined()
                    pages += 1
                } while !query.isEmpty && pages < 50
                #expect(pages == (21 + limit - 1) / limit)
                #expect(seen.count == made.count && Set(seen) == made)
            }
        }
    }

    @Test(
        "refuses a cursor that is none, and a shape that it has not",
        arguments: [
            ("cursor_updated_at=2026-03-04T05:06:07.089Z", "missing_required_field"),
            ("cursor_entity_type=run&cursor_entity_id=x", "missing_required_field"),
            ("cursor_updated_at=yesterday&cursor_entity_type=run&cursor_entity_id=x", "invalid_cursor"),
            ("cursor_updated_at=2026-03-04T05:06:07Z&cursor_entity_type=room&cursor_entity_id=x", "invalid_cursor"),
            ("limit=1.5", "invalid_limit"), ("format=xml", "invalid_field"),
        ])
    func refused(_ query: String, _ code: String) throws {
        try withAPI { api in
            let answer = try api.operator.get("/v1/pipeline/projection?\(query)")
            #expect((answer.status, answer.code) == (400, code))
            expectProblem(answer)
        }
    }

    @Test("is that of the caller's workspace, named by the header or not")
    func workspaces() throws {
        try withAPI { api in
            let mine = try run(api, in: api.room())
            let other = try api.run(in: api.room("Other", in: "ws_other"), workspace: "ws_other")
            let here = try projection(api).text
            #expect(here.contains(mine) && !here.contains(other.rawValue))
            let there = try api.operator(in: "ws_other").get("/v1/pipeline/projection?format=envelope")
            #expect(there.text.contains(other.rawValue) && !there.text.contains(mine))
            #expect(there["meta"]?["workspace_id"] == "ws_other")
            let typed = try api.operator.call(.pipelineProjection, Nothing())
            #expect(typed.stages[.executeWorkspace].map(\.entityID) == [mine])
        }
    }
}
