import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("GET /v1/runs/{run_id}/snapshot")
struct RunSnapshotTests {
    @Test("is the run with all that belongs to it, as the lists have it")
    func now() throws {
        try withAPI { api in
            let run = try lived(api)
            let snapshot = try api.operator.get("/v1/runs/\(run)/snapshot")
            #expect(snapshot["run"] == (try api.operator.get("/v1/runs/\(run)"))["run"])
            #expect(snapshot["steps"] == (try api.operator.get("/v1/runs/\(run)/steps"))["steps"])
            #expect(snapshot["tool_calls"] == (try api.operator.get("/v1/toolcalls?run_id=\(run)"))["tool_calls"])
            #expect(snapshot["attempts"] == (try api.operator.get("/v1/runs/\(run)/attempts"))["attempts"])
            #expect(snapshot["approvals"]?.arrayValue?.count == 1)
            #expect(snapshot["artifacts"]?.arrayValue?.count == 1)
            #expect(snapshot["at_seq"] == .null)
            let events = try api.events(run)
            #expect(snapshot["first_seq"]?.intValue == events.first?.globalSeq)
            #expect(snapshot["last_seq"]?.intValue == events.last?.globalSeq)
        }
    }

    @Test("at the run's last event is what it is now: one fold makes both")
    func foldsTheSame() throws {
        try withAPI { api in
            let run = try lived(api)
            let now = try api.operator.get("/v1/runs/\(run)/snapshot")
            let past = try api.operator.get("/v1/runs/\(run)/snapshot?at_seq=\(now["last_seq"]?.intValue ?? 0)")
            for member in ["run", "steps", "tool_calls", "approvals", "artifacts", "attempts"] {
                #expect(past[member] == now[member], "\(member)")
            }
        }
    }

    @Test("shows the run as it was after each of its events")
    func past() throws {
        try withAPI { api in
            let run = try lived(api)
            var statuses: [String] = []
            for event in try api.events(run) {
                let past = try api.operator.get("/v1/runs/\(run)/snapshot?at_seq=\(event.globalSeq)")
                #expect(past.status == 200)
                let status = past["run"]?["status"]?.stringValue ?? ""
                if statuses.last != status { statuses.append(status) }
                // Nothing is there before it came.
                let made = past["artifacts"]?.arrayValue?.count ?? 0
                #expect(made == (event.eventType == "artifact.created" || status == "succeeded" ? 1 : made))
                if event.eventType == "run.created" {
                    #expect(past["steps"] == [] && past["attempts"] == [] && past["artifacts"] == [])
                }
            }
            #expect(statuses == ["queued", "running", "waiting", "queued", "running", "succeeded"])
        }
    }

    @Test("is not found before the run was there, elsewhere, or for a place that is none")
    func refusals() throws {
        try withAPI { api in
            let run = try lived(api)
            let first = try api.operator.get("/v1/runs/\(run)/snapshot")["first_seq"]?.intValue ?? 0
            for (client, query, code) in [
                (api.operator, "?at_seq=\(first - 1)", "run_not_found"), (api.operator, "?at_seq=x", "invalid_cursor"),
                (api.operator(in: "ws_other"), "", "run_not_found"),
                (api.operator(in: "ws_other"), "?at_seq=\(first)", "run_not_found"),
            ] {
                #expect(try client.get("/v1/runs/\(run)/snapshot\(query)").code == code)
            }
        }
    }

    /// A run that waited for an approval, went on and ended.
    private func lived(_ api: TestAPI) throws -> RunID {
        let run = try api.run(in: api.room())
        var hold = try api.hold()
        let step = try hold.step("publish", kind: "http")
        let waiting = try hold.publish(step)
        #expect(waiting.status == 202)
        let approval = waiting[text: "approval_id"]
        let park = try hold.onRun(
            "park", ["waits": [["kind": "approval", "approval_id": .string(approval)]]])
        #expect(park.status == 200)
        _ = try api.operator.post("/v1/approvals/\(approval)/decide", ["decision": "approve"])
        hold = try api.hold()
        let call = try hold.publish(step)
        #expect(call.status == 201)
        _ = try hold.succeed(call[text: "tool_call_id"], output: ["status": 200])
        _ = try hold.post(
            "/v1/steps/\(step)/artifacts", ["kind": "note", "content": ["type": "text", "text": "kept"]])
        _ = try hold.post("/v1/steps/\(step)/succeed")
        _ = try hold.onRun("complete")
        return run
    }
}
