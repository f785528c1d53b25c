import APIClient
import JSON
import Platform
import Shared
import TestSupport
import Testing

@Suite("Parking a run")
struct ParkTests {
    private func wait(_ kind: String, _ more: JSONObject = [:]) -> JSONObject {
        var wait = more
        wait["kind"] = .string(kind)
        return ["waits": [.object(wait)]]
    }

    @Test(
        "for an approval ends the lease, and the decision queues it again", arguments: Transports.allCases,
        ["approve", "deny"])
    func approval(_ transports: Transports, _ decision: String) throws {
        try withAPI(transports) { api in
            let run = try api.run(in: api.room(), Plans.publish)
            let hold = try api.hold()
            let asked = try hold.publish(hold.step("a", kind: "http"))
            #expect(asked.status == 202)
            let approval = asked[text: "approval_id"]
            let parked = try hold.onRun("park", wait("approval", ["approval_id": .string(approval)]))
            #expect(parked.json == ["ok": true, "status": "waiting"])
            #expect(try hold.onRun("lease/heartbeat").status == 409)
            #expect(try api.operator.get("/v1/runs/\(run)")["run"]?["waits"]?[0]?["approval_id"] == .string(approval))
            // To hold is no decision.
            #expect(try api.operator.post("/v1/approvals/\(approval)/decide", ["decision": "hold"]).status == 200)
            #expect(try api.status(run) == .waiting)
            #expect(
                try api.operator.post("/v1/approvals/\(approval)/decide", ["decision": .string(decision)]).status == 200
            )
            #expect(try api.status(run) == .queued)
            #expect(try api.events(run).last?.data["reason"] == "wait_settled")
        }
    }

    @Test("for a timer wakes it when the time has come, also after a restart")
    func timer() throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            let wakeAt = Timestamp(milliseconds: api.clock.wallMilliseconds() + 60_000)
            #expect(
                try hold.onRun("park", wait("timer", ["wake_at": .string(wakeAt.description)]))["status"] == "waiting")
            try api.restart()
            api.clock.advance(57_000)
            #expect(try api.status(run) == .waiting)
            api.clock.advance(1_500)
            try api.wait(for: run, .queued)
        }
    }

    @Test("for a halt waits until it is lifted")
    func halt() throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            #expect(try api.operator.post("/v1/kill-switch", ["engaged": true, "reason": "look"]).status == 200)
            let hold = try api.hold()
            #expect(try hold.onRun("park", wait("halt"))["status"] == "waiting")
            #expect(try api.operator.post("/v1/kill-switch", ["engaged": false]).status == 200)
            #expect(try api.status(run) == .queued)
        }
    }

    @Test("for an unknown outcome waits until a person has said how it ended")
    func unknown() throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            let call = try hold.call(hold.step("a"), "shell", ["argv": ["wc"]])[text: "tool_call_id"]
            #expect(try hold.post("/v1/toolcalls/\(call)/fail", ["error": ["unknown": true]]).status == 200)
            #expect(try hold.onRun("park", wait("unknown", ["tool_call_id": .string(call)]))["status"] == "waiting")
            let resolved = try api.operator.post(
                "/v1/toolcalls/\(call)/resolve", ["outcome": "failed", "reason": "looked"])
            #expect(resolved.status == 200)
            #expect(try api.status(run) == .queued)
            #expect(
                try api.operator.post("/v1/toolcalls/\(call)/resolve", ["outcome": "failed"]).code
                    == "tool_call_not_unknown")
        }
    }

    @Test("on something that is settled already puts it straight back in the queue")
    func alreadySettled() throws {
        try withAPI { api in
            let run = try api.run(in: api.room(), Plans.publish)
            let hold = try api.hold()
            let approval = try hold.publish(hold.step("a", kind: "http"))[text: "approval_id"]
            _ = try api.operator.post("/v1/approvals/\(approval)/decide", ["decision": "approve"])
            let past = Timestamp(milliseconds: api.clock.wallMilliseconds() - 1).description
            var current = hold
            for waits in [
                wait("approval", ["approval_id": .string(approval)]), wait("halt"),
                wait("timer", ["wake_at": .string(past)]),
                ["waits": [["kind": "timer", "wake_at": "2100-01-01T00:00:00.000Z"], ["kind": "halt"]]],
            ] {
                #expect(try current.onRun("park", waits).json == ["ok": true, "status": "queued"])
                #expect(try api.status(run) == .queued)
                #expect(try api.eventTypes(run).suffix(2) == ["run.waiting", "run.requeued"])
                current = try api.hold()
            }
        }
    }

    @Test("needs something to wait for")
    func empty() throws {
        try withAPI { api in
            _ = try api.run(in: api.room())
            let hold = try api.hold()
            #expect(try hold.onRun("park").code == "missing_field")
            #expect(try hold.onRun("park", ["waits": []]).code == "missing_field")
        }
    }

    @Test("that shall be cancelled ends it: nothing runs, so nobody has to confirm")
    func cancelRequested() throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            #expect(try api.operator.post("/v1/runs/\(run)/cancel", ["reason": "no"])["status"] == "running")
            let parked = try hold.onRun("park", ["waits": [["kind": "timer", "wake_at": "2100-01-01T00:00:00.000Z"]]])
            #expect(parked.status == 200)
            #expect(try api.status(run) == .cancelled)
        }
    }
}
