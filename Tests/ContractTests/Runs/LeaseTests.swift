import API
import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("A lease")
struct LeaseTests {
    @Test("lasts as long as it is renewed", arguments: Transports.allCases)
    func heartbeat(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            let before = try api.lastGlobalSeq()
            for _ in 0..<5 {
                api.clock.advance(29_000)
                let beat = try hold.onRun("lease/heartbeat")
                #expect(beat.status == 200)
                #expect(
                    beat[text: "lease_expires_at"]
                        == Timestamp(milliseconds: api.clock.wallMilliseconds() + 30_000).description)
                #expect(beat["cancel_requested"] == false)
                #expect(beat["kill_switch"] == false)
            }
            #expect(try api.status(run) == .running)
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test("that runs out puts the run back in the queue by the timer", arguments: Transports.allCases)
    func expiryByTimer(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let run = try api.run(in: api.room())
            _ = try api.hold()
            api.clock.advance(30_000)
            try api.wait(for: run, .queued)
            let requeued = try api.events(run).last
            #expect(requeued?.eventType == "run.requeued")
            #expect(requeued?.data["reason"] == "lease_expired")
            #expect(requeued?.data["attempt_no"] == 1)
            let again = try api.hold("engine-b")
            #expect((again.runID, again.run.attemptNo) == (run, 2))
            let attempts = try api.operator.call(.attempts, Nothing(), ["run_id": run.rawValue]).attempts
            #expect(attempts.map(\.attemptNo) == [1, 2])
            #expect(attempts.map(\.releaseReason) == ["lease_expired_reclaimed", nil])
        }
    }

    @Test("that runs out is found by the next claim itself")
    func expiryByClaim() throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            _ = try api.hold()
            // Whoever is first, timer or claim: the claim gets the run at once.
            for attempt in 2...20 {
                api.clock.advance(30_000)
                #expect(try api.hold("engine-\(attempt)").run.attemptNo == attempt)
            }
            #expect(try api.eventTypes(run).count { $0 == "run.requeued" } == 19)
        }
    }

    @Test("that has run out cannot be revived, whoever was first", arguments: Transports.allCases)
    func noRevival(_ transports: Transports) throws {
        try withAPI(transports) { api in
            _ = try api.run(in: api.room())
            let hold = try api.hold()
            api.clock.advance(30_000)
            let beat = try hold.onRun("lease/heartbeat")
            #expect(beat.status == 409)
            #expect(["lease_expired", "run_not_running", "lease_token_mismatch"].contains(beat.code ?? ""))
        }
    }

    @Test("that is lost fences every write of its holder: 409, and no event", arguments: Transports.allCases)
    func fencing(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let run = try api.run(in: api.room())
            let stale = try api.hold()
            let step = try stale.step("a")
            let call = try stale.call(step, "shell", ["argv": ["wc"]])
            let callID = call[text: "tool_call_id"]
            #expect(call.status == 201)
            for phase in ["reclaimed", "queued"] {
                api.clock.advance(30_000)
                if phase == "reclaimed" {
                    #expect(try api.hold("engine-b").runID == run)
                } else {
                    try api.wait(for: run, .queued)
                }
                let before = try api.lastGlobalSeq()
                let writes: [(String, JSONObject)] = [
                    ("/v1/runs/\(run)/lease/heartbeat", [:]),
                    ("/v1/runs/\(run)/complete", [:]), ("/v1/runs/\(run)/fail", [:]),
                    ("/v1/runs/\(run)/park", ["waits": [["kind": "halt"]]]), ("/v1/runs/\(run)/cancelled", [:]),
                    ("/v1/runs/\(run)/steps", ["kind": "shell", "plan_step_id": "b"]),
                    ("/v1/runs/\(run)/steps", ["kind": "shell", "plan_step_id": "a"]),
                    ("/v1/steps/\(step)/succeed", [:]), ("/v1/steps/\(step)/fail", [:]),
                    ("/v1/steps/\(step)/skip", [:]), ("/v1/steps/\(step)/cancel", [:]),
                    ("/v1/steps/\(step)/toolcalls", ["tool_name": "shell", "input": ["argv": ["wc"]]]),
                    ("/v1/toolcalls/\(callID)/succeed", [:]), ("/v1/toolcalls/\(callID)/fail", [:]),
                    ("/v1/steps/\(step)/artifacts", ["kind": "report", "content": ["type": "text", "text": "x"]]),
                ]
                for (target, body) in writes {
                    let answer = try stale.post(target, body)
                    #expect(answer.status == 409, "\(phase) \(target): \(answer.text)")
                    #expect(
                        ["lease_token_mismatch", "lease_expired", "run_not_running"].contains(answer.code ?? ""),
                        "\(phase) \(target): \(answer.text)")
                    // The same without a token, by an engine: never.
                    let bare = try stale.client.post(target, .object(body))
                    #expect([400, 409].contains(bare.status), "\(phase) \(target): \(bare.text)")
                }
                let upload = try stale.client.exchange(
                    .put, "/v1/steps/\(step)/blobs/\(String(repeating: "a", count: 64))",
                    fields: [.xClaimToken: stale.token], body: [1, 2, 3])
                #expect(upload.status == 409)
                if phase == "reclaimed" { #expect(try stale.onRun("lease/release").status == 409) }
                #expect(try api.lastGlobalSeq() == before, "\(phase)")
            }
        }
    }

    @Test("belongs to the engine that claimed: its token in another engine's hands is worth nothing")
    func stolenToken() throws {
        try withAPI { api in
            _ = try api.run(in: api.room())
            let hold = try api.hold()
            let thief = Hold(client: try api.engine("engine-b"), run: hold.run)
            #expect(try thief.onRun("lease/heartbeat").code == "lease_token_mismatch")
            #expect(try thief.onRun("complete").code == "lease_token_mismatch")
            #expect(try hold.onRun("lease/heartbeat").status == 200)
        }
    }

    @Test("can be shown in a header too")
    func header() throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            let beat = try hold.client.post("/v1/runs/\(run)/lease/heartbeat", fields: [.xClaimToken: hold.token])
            #expect(beat.status == 200)
            #expect(try hold.client.post("/v1/runs/\(run)/lease/heartbeat").code == "missing_claim_token")
            // The token is asked for before the state is looked at.
            _ = try hold.onRun("complete")
            #expect(try hold.client.post("/v1/runs/\(run)/lease/heartbeat").code == "missing_claim_token")
            #expect(try hold.onRun("lease/heartbeat").code == "run_not_running")
        }
    }

    @Test("given back puts the run in the queue, with the reason", arguments: ["released", "drained"])
    func release(_ reason: String) throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            let answer = try hold.onRun("lease/release", ["reason": .string(reason)])
            #expect(answer.json == ["ok": true, "released": true])
            #expect(try api.status(run) == .queued)
            #expect(try api.events(run).last?.data["reason"] == .string(reason))
            // Twice is no fault: nobody holds it any more.
            #expect(
                try hold.onRun("lease/release", ["reason": .string(reason)]).json == ["ok": true, "released": false])
            let attempts = try api.operator.call(.attempts, Nothing(), ["run_id": run.rawValue]).attempts
            #expect(attempts.map(\.releaseReason) == [reason == "drained" ? "drained" : "manual_release"])
            #expect(try hold.onRun("lease/release", ["reason": "lease_expired"]).code == "invalid_field")
        }
    }

    @Test("can be kept and given back with the engine's credentials in the body")
    func bodyCredentials() throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            guard case .engine(let id, let secret) = hold.client.credential else { throw TestFailure("no engine") }
            let body: JSONValue = [
                "engine_id": .string(id.rawValue), "engine_token": .string(secret), "claim_token": .string(hold.token),
            ]
            for route in ["lease/heartbeat", "lease/release"] {
                let answer = try api.stranger.post("/v1/runs/\(run)/\(route)", body)
                #expect(answer.status == 200, "\(route): \(answer.text)")
                let wrong = try api.stranger.post(
                    "/v1/runs/\(run)/\(route)",
                    ["engine_id": .string(id.rawValue), "engine_token": "x", "claim_token": .string(hold.token)])
                #expect((wrong.status, wrong.code) == (401, "engine_token_invalid"))
                #expect(
                    try api.stranger.post("/v1/runs/\(run)/\(route)", ["claim_token": .string(hold.token)]).status
                        == 401)
            }
        }
    }

    @Test("gets one fresh term when the api starts again", arguments: Transports.allCases)
    func restart(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            api.clock.advance(29_000)
            try api.restart()
            let same = Hold(client: try api.engine("engine-a"), run: hold.run)
            api.clock.advance(20_000)
            #expect(try same.onRun("lease/heartbeat").status == 200)
            #expect(try api.status(run) == .running)
            api.clock.advance(30_000)
            try api.wait(for: run, .queued)
        }
    }

    @Test("counts the running time of earlier attempts, not the waiting")
    func runningTime() throws {
        try withAPI { api in
            _ = try api.run(in: api.room())
            let hold = try api.hold()
            api.clock.advance(7_000)
            _ = try hold.onRun("lease/release")
            api.clock.advance(100_000)
            #expect(try api.hold().run.runningMs == 7_000)
        }
    }

    @Test("shows its token in the answer to the claim and nowhere else", arguments: Transports.allCases)
    func tokenNowhere(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            let run = try api.run(in: room, Plans.publish)
            let hold = try api.hold()
            let step = try hold.step("a", kind: "http")
            let call = try hold.publish(step)
            _ = try hold.post(
                "/v1/steps/\(step)/artifacts", ["kind": "note", "content": ["type": "text", "text": "x"]])
            let approval = call[text: "approval_id"]
            let artifact = try api.operator.get("/v1/artifacts")["artifacts"]?[0]?["artifact_id"]?.stringValue ?? ""
            let engineID = try api.operator.get("/v1/engines")["engines"]?[0]?["engine_id"]?.stringValue ?? ""
            let events = try api.operator.get("/v1/events?limit=200&include_system=1")
            var answers = [events]
            for event in events["events"]?.arrayValue ?? [] {
                answers.append(try api.operator.get("/v1/events/\(event["event_id"]?.stringValue ?? "")"))
            }
            for target in [
                "/v1/rooms", "/v1/runs", "/v1/runs/\(run)", "/v1/runs/\(run)/attempts", "/v1/runs/\(run)/steps",
                "/v1/toolcalls", "/v1/toolcalls/\(call[text: "tool_call_id"])", "/v1/approvals",
                "/v1/approvals/\(approval)", "/v1/artifacts", "/v1/artifacts/\(artifact)",
                "/v1/artifacts/\(artifact)/content", "/v1/engines", "/v1/engines/\(engineID)/tokens", "/v1/kill-switch",
                "/health", "/v1/audit/verify", "/v1/audit/hash-chain/verify",
            ] {
                answers.append(try api.operator.get(target))
            }
            for answer in answers {
                #expect(answer.status == 200)
                #expect(!answer.text.contains(hold.token))
                #expect(!answer.text.contains(api.application.operatorToken))
                if case .engine(_, let secret) = hold.client.credential { #expect(!answer.text.contains(secret)) }
            }
            let follower = Follower(api, room: room)
            try follower.read(until: Int64((try api.events(run)).last?.streamSeq ?? 0))
            #expect(!follower.events.isEmpty)
            for event in follower.events { #expect(!event.data.contains(hold.token)) }
        }
    }
}
