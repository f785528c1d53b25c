import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("A workspace")
struct WorkspaceTests {
    /// Everything that a workspace can hold, with a word in it that nobody else may see.
    private struct Holdings {
        var ids: [String: String]
        var hold: Hold
    }

    private func fill(_ api: TestAPI, _ workspace: WorkspaceID, canary: String) throws -> Holdings {
        let client = api.operator(in: workspace)
        let room = try api.room("Night shift", in: workspace)
        let run = try client.post(
            "/v1/runs",
            [
                "room_id": .string(room.rawValue), "title": "Same title", "goal": .string(canary),
                "input": ["plan": Plans.publish],
            ])[text: "run_id"]
        let hold = try api.hold("engine-a", in: workspace)
        let step = try hold.step("a", kind: "http")
        let call = try hold.publish(step, text: canary)
        let bytes = Array(canary.utf8)
        let artifact = try hold.post(
            "/v1/steps/\(step)/artifacts",
            ["kind": "note", "title": .string(canary), "content": ["type": "text", "text": .string(canary)]])
        #expect(artifact.status == 201)
        let blob = digest(bytes)
        let put = try hold.client.exchange(
            .put, "/v1/steps/\(step)/blobs/\(blob)", fields: [.xClaimToken: hold.token], body: bytes)
        #expect(put.status == 201)
        let incident = try client.post("/v1/incidents", ["title": .string(canary), "run_id": .string(run)])
        #expect(incident.status == 201)
        let thread = try client.post("/v1/rooms/\(room)/threads", ["title": .string(canary)])[text: "thread_id"]
        let message = try client.post(
            "/v1/threads/\(thread)/messages", ["content_md": .string(canary), "lang": "en"])[text: "message_id"]
        let experiment = try client.post(
            "/v1/experiments",
            [
                "title": .string(canary), "hypothesis": .string(canary), "budget_cap_units": 1, "risk_tier": "low",
                "room_id": .string(room.rawValue),
            ])[text: "experiment_id"]
        let scorecard = try client.post(
            "/v1/scorecards",
            [
                "template_key": .string(canary), "template_version": "1", "metrics": [["key": "a", "value": 1]],
                "run_id": .string(run),
            ])[text: "scorecard_id"]
        let lesson = try client.post(
            "/v1/lessons", ["category": "a", "summary": .string(canary), "run_id": .string(run)])[text: "lesson_id"]
        let events = try client.get("/v1/events?limit=200")["events"]?.arrayValue ?? []
        guard case .engine(let engine, _) = hold.client.credential else { throw TestFailure("no engine") }
        let token = try client.get("/v1/engines/\(engine)/tokens")["tokens"]?[0]?["token_id"]?.stringValue ?? ""
        return Holdings(
            ids: [
                "room": room.rawValue, "run": run, "step": step.rawValue, "call": call[text: "tool_call_id"],
                "approval": call[text: "approval_id"], "artifact": artifact[text: "artifact_id"], "blob": blob,
                "incident": incident[text: "incident_id"],
                "event": events.last?["event_id"]?.stringValue ?? "", "engine": engine.rawValue, "token": token,
                "thread": thread, "message": message,
                "experiment": experiment, "scorecard": scorecard, "lesson": lesson,
            ], hold: hold)
    }

    /// Every way to name something of somebody else's: `{run}` stands for its id.
    private let requests: [(method: HTTPMethod, target: String, body: JSONObject)] = [
        (.get, "/v1/runs/{run}", [:]), (.get, "/v1/runs/{run}/steps", [:]), (.get, "/v1/runs/{run}/attempts", [:]),
        (.get, "/v1/toolcalls/{call}", [:]), (.get, "/v1/approvals/{approval}", [:]),
        (.get, "/v1/artifacts/{artifact}", [:]), (.get, "/v1/artifacts/{artifact}/content", [:]),
        (.get, "/v1/events/{event}", [:]), (.get, "/v1/streams/rooms/{room}", [:]),
        (.get, "/v1/engines/{engine}/tokens", [:]), (.get, "/v1/runs?room_id={room}", [:]),
        (.get, "/v1/approvals?room_id={room}", [:]), (.get, "/v1/toolcalls?run_id={run}", [:]),
        (.get, "/v1/toolcalls?step_id={step}", [:]), (.get, "/v1/artifacts?run_id={run}", [:]),
        (.get, "/v1/artifacts?step_id={step}", [:]), (.get, "/v1/artifacts?room_id={room}", [:]),
        (.get, "/v1/events?room_id={room}", [:]), (.get, "/v1/events?run_id={run}&include_system=1", [:]),
        (.get, "/v1/events?stream_type=room&stream_id={room}", [:]),
        (.get, "/v1/audit/hash-chain/verify?stream_type=room&stream_id={room}", [:]),
        (.post, "/v1/runs", ["room_id": "{room}"]),
        (.get, "/v1/rooms/{room}", [:]), (.post, "/v1/rooms/{room}/update", ["topic": "x"]),
        (.get, "/v1/rooms/{room}/threads", [:]), (.post, "/v1/rooms/{room}/threads", ["title": "x"]),
        (.get, "/v1/threads/{thread}", [:]), (.get, "/v1/threads/{thread}/messages", [:]),
        (.post, "/v1/threads/{thread}/messages", ["content_md": "x", "lang": "en"]),
        (.get, "/v1/messages/{message}", [:]), (.get, "/v1/search?q=canary&room_id={room}&doc_type=incident", [:]),
        (.get, "/v1/search?q=canary-of-a&room_id={room}", [:]), (.get, "/v1/search?q=canary-of-a", [:]),
        (.post, "/v1/runs/{run}/start", [:]), (.post, "/v1/runs/{run}/complete", [:]),
        (.post, "/v1/runs/{run}/fail", [:]), (.post, "/v1/runs/{run}/cancel", [:]),
        (.post, "/v1/runs/{run}/cancelled", [:]), (.post, "/v1/runs/{run}/park", ["waits": [["kind": "halt"]]]),
        (.post, "/v1/runs/{run}/lease/heartbeat", ["claim_token": "x"]),
        (.post, "/v1/runs/{run}/lease/release", ["claim_token": "x"]),
        (.post, "/v1/runs/{run}/steps", ["kind": "shell"]), (.post, "/v1/steps/{step}/succeed", [:]),
        (.post, "/v1/steps/{step}/fail", [:]), (.post, "/v1/steps/{step}/skip", [:]),
        (.post, "/v1/steps/{step}/cancel", [:]), (.post, "/v1/steps/{step}/toolcalls", ["tool_name": "shell"]),
        (.post, "/v1/toolcalls/{call}/succeed", [:]), (.post, "/v1/toolcalls/{call}/fail", [:]),
        (.post, "/v1/toolcalls/{call}/resolve", ["outcome": "failed"]),
        (.post, "/v1/steps/{step}/artifacts", ["kind": "note"]), (.put, "/v1/steps/{step}/blobs/{blob}", [:]),
        (.post, "/v1/approvals", ["action": "external.write", "room_id": "{room}"]),
        (.post, "/v1/approvals", ["action": "external.write", "run_id": "{run}"]),
        (.post, "/v1/approvals/{approval}/decide", ["decision": "approve"]),
        (.post, "/v1/approvals", ["action": "external.write", "step_id": "{step}"]),
        (.post, "/v1/policy/evaluate", ["action": "external.write", "room_id": "{room}"]),
        (.post, "/v1/policy/evaluate", ["action": "data.read", "run_id": "{run}"]),
        (.post, "/v1/policy/evaluate", ["action": "data.read", "step_id": "{step}", "dry_run": true]),
        (.post, "/v1/engines/{engine}/tokens/issue", [:]), (.post, "/v1/engines/{engine}/deactivate", [:]),
        (.post, "/v1/engines/{engine}/tokens/{token}/revoke", [:]),
        (.post, "/v1/engines/{engine}/control", [:]),
        (.get, "/v1/incidents/{incident}", [:]), (.get, "/v1/incidents?room_id={room}", [:]),
        (.get, "/v1/incidents?run_id={run}", [:]), (.post, "/v1/incidents/{incident}/rca", ["summary": "s"]),
        (.post, "/v1/incidents/{incident}/learning", ["note": "n"]), (.post, "/v1/incidents/{incident}/close", [:]),
        (.post, "/v1/incidents", ["title": "t", "run_id": "{run}"]),
        (.post, "/v1/incidents", ["title": "t", "room_id": "{room}"]),
        (.get, "/v1/runs/{run}/evidence", [:]), (.post, "/v1/runs/{run}/evidence/finalize", [:]),
        (.get, "/v1/experiments/{experiment}", [:]),
        (.post, "/v1/experiments/{experiment}/update", ["title": "x"]),
        (.post, "/v1/experiments/{experiment}/close", ["force": true]),
        (.get, "/v1/experiments?room_id={room}", [:]), (.get, "/v1/runs?experiment_id={experiment}", [:]),
        (.post, "/v1/runs", ["room_id": "{room}", "experiment_id": "{experiment}"]),
        (
            .post, "/v1/scorecards",
            [
                "template_key": "k", "template_version": "1", "metrics": [["key": "a", "value": 1]],
                "run_id": "{run}",
            ]
        ),
        (.get, "/v1/scorecards/{scorecard}", [:]), (.get, "/v1/scorecards?run_id={run}", [:]),
        (.post, "/v1/lessons", ["category": "a", "summary": "b", "run_id": "{run}"]),
        (.post, "/v1/lessons", ["category": "a", "summary": "b", "scorecard_id": "{scorecard}"]),
        (.get, "/v1/lessons/{lesson}", [:]), (.get, "/v1/lessons?run_id={run}", [:]),
        (
            .get,
            "/v1/pipeline/projection?cursor_updated_at=9999-01-01T00:00:00Z&cursor_entity_type=run&cursor_entity_id={run}",
            [:]
        ),
    ]

    private func filled(_ text: String, _ ids: [String: String]) -> String {
        ids.reduce(text) { $0.replacing("{\($1.key)}", with: $1.value) }
    }

    @Test(
        "is for others as if it were not there: same status, same bytes as for what is nowhere",
        arguments: Transports.allCases)
    func invisible(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let theirs = try fill(api, "ws_a", canary: "canary-of-a")
            let mine = try fill(api, "ws_b", canary: "canary-of-b")
            // Of the same shape and length, and nowhere.
            let missing = theirs.ids.mapValues { id in
                String(id.prefix(while: { $0 != "_" && $0 != "-" }))
                    + String(id.drop { $0 != "_" && $0 != "-" }.map { $0 == "_" || $0 == "-" ? $0 : "0" })
            }
            let before = try api.lastGlobalSeq()
            for client in [api.operator(in: "ws_b"), mine.hold.client] {
                for request in requests {
                    func ask(_ ids: [String: String]) throws -> (Int, String) {
                        let target = filled(request.target, ids)
                        let body = filled(String(decoding: JSON.write(.object(request.body)), as: UTF8.self), ids)
                        var fields: HTTPFields = [.xRequestID: "req_constant", .xCorrelationID: "cor_constant"]
                        if request.method == .post { fields.append(.contentType, "application/json") }
                        let answer = try client.exchange(
                            request.method, target, fields: fields,
                            body: request.method == .get ? nil : Array(body.utf8))
                        let text = ids.reduce(answer.text) { $0.replacing($1.value, with: "{\($1.key)}") }
                        return (answer.status, text)
                    }
                    var ids = missing
                    ids["blob"] = theirs.ids["blob"]
                    let (other, nowhere) = (try ask(theirs.ids), try ask(ids))
                    #expect(other.0 == nowhere.0, "\(request.method) \(request.target)")
                    #expect(other.1 == nowhere.1, "\(request.method) \(request.target)")
                    #expect(!other.1.contains("canary-of-a"), "\(request.method) \(request.target)")
                    #expect(other.0 < 500)
                }
            }
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test("lists only what is its own")
    func lists() throws {
        try withAPI { api in
            _ = try fill(api, "ws_a", canary: "canary-of-a")
            let mine = try fill(api, "ws_b", canary: "canary-of-b")
            let lists = [
                "/v1/rooms", "/v1/runs", "/v1/approvals", "/v1/toolcalls", "/v1/artifacts", "/v1/engines",
                "/v1/incidents", "/v1/system/health/issues?kind=active_incidents",
                "/v1/search?q=canary",
                "/v1/experiments", "/v1/scorecards", "/v1/lessons", "/v1/pipeline/projection?format=envelope",
                "/v1/events?limit=200&include_system=1",
            ]
            for (workspace, other) in [("ws_b", "ws_a"), ("ws_c", "ws_a")] {
                for list in lists {
                    let answer = try api.operator(in: WorkspaceID(workspace)).get(list)
                    #expect(answer.status == 200)
                    #expect(!answer.text.contains("canary-of-a"), "\(list)")
                    #expect(!answer.text.contains("\"\(other)\""), "\(list)")
                }
            }
            for list in ["/v1/runs", "/v1/approvals", "/v1/toolcalls", "/v1/artifacts"] {
                let answer = try mine.hold.client.get(list)
                #expect(answer.status == 200)
                #expect(answer.text.contains("ws_b") && !answer.text.contains("ws_a"), "\(list)")
            }
            #expect(try api.engine("engine-c", in: "ws_c").post("/v1/runs/claim")["claimed"] == false)
        }
    }

    @Test("does not lend its approvals, its steps' blobs or its effect keys")
    func nothingShared() throws {
        try withAPI { api in
            let theirs = try fill(api, "ws_a", canary: "canary-of-a")
            let mine = try fill(api, "ws_b", canary: "canary-of-b")
            // A wide approval of the other workspace covers nothing here.
            let wide = try api.operator(in: "ws_a").post(
                "/v1/approvals", ["action": "external.write", "scope": ["type": "workspace"]])[text: "approval_id"]
            #expect(
                try api.operator(in: "ws_a").post("/v1/approvals/\(wide)/decide", ["decision": "approve"]).status == 200
            )
            let step = mine.ids["step"] ?? ""
            #expect(try mine.hold.publish(StepID(step), text: "canary-of-a", ordinal: 2).status == 202)
            // Bytes that are only there are not here.
            let artifact = try mine.hold.post(
                "/v1/steps/\(step)/artifacts", ["kind": "report", "sha256": .string(theirs.ids["blob"] ?? "")])
            #expect((artifact.status, artifact.code) == (404, "blob_not_found"))
        }
    }
}
