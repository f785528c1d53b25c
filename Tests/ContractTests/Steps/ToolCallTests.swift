import APIClient
import JSON
import Shared
import TestSupport
import Testing

@Suite("A step and its calls")
struct ToolCallTests {
    private let wc: JSONValue = ["argv": ["wc", "-l"]]

    @Test("is opened once for each step of the plan", arguments: Transports.allCases)
    func idempotentStep(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            let first = try hold.onRun("steps", ["kind": "shell", "plan_step_id": "a"])
            let again = try hold.onRun("steps", ["kind": "shell", "plan_step_id": "a"])
            #expect((first.status, again.status) == (201, 200))
            #expect(first[text: "step_id"] == again[text: "step_id"])
            #expect(try api.eventTypes(run).count { $0 == "step.created" } == 1)
            // Also over a re-claim.
            _ = try hold.onRun("lease/release")
            #expect(try api.hold("engine-b").step("a").rawValue == first[text: "step_id"])
            #expect(try hold.onRun("steps").code == "missing_kind")
        }
    }

    @Test("ends once, as its executor says", arguments: ["succeed", "fail", "skip", "cancel"])
    func ends(_ route: String) throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            let step = try hold.step("a")
            #expect(try hold.post("/v1/steps/\(step)/\(route)", ["output": ["n": 1], "message": "m"]).status == 200)
            let status =
                ["succeed": "succeeded", "fail": "failed", "skip": "skipped", "cancel": "cancelled"][route] ?? ""
            #expect(try api.operator.get("/v1/runs/\(run)/steps")["steps"]?[0]?["status"] == .string(status))
            #expect(try api.eventTypes(run).last == "step.\(status)")
            for again in ["succeed", "fail", "skip", "cancel"] {
                #expect(try hold.post("/v1/steps/\(step)/\(again)").code == "step_already_ended")
            }
            #expect(try hold.call(step, "shell", wc).code == "step_already_ended")
        }
    }

    @Test("is let through with a permit, and the decision stands in the event", arguments: Transports.allCases)
    func permitted(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            let answer = try hold.call(hold.step("a"), "shell", wc)
            #expect(answer.status == 201)
            #expect(answer["permit_ttl_ms"] == 1_000)
            #expect(
                (answer[text: "decision"], answer[text: "action"], answer[text: "effect"]) == (
                    "allow", "shell.exec", "once"
                ))
            #expect(answer[text: "args_hash"].hasPrefix("sha256:"))
            let invoked = try api.events(run).last
            #expect(invoked?.eventType == "tool.invoked")
            #expect(invoked?.data["effect_key"] == .string("\(run)/a/1"))
            let single = try api.operator.get("/v1/events/\(invoked?.eventID.rawValue ?? "")")
            let context = single["event"]?["policy_context"]
            #expect(context?["decision"] == "allow")
            #expect(context?["args_hash"] == .string(answer[text: "args_hash"]))
            for key in ["reason_code", "rule_id", "policy_version", "mode", "action", "latency_us"] {
                #expect(context?[key] != nil, "\(key)")
            }
        }
    }

    @Test(
        "asked for again because the answer was lost gets the same permit, renewed, and no event",
        arguments: Transports.allCases)
    func lostAnswer(_ transports: Transports) throws {
        try withAPI(transports) { api in
            _ = try api.run(in: api.room())
            let hold = try api.hold()
            let step = try hold.step("a")
            let first = try hold.call(step, "shell", wc)
            let before = try api.lastGlobalSeq()
            let again = try hold.call(step, "shell", wc, tryNo: 1)
            #expect((again.status, again[text: "reason_code"]) == (201, "permit_renewed"))
            #expect(again[text: "tool_call_id"] == first[text: "tool_call_id"])
            #expect(try api.lastGlobalSeq() == before)
            // With other arguments it is another act, and nobody knows about the first.
            let drifted = try hold.call(step, "shell", ["argv": ["rm"]], tryNo: 1)
            #expect((drifted.status, drifted.code) == (409, "outcome_unknown"))
        }
    }

    @Test(
        "that has ended answers how, and a higher number tries again under the same id", arguments: Transports.allCases)
    func retries(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            let step = try hold.step("a")
            let id = try hold.call(step, "shell", wc)[text: "tool_call_id"]
            #expect(try hold.post("/v1/toolcalls/\(id)/fail", ["message": "exit 1"]).status == 200)
            let lost = try hold.call(step, "shell", wc, tryNo: 1)
            #expect((lost.status, lost[text: "status"]) == (200, "failed"))
            let second = try hold.call(step, "shell", wc, tryNo: 2)
            #expect((second.status, second[text: "tool_call_id"]) == (201, id))
            #expect(try api.operator.get("/v1/toolcalls/\(id)")["tool_call"]?["try_no"] == 2)
            #expect(try hold.succeed(id, output: ["exit_code": 0]).status == 200)
            let ended = try hold.call(step, "shell", wc, tryNo: 3)
            #expect((ended.status, ended[text: "status"], ended["output"]) == (200, "succeeded", ["exit_code": 0]))
            #expect(try hold.succeed(id).code == "tool_call_not_running")
            let invoked = try api.events(run).filter { $0.eventType == "tool.invoked" }
            #expect(invoked.map { $0.data["try_no"] } == [1, 2])
            #expect(invoked.allSatisfy { $0.data["tool_call_id"] == .string(id) })
            // The next call of the step is another one.
            #expect(try hold.call(step, "shell", wc, ordinal: 2)[text: "tool_call_id"] != id)
        }
    }

    @Test(
        "found running by the next holder is repeated unless it must not happen twice",
        arguments: ["none", "idempotent", "once"])
    func reclaimed(_ effect: String) throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            let lost = try api.hold()
            let step = try lost.step("a")
            let first = try lost.call(step, "shell", wc, ["effect": .string(effect)])
            let id = first[text: "tool_call_id"]
            api.clock.advance(30_000)
            let next = try api.hold("engine-b")
            let answer = try next.call(step, "shell", wc, ["effect": .string(effect)])
            if effect == "once" {
                #expect((answer.status, answer.code) == (409, "outcome_unknown"))
                #expect(try api.eventTypes(run).last == "tool.unknown")
                #expect(try api.operator.get("/v1/toolcalls/\(id)")["tool_call"]?["status"] == "unknown")
                // Asking again changes nothing.
                let before = try api.lastGlobalSeq()
                #expect(try next.call(step, "shell", wc, tryNo: 2).code == "outcome_unknown")
                #expect(try api.lastGlobalSeq() == before)
                #expect(try api.operator.post("/v1/toolcalls/\(id)/resolve").code == "missing_field")
                let resolved = try api.operator.post(
                    "/v1/toolcalls/\(id)/resolve",
                    ["outcome": "succeeded", "reason": "looked", "output": ["seen": true]])
                #expect(resolved.status == 200)
                let known = try next.call(step, "shell", wc)
                #expect((known.status, known[text: "status"], known["output"]) == (200, "succeeded", ["seen": true]))
            } else {
                #expect((answer.status, answer[text: "tool_call_id"]) == (201, id))
                #expect(try api.operator.get("/v1/toolcalls/\(id)")["tool_call"]?["attempt_no"] == 2)
            }
        }
    }

    @Test(
        "is what its arguments make it: what the caller says is checked",
        arguments: [
            ("shell", ["argv": ["a"]], ["action": "data.read"], 409, "action_mismatch"),
            ("shell", ["argv": ["a"], "network": true], ["effect": "none"], 409, "action_mismatch"),
            ("shell", ["argv": ["a"], "network": true], ["action": "shell.exec"], 409, "action_mismatch"),
            (
                "http", ["method": "POST", "url": "https://a.example/"], ["action": "external.read"], 409,
                "action_mismatch"
            ),
            ("http", ["method": "DELETE", "url": "https://a.example/"], ["effect": "none"], 409, "action_mismatch"),
            ("shell", [:], [:], 400, "invalid_field"),
            ("file.read", ["path": "../../etc/passwd"], [:], 400, "invalid_field"),
            ("shell", ["argv": ["${{ steps.b.output.stdout }}"]], [:], 400, "invalid_field"),
            ("", [:], [:], 400, "missing_tool_name"),
            ("shell", ["argv": ["a"]], ["ordinal": 0], 400, "invalid_field"),
            ("shell", ["argv": ["a"]], ["try_no": 0], 400, "invalid_field"),
        ] as [(String, JSONValue, JSONObject, Int, String)])
    func mismatch(_ tool: String, _ input: JSONValue, _ more: JSONObject, _ status: Int, _ code: String) throws {
        try withAPI { api in
            _ = try api.run(in: api.room())
            let hold = try api.hold()
            let step = try hold.step("a")
            let before = try api.lastGlobalSeq()
            let answer = try hold.call(step, tool, input, more)
            #expect((answer.status, answer.code) == (status, code), "\(answer.text)")
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test("is one too many when the plan allows no more")
    func limit() throws {
        try withAPI { api in
            let plan: JSONValue = [
                "version": 1, "limits": ["max_tool_calls": 3],
                "steps": [["id": "a", "tool": "shell", "with": ["argv": ["wc"]]]],
            ]
            _ = try api.run(in: api.room(), plan)
            let hold = try api.hold()
            let step = try hold.step("a")
            for ordinal in 1...3 { #expect(try hold.call(step, "shell", wc, ordinal: ordinal).status == 201) }
            let fourth = try hold.call(step, "shell", wc, ordinal: 4)
            #expect((fourth.status, fourth.code) == (409, "tool_call_limit_reached"))
            #expect(try hold.call(step, "shell", wc, ordinal: 3).status == 201)
        }
    }

    @Test("keeps no secret that the caller sends along")
    func redacted() throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            let secret = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"
            let call = try hold.call(hold.step("a"), "shell", ["argv": ["echo", .string(secret)]])
            #expect(call.status == 201)
            _ = try hold.succeed(call[text: "tool_call_id"], output: ["stdout": .string("it is \(secret)!")])
            for target in ["/v1/events?limit=200&include_system=1", "/v1/toolcalls", "/v1/runs/\(run)/steps"] {
                let text = try api.operator.get(target).text
                #expect(!text.contains(secret), "\(target)")
                #expect(text.contains("[redacted]"), "\(target)")
            }
            let types =
                try api.operator.get("/v1/events?limit=200")["events"]?.arrayValue?.compactMap {
                    $0["event_type"]?.stringValue
                } ?? []
            #expect(types.contains("event.redacted") && types.contains("secret.leaked.detected"))
        }
    }

    @Test("is not taken once the run has ended")
    func afterEnd() throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            let step = try hold.step("a")
            let call = try hold.call(step, "shell", wc)[text: "tool_call_id"]
            #expect(try hold.onRun("complete").status == 200)
            let before = try api.lastGlobalSeq()
            for (target, body) in [
                ("/v1/runs/\(run)/steps", ["kind": "shell"]), ("/v1/steps/\(step)/succeed", [:]),
                ("/v1/steps/\(step)/toolcalls", ["tool_name": "shell", "input": wc]),
                ("/v1/toolcalls/\(call)/succeed", [:]),
            ] as [(String, JSONObject)] {
                #expect(try hold.post(target, body).status == 409, "\(target)")
            }
            #expect(try api.lastGlobalSeq() == before)
        }
    }
}
