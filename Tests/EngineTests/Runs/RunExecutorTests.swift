import APIClient
import Engine
import HTTP
import HTTPClient
import JSON
import Platform
import Shared
import Testing

@Suite struct RunExecutorTests {
    @Test func `a run of one shell step is claimed, done and completed`() {
        let bench = Bench()
        #expect(bench.run(shell("hello", ["echo", "hi"])) == .succeeded)
        #expect(bench.api.step("hello")?.status == .succeeded)
        #expect(bench.api.step("hello")?.output["stdout"] == "hi")
        #expect(bench.api.seen("/complete").first?.body["output"]?["steps"] == ["hello": "succeeded"])
    }

    @Test func `a step sees the recorded outputs of those it needs`() {
        let bench = Bench()
        bench.run(
            shell("first", ["echo", "one"]),
            shell(
                "second", ["echo", "${{ steps.first.output.stdout }} for ${{ run.input.name }}"], ["needs": ["first"]]))
        #expect(bench.api.step("second")?.output["stdout"] == "one for Ana")
    }

    @Test func `a failed step fails the run and names itself`() {
        var bench = Bench()
        bench.runner = ScriptedRunner.echo(failing: 1)
        #expect(bench.run(shell("bad", ["false"]), shell("next", ["true"], ["needs": ["bad"]])) == .failed)
        let error = bench.api.seen("/runs/run_1/fail").first?.body["error"]
        #expect(error?["code"] == "step_failed")
        #expect(error?["plan_step_id"] == "bad")
        #expect(bench.api.step("next")?.status == .skipped)
    }

    @Test func `a failed step whose failure is allowed does not fail the run`() {
        var bench = Bench()
        bench.runner = ScriptedRunner.echo(failing: 1)
        #expect(bench.run(shell("bad", ["false"], ["continue_on_error": true])) == .succeeded)
        #expect(bench.api.step("bad")?.status == .failed)
    }

    @Test func `a failing call is tried again as often as the plan allows, with rising numbers`() {
        var bench = Bench()
        bench.runner = ScriptedRunner.echo(failing: 2)
        let retry: JSONObject = ["retry": ["max_attempts": 3, "initial_ms": 1]]
        #expect(bench.run(shell("flaky", ["echo", "x"], retry)) == .succeeded)
        #expect(bench.api.seen("/toolcalls").map { $0.body["try_no"] } == [1, 2, 3])
        #expect(bench.api.seen("/fail").count == 2)
    }

    @Test func `retries end when the plan's attempts are used up`() {
        var bench = Bench()
        bench.runner = ScriptedRunner.echo(failing: 9)
        #expect(bench.run(shell("flaky", ["x"], ["retry": ["max_attempts": 2, "initial_ms": 1]])) == .failed)
        #expect(bench.api.call("flaky")?.tryNo == 2)
    }

    @Test func `succeeded steps of an earlier claim are not run again`() {
        let bench = Bench()
        bench.run(shell("first", ["echo", "one"]))
        bench.api.state.update { state in
            (state.runEnd, state.attemptNo, state.seen) = (nil, 2, [])
        }
        let plan = Bench.plan([
            shell("first", ["echo", "one"]),
            shell("second", ["echo", "${{ steps.first.output.stdout }}"], ["needs": ["first"]]),
        ])
        #expect(RunExecutor(bench.hold(plan, attemptNo: 2), bench.parts).execute() == .succeeded)
        #expect(
            bench.api.seen("/toolcalls").filter { $0.method == "POST" }.map(\.path) == [
                "/v1/steps/step_second/toolcalls"
            ])
        #expect(bench.api.step("second")?.output["stdout"] == "one")
    }

    @Test func `a call that had succeeded before the crash is not made again`() {
        let bench = Bench()
        bench.run(shell("first", ["echo", "one"]))
        bench.api.state.update { state in
            (state.runEnd, state.attemptNo) = (nil, 2)
            state.steps[0].status = .running
        }
        var second = bench
        second.runner = ScriptedRunner { _, _ in
            Issue.record("it was made again"); return (ProcessEnd(exit: .code(0)), "")
        }
        let plan = Bench.plan([shell("first", ["echo", "one"])])
        #expect(RunExecutor(second.hold(plan, attemptNo: 2), second.parts).execute() == .succeeded)
        #expect(bench.api.step("first")?.output["stdout"] == "one")
    }

    @Test func `a call that must not happen twice and has no known end parks the run`() {
        let bench = Bench()
        bench.run(shell("ship", ["x"]))
        bench.api.state.update { state in
            (state.runEnd, state.attemptNo) = (nil, 2)
            state.steps[0].status = .running
            state.calls[0].status = .running
        }
        let plan = Bench.plan([shell("ship", ["x"])])
        #expect(RunExecutor(bench.hold(plan, attemptNo: 2), bench.parts).execute() == .parked)
        #expect(bench.api.waits == [Wait(.unknown, planStepID: "ship", toolCallID: "tc_ship")])
    }

    @Test func `a harmless call that was under way is repeated as the next try`() {
        let bench = Bench()
        bench.run(shell("look", ["x"], ["effect": "none"]))
        bench.api.state.update { state in
            (state.runEnd, state.attemptNo, state.seen) = (nil, 2, [])
            state.steps[0].status = .running
            (state.calls[0].status, state.calls[0].tryNo) = (.running, 2)
        }
        let plan = Bench.plan([shell("look", ["x"], ["effect": "none"])])
        #expect(RunExecutor(bench.hold(plan, attemptNo: 2), bench.parts).execute() == .succeeded)
        #expect(bench.api.seen("/step_look/toolcalls").map { $0.body["try_no"] } == [3])
    }

    @Test func `tries of earlier claims count`() {
        let bench = Bench()
        bench.run(shell("flaky", ["x"]))
        bench.api.state.update { state in
            (state.runEnd, state.attemptNo) = (nil, 2)
            state.steps[0].status = .running
            (state.calls[0].status, state.calls[0].tryNo) = (.failed, 2)
            state.calls[0].error = ["code": "exit_status", "message": "x", "retryable": true]
        }
        let plan = Bench.plan([shell("flaky", ["x"], ["retry": ["max_attempts": 2]])])
        #expect(RunExecutor(bench.hold(plan, attemptNo: 2), bench.parts).execute() == .failed)
    }

    @Test func `a step that needs an approval parks the run, and goes on when it is given`() {
        let isApproved = Monitor(false)
        let bench = Bench(
            FakeAPI { _, step in step == "ship" && !isApproved.read { $0 } ? .approval("appr_1") : .allow })
        let plan = Bench.plan([shell("ship", ["echo", "gone"]), shell("other", ["echo", "done"])])
        #expect(RunExecutor(bench.hold(plan), bench.parts).execute() == .parked)
        #expect(bench.api.waits == [Wait(.approval, planStepID: "ship", approvalID: "appr_1", toolCallID: "tc_ship")])
        #expect(bench.api.step("other")?.status == .succeeded)
        isApproved.update { $0 = true }
        bench.api.state.update { ($0.runEnd, $0.attemptNo) = (nil, 2) }
        #expect(RunExecutor(bench.hold(plan, attemptNo: 2), bench.parts).execute() == .succeeded)
        #expect(bench.api.step("ship")?.output["stdout"] == "gone")
    }

    @Test func `a refusal by policy fails the step with its reason`() {
        let bench = Bench(FakeAPI { _, _ in .refuse(.approvalDenied) })
        #expect(bench.run(shell("ship", ["x"])) == .failed)
        #expect(bench.api.step("ship")?.error["code"] == "approval_denied")
    }

    @Test func `an approval step gives the decision as its output`() {
        let bench = Bench()
        #expect(bench.run(["id": "ask", "tool": "approval", "with": ["title": "Go?"]]) == .succeeded)
        #expect(bench.api.step("ask")?.output["decision"] == "approved")
    }

    @Test func `the kill switch parks what goes out and nothing else`() {
        let bench = Bench(FakeAPI { _, _ in .refuse(.killSwitchActive, details: ["parkable": true]) })
        #expect(bench.run(shell("ship", ["x"])) == .parked)
        #expect(bench.api.waits == [Wait(.halt, planStepID: "ship")])
    }

    @Test func `the engine's own kill switch keeps it from even asking`() {
        var bench = Bench()
        bench.killSwitch = { true }
        bench.run(
            ["id": "out", "tool": "shell", "with": ["argv": ["x"], "network": true]], shell("inside", ["echo", "y"]))
        #expect(bench.api.waits.map(\.kind) == [.halt])
        #expect(bench.api.call("out") == nil)
        #expect(bench.api.step("inside")?.status == .succeeded)
    }

    @Test func `a long sleep parks with its end, and a short one is slept here`() {
        let bench = Bench()
        let plan = Bench.plan([["id": "nap", "tool": "sleep", "with": ["duration_ms": 60000]]])
        #expect(RunExecutor(bench.hold(plan), bench.parts).execute() == .parked)
        let wakeAt = bench.api.waits.first?.wakeAt
        #expect(bench.api.call("nap")?.input["until"]?.stringValue == wakeAt?.description)
        // Claimed again when the time has come: the recorded end counts, not a new one.
        bench.api.state.update { state in
            (state.runEnd, state.attemptNo) = (nil, 2)
            state.calls[0].input = ["until": "2001-01-01T00:00:00.000Z"]
        }
        #expect(RunExecutor(bench.hold(plan, attemptNo: 2), bench.parts).execute() == .succeeded)
        let short = Bench()
        #expect(short.run(["id": "nap", "tool": "sleep", "with": ["duration_ms": 30]]) == .succeeded)
    }

    @Test func `an unknown secret ends the run before anything is dispatched`() {
        let bench = Bench()
        let step: JSONValue = [
            "id": "use", "tool": "shell", "with": ["argv": ["x"], "env": ["T": "${{ secrets.TOKEN }}"]],
        ]
        #expect(bench.run(step) == .failed)
        #expect(bench.api.seen("/runs/run_1/fail").first?.body["error"]?["code"] == "secret_not_found")
        #expect(bench.api.seen("/toolcalls").filter { $0.method == "POST" }.isEmpty)
    }

    @Test func `a secret reaches the program and is masked in all that is recorded`() {
        var bench = Bench()
        bench.folder.write("secrets/TOKEN", "hunter2-very-secret\n", mode: 0o600)
        bench.runner = SystemProcesses()
        bench.run([
            "id": "use", "tool": "shell",
            "with": [
                "script": "echo \"[$T]\"; printf %s \"$T\" | base64; echo \"$T\" >&2; test -n \"$T\"",
                "env": ["T": "${{ secrets.TOKEN }}"],
            ],
        ])
        #expect(bench.api.step("use")?.status == .succeeded)
        #expect(bench.api.step("use")?.output["stdout"]?.stringValue?.hasPrefix("[***]") == true)
        let sent = bench.api.seen.map { String(decoding: JSON.write($0.body), as: UTF8.self) }.joined()
        #expect(!sent.contains("hunter2"))
        #expect(!sent.contains("aHVudGVyMi12ZXJ5LXNlY3Jld"))
        #expect(sent.contains("${{ secrets.TOKEN }}"))
    }

    @Test func `a report whose answer was lost is sent again and counts once`() {
        let bench = Bench()
        bench.api.state.update { $0.lostAnswers = ["/tc_hello/succeed", "/step_hello/succeed", "/steps", "/complete"] }
        #expect(bench.run(shell("hello", ["echo", "hi"])) == .succeeded)
        #expect(bench.api.runEnd == "complete")
        #expect(bench.api.call("hello")?.status == .succeeded)
        #expect(bench.api.step("hello")?.status == .succeeded)
    }

    @Test func `a permit that came too late is asked for again with the same number`() {
        let bench = Bench()
        bench.api.state.update { $0.permitTTLMs = 0 }
        let wait = bench.start(bench.hold(Bench.plan([shell("slow", ["echo", "x"])])))
        #expect(bench.api.eventually { $0.seen.filter { $0.path.hasSuffix("/toolcalls") }.count >= 2 })
        bench.api.state.update { $0.permitTTLMs = 1_000 }
        #expect(wait() == .succeeded)
        #expect(Set(bench.api.seen("/toolcalls").map { $0.body["try_no"] }) == [1])
    }

    @Test func `a permit that could not be used is given back before the halt is waited for`() {
        let isHalted = Monitor(false)
        var bench = Bench(FakeAPI { _, _ in isHalted.read { $0 } ? .refuse(.killSwitchActive) : .allow })
        bench.runner = ScriptedRunner { _, _ in
            Issue.record("it was started"); return (ProcessEnd(exit: .code(0)), "")
        }
        bench.api.state.update { $0.permitTTLMs = 0 }
        let wait = bench.start(bench.hold(Bench.plan([shell("ship", ["x"])])))
        #expect(bench.api.eventually { !$0.calls.isEmpty })
        isHalted.update { $0 = true }
        #expect(wait() == .parked)
        #expect(bench.api.waits.map(\.kind) == [.halt])
        #expect(bench.api.call("ship")?.status == .failed)
        #expect(bench.api.call("ship")?.error["not_started"] == true)
    }

    @Test func `a lost lease kills what runs and nothing more is written`() {
        var bench = Bench()
        bench.runner = SystemProcesses()
        let held = bench.hold(Bench.plan([script("long_lost", "echo $$ > pid; exec sleep 60")]))
        let wait = bench.start(held)
        #expect(bench.api.eventually { $0.calls.first?.status == .running })
        let pid = bench.folder.path + "/work/run_1/pid"
        #expect(waitUntil { Files.exists(pid) })
        held.lose("test")
        #expect(wait() == .lost)
        let writes = bench.api.seen.count
        #expect(bench.api.call("long_lost")?.status == .running)
        #expect(bench.api.step("long_lost")?.status == .queued)
        #expect(bench.api.runEnd == nil)
        #expect(bench.api.seen.count == writes)
        let number = bench.folder.text("work/run_1/pid")?.split(separator: "\n").first ?? ""
        #expect(!Files.exists("/proc/\(number)"))
    }

    @Test func `a write refused by the fence is the end of the run here`() {
        let bench = Bench()
        bench.api.state.update { $0.refusal = .leaseTokenMismatch }
        #expect(bench.run(shell("hello", ["x"])) == .lost)
        #expect(bench.api.seen.filter { $0.method == "POST" }.count == 1)
    }

    @Test func `a cancelled run is killed, cleaned up and confirmed`() {
        var bench = Bench()
        bench.runner = SystemProcesses()
        let plan = Bench.plan([
            script("long_cancelled", "touch started; exec sleep 60"),
            shell("after", ["x"], ["needs": ["long_cancelled"]]),
            script("tidy", "echo tidy", ["needs": ["long_cancelled"], "when": "always"]),
        ])
        let held = bench.hold(plan)
        let wait = bench.start(held)
        #expect(waitUntil { Files.exists(bench.folder.path + "/work/run_1/started") })
        held.requestCancel()
        #expect(wait() == .cancelled)
        #expect(bench.api.runEnd == "cancelled")
        #expect(bench.api.step("long_cancelled")?.status == .cancelled)
        #expect(bench.api.step("after")?.status == .skipped)
        #expect(bench.api.step("tidy")?.status == .succeeded)
        #expect(!Files.exists(bench.folder.path + "/work/run_1"))
    }

    @Test func `the time limit of a run stops it and fails it`() {
        var bench = Bench()
        bench.runner = SystemProcesses()
        #expect(bench.run(script("long_limited", "exec sleep 60"), limits: ["timeout_ms": 300]) == .failed)
        let error = bench.api.seen("/runs/run_1/fail").first?.body["error"]
        #expect(error?["limit"] == "timeout_ms", "\(String(describing: error))")
        #expect(bench.api.step("long_limited")?.status == .failed)
    }

    @Test func `the limit of tool calls fails the run`() {
        let bench = Bench(FakeAPI { _, step in step == "b" ? .refuse(.toolCallLimitReached) : .allow })
        #expect(bench.run(shell("a", ["x"]), shell("b", ["x"], ["needs": ["a"]])) == .failed)
        #expect(bench.api.step("b")?.error["code"] == "tool_call_limit_reached")
        #expect(bench.api.seen("/runs/run_1/fail").first?.body["error"]?["limit"] == "max_tool_calls")
    }

    @Test func `artifacts are stored by their digest and small texts stand in the event`() {
        var bench = Bench()
        bench.runner = SystemProcesses()
        let artifacts: JSONObject = [
            "artifacts": [["path": "report.txt", "kind": "report"], ["glob": "out/**/*.json", "kind": "data"]]
        ]
        bench.run(
            script(
                "make",
                "echo hello > report.txt; mkdir -p out/a; echo '{\"n\":1}' > out/a/x.json; ln -s /etc/passwd out/p.json",
                artifacts))
        #expect(bench.api.step("make")?.status == .succeeded)
        let found = bench.api.state.read { $0.artifacts }
        #expect(found.map(\.title) == ["report.txt", "out/a/x.json"])
        #expect(found.first?.sha256 == "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")
        #expect(found.first?.content?["text"] == "hello\n")
        #expect(found.last?.content?["json"] == ["n": 1])
        #expect(bench.api.state.read { $0.blobs.count } == 2)
    }

    @Test func `a missing artifact fails its step`() {
        let bench = Bench()
        bench.run(shell("make", ["x"], ["artifacts": [["path": "none.txt", "kind": "report"]]]))
        #expect(bench.api.step("make")?.error["code"] == "artifact_not_found")
    }

    @Test func `no more steps run side by side than the plan allows`() {
        let running = Monitor((now: 0, most: 0))
        var bench = Bench()
        bench.runner = ScriptedRunner { _, stop in
            running.update {
                $0.now += 1; $0.most = max($0.most, $0.now)
            }
            _ = stop.wait(milliseconds: 30)
            running.update { $0.now -= 1 }
            return (ProcessEnd(exit: .code(0)), "")
        }
        let steps = (0..<6).map { shell("s\($0)", ["x"]) }
        let plan = Bench.plan(steps, limits: ["max_parallel": 3])
        #expect(RunExecutor(bench.hold(plan), bench.parts).execute() == .succeeded)
        #expect(running.read { $0.most } == 3)
    }

    @Test func `a drained run lets its calls finish and is given back`() {
        let go = Monitor(false)
        var bench = Bench()
        bench.runner = ScriptedRunner { _, _ in
            _ = go.wait(milliseconds: 10_000) { $0 ? true : nil }
            return (ProcessEnd(exit: .code(0)), "")
        }
        let held = bench.hold(Bench.plan([shell("a", ["x"]), shell("b", ["x"], ["needs": ["a"]])]))
        let wait = bench.start(held)
        #expect(bench.api.eventually { $0.calls.first?.status == .running })
        held.drain()
        go.update { $0 = true }
        #expect(wait() == .released)
        #expect(bench.api.step("a")?.status == .succeeded)
        #expect(bench.api.call("b") == nil)
        #expect(bench.api.seen("/release").first?.body["reason"] == "drained")
    }
}

/// Waits for something outside the fake to become true.
func waitUntil(_ holds: () -> Bool) -> Bool {
    let never = Monitor(false)
    for _ in 0..<500 {
        if holds() { return true }
        _ = never.wait(milliseconds: 10) { $0 ? true : nil }
    }
    return false
}
