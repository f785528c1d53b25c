import APIClient
import JSON
import Shared
import TestSupport
import Testing

@Suite("The end of a run")
struct EndTests {
    @Test("is cancelled at once when nobody holds it", arguments: Transports.allCases)
    func cancelQueued(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let run = try api.run(in: api.room())
            #expect(
                try api.operator.post("/v1/runs/\(run)/cancel", ["reason": "no need"]).json == [
                    "ok": true, "status": "cancelled",
                ])
            #expect(
                try api.eventTypes(run) == [
                    "run.created", "run.cancel_requested", "run.cancelled", "evidence.manifest.created",
                ])
            #expect(try api.operator.get("/v1/runs/\(run)")["run"]?["cancel_reason"] == "no need")
            #expect(try api.operator.post("/v1/runs/\(run)/cancel").code == "run_already_ended")
            #expect(try api.engine("engine-a").post("/v1/runs/claim")["claimed"] == false)
        }
    }

    @Test("is cancelled at once while it waits")
    func cancelWaiting() throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            _ = try api.hold().onRun("park", ["waits": [["kind": "timer", "wake_at": "2100-01-01T00:00:00.000Z"]]])
            #expect(try api.operator.post("/v1/runs/\(run)/cancel")["status"] == "cancelled")
        }
    }

    @Test(
        "is cancelled by its holder's word, who hears of it at once and by the heartbeat",
        arguments: Transports.allCases)
    func cancelHeld(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            guard case .engine(let engineID, _) = hold.client.credential else { throw TestFailure("no engine") }
            #expect(try hold.onRun("cancelled").code == "run_not_running")
            let control = Beside { try hold.client.post("/v1/engines/\(engineID)/control", ["wait_ms": 20_000]) }
            let asked = try api.operator.post("/v1/runs/\(run)/cancel", ["reason": "stop"])
            #expect(asked.json == ["ok": true, "status": "running"])
            #expect(try control.value()["cancel"] == [.string(run.rawValue)])
            #expect(try hold.onRun("lease/heartbeat")["cancel_requested"] == true)
            // Twice asked is once recorded.
            #expect(try api.operator.post("/v1/runs/\(run)/cancel").status == 200)
            #expect(try api.eventTypes(run).count { $0 == "run.cancel_requested" } == 1)
            #expect(try hold.onRun("cancelled").status == 200)
            #expect(try api.status(run) == .cancelled)
            #expect(try hold.onRun("cancelled").code == "run_already_ended")
        }
    }

    @Test("is cancelled by the timer when the holder is gone", arguments: [true, false])
    func cancelLost(_ isReleased: Bool) throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            _ = try api.operator.post("/v1/runs/\(run)/cancel", ["reason": "stop"])
            if isReleased {
                #expect(try hold.onRun("lease/release").status == 200)
            } else {
                api.clock.advance(30_000)
            }
            try api.wait(for: run, .cancelled)
            #expect(try api.operator.get("/v1/runs/\(run)")["run"]?["cancel_reason"] == "stop")
        }
    }

    @Test("is written by the holder", arguments: Transports.allCases)
    func completeAndFail(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            let (one, two) = (try api.run(in: room), try api.run(in: room))
            let holds = [try api.hold(), try api.hold()]
            let first = holds.first { $0.runID == one } ?? holds[0]
            let second = holds.first { $0.runID == two } ?? holds[1]
            #expect(try first.onRun("complete", ["summary": "done", "output": ["lines": 3]]).status == 200)
            #expect(try second.onRun("fail", ["message": "broke"]).status == 200)
            let (won, lost) = (try api.operator.get("/v1/runs/\(one)"), try api.operator.get("/v1/runs/\(two)"))
            #expect(won["run"]?["status"] == "succeeded")
            #expect(won["run"]?["output"] == ["lines": 3])
            #expect(won["run"]?["summary"] == "done")
            #expect(lost["run"]?["status"] == "failed")
            #expect(lost["run"]?["error"] == ["message": "broke"])
            for (hold, route) in [(first, "complete"), (first, "fail"), (second, "complete")] {
                #expect(try hold.onRun(route).code == "run_already_ended")
            }
            let attempts = try api.operator.call(.attempts, Nothing(), ["run_id": one.rawValue]).attempts
            #expect(attempts.map(\.releaseReason) == ["run_completed"])
        }
    }

    @Test("can be written by the operator without a token, and the event says who it was")
    func operatorOverride() throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            #expect(try hold.client.post("/v1/runs/\(run)/complete").code == "missing_claim_token")
            #expect(
                try api.operator.post("/v1/runs/\(run)/complete", ["claim_token": "wrong"]).code
                    == "lease_token_mismatch")
            #expect(try api.operator.post("/v1/runs/\(run)/complete").status == 200)
            let end = try api.events(run).first { $0.eventType == "run.completed" }
            #expect((end?.actorType, end?.actorID) == (.user, "operator"))
            #expect(try hold.onRun("lease/heartbeat").code == "run_not_running")
        }
    }

    @Test("of one without a plan is in the operator's hands")
    func withoutPlan() throws {
        try withAPI { api in
            let room = try api.room()
            let bare = try api.operator.call(.createRun, CreateRun(roomID: room)).runID
            #expect(try api.operator.post("/v1/runs/\(bare)/start").status == 200)
            #expect(try api.operator.post("/v1/runs/\(bare)/start").code == "run_not_queued")
            let step = try api.operator.post("/v1/runs/\(bare)/steps", ["kind": "manual"])[text: "step_id"]
            let call = try api.operator.post(
                "/v1/steps/\(step)/toolcalls", ["tool_name": "anything", "input": ["a": 1]])
            #expect((call.status, call[text: "action"]) == (201, "tool.call.anything"))
            #expect(try api.operator.post("/v1/toolcalls/\(call[text: "tool_call_id"])/succeed").status == 200)
            #expect(try api.operator.get("/v1/runs/\(bare)/steps")["steps"]?[0]?["status"] == "succeeded")
            #expect(try api.operator.post("/v1/runs/\(bare)/complete").status == 200)
            let planned = try api.run(in: room)
            #expect(try api.operator.post("/v1/runs/\(planned)/start").code == "run_has_plan")
        }
    }
}
