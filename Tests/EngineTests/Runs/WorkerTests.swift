import APIClient
import Engine
import HTTP
import HTTPClient
import JSON
import Platform
import Shared
import Testing

@Suite struct WorkerTests {
    private func start(_ bench: Bench, runOnce: Bool = false, graceMs: Int64 = 5_000, parallel: Int = 2) -> (
        Worker, Thread
    ) {
        let settings = Worker.Settings(
            engineID: "eng_1", maxParallelRuns: parallel, claimWaitMs: 200, pollMs: 10, runOnce: runOnce,
            graceMs: graceMs)
        let lines = Worker.Lines(claims: bench.client, heartbeats: bench.client, control: bench.client)
        let worker = Worker(settings, lines, bench.parts)
        return (worker, Thread.start("worker") { worker.run() })
    }

    private func queue(_ bench: Bench, _ steps: JSONValue..., ttlMs: Int64 = 30_000) {
        bench.api.state.update { $0.queue.append(Bench.claimed(Bench.plan(steps), ttlMs: ttlMs)) }
    }

    /// Exec that goes on until it is stopped or let go.
    private func blocking(_ go: Monitor<Bool>) -> ScriptedRunner {
        ScriptedRunner { _, stop in
            stop.onStop({ _ in go.update { $0 = true } }) {
                _ = go.wait(milliseconds: 10_000) { $0 ? true : nil }
            }
            return (ProcessEnd(exit: .code(0), reason: stop.cause.map { .stopped($0) } ?? .byItself), "")
        }
    }

    @Test func `in the run-once mode the queue is emptied and the work ends`() {
        let bench = Bench()
        queue(bench, shell("a", ["echo", "x"]))
        let (_, thread) = start(bench, runOnce: true)
        #expect(thread.join(milliseconds: 10_000))
        #expect(bench.api.runEnd == "complete")
        #expect(bench.api.seen("/claim").allSatisfy { $0.body["wait_ms"] == 0 && $0.body["plan"] == "required" })
    }

    @Test func `the threads that make an engine say that they live, also while they wait, and when they are done`() {
        var bench = Bench()
        let go = Monitor(false)
        bench.runner = blocking(go)
        queue(bench, shell("a", ["x"]))
        let (worker, thread) = start(bench, parallel: 1)
        // No room for another run: the claims wait for as long as this one takes.
        #expect(bench.api.eventually { $0.seen.contains { $0.path.hasSuffix("/toolcalls") } })
        for _ in 0..<3 {
            for vital in Worker.Vital.allCases {
                let answered = Monitor(false)
                worker.ask(vital) { answered.update { $0 = true } }
                #expect(answered.wait(milliseconds: 10_000) { $0 ? true : nil } == true, "\(vital)")
            }
        }
        go.update { $0 = true }
        worker.drain()
        #expect(thread.join(milliseconds: 10_000))
        let answers = Monitor(0)
        for vital in Worker.Vital.allCases { worker.ask(vital) { answers.update { $0 += 1 } } }
        #expect(answers.read { $0 } == 3)
    }

    @Test func `leases are kept at a third of their time`() {
        var bench = Bench()
        let go = Monitor(false)
        bench.runner = blocking(go)
        queue(bench, shell("a", ["x"]), ttlMs: 600)
        let (worker, thread) = start(bench)
        #expect(bench.api.eventually { $0.seen.filter { $0.path.hasSuffix("/heartbeat") }.count >= 4 })
        go.update { $0 = true }
        #expect(bench.api.eventually { $0.runEnd == "complete" })
        let beats = bench.api.seen("/heartbeat").map(\.at)
        #expect(zip(beats, beats.dropFirst()).allSatisfy { (100...500).contains($1 - $0) })
        worker.drain()
        #expect(thread.join(milliseconds: 10_000))
    }

    @Test func `without heartbeats a run is lost before its lease ends and nothing is written`() {
        var bench = Bench()
        bench.runner = blocking(Monitor(false))
        bench.api.state.update { $0.isHeartDead = true }
        queue(bench, shell("a", ["x"]), ttlMs: 1_000)
        let begun = SystemClock().monotonicMilliseconds()
        let (worker, thread) = start(bench)
        #expect(bench.api.eventually { $0.calls.first?.status == .running })
        #expect(waitUntil { worker.heldRuns.isEmpty })
        let took = SystemClock().monotonicMilliseconds() - begun
        #expect((700...1_500).contains(took))
        #expect(bench.api.call("a")?.status == .running)
        #expect(bench.api.runEnd == nil)
        worker.drain()
        #expect(thread.join(milliseconds: 10_000))
    }

    @Test func `a cancel over the control line stops the run`() {
        var bench = Bench()
        bench.runner = blocking(Monitor(false))
        queue(bench, shell("a", ["x"]))
        let (worker, thread) = start(bench)
        #expect(bench.api.eventually { $0.calls.first?.status == .running })
        bench.api.state.update { $0.cancel = ["run_1"] }
        #expect(bench.api.eventually { $0.runEnd == "cancelled" })
        #expect(bench.api.step("a")?.status == .cancelled)
        worker.drain()
        #expect(thread.join(milliseconds: 10_000))
    }

    @Test func `a drain stops claiming, lets the running call finish and gives the rest back`() {
        var bench = Bench()
        let go = Monitor(false)
        bench.runner = blocking(go)
        queue(bench, shell("a", ["x"]), shell("b", ["x"], ["needs": ["a"]]))
        let (worker, thread) = start(bench)
        #expect(bench.api.eventually { $0.calls.first?.status == .running })
        worker.drain()
        queue(bench, shell("c", ["x"]))
        go.update { $0 = true }
        #expect(thread.join(milliseconds: 10_000))
        #expect(bench.api.step("a")?.status == .succeeded)
        #expect(bench.api.runEnd == "released")
        #expect(bench.api.state.read { $0.queue.count } == 1)
    }

    @Test func `after the grace period calls are stopped, and the harmless ones are left to be repeated`() {
        var bench = Bench()
        bench.runner = blocking(Monitor(false))
        queue(bench, shell("a", ["x"], ["effect": "none"]))
        let (worker, thread) = start(bench, graceMs: 100)
        #expect(bench.api.eventually { $0.calls.first?.status == .running })
        worker.drain()
        #expect(thread.join(milliseconds: 10_000))
        #expect(bench.api.runEnd == "released")
        #expect(bench.api.call("a")?.status == .running)
    }

    @Test func `a second drain does not wait for the grace period`() {
        var bench = Bench()
        bench.runner = blocking(Monitor(false))
        queue(bench, shell("a", ["x"]))
        let (worker, thread) = start(bench, graceMs: 60_000)
        #expect(bench.api.eventually { $0.calls.first?.status == .running })
        worker.drain()
        worker.drain()
        #expect(thread.join(milliseconds: 10_000))
        #expect(bench.api.call("a")?.status == .unknown)
        #expect(bench.api.runEnd == "released")
    }

    @Test func `the api's order to drain is obeyed`() {
        let bench = Bench()
        bench.api.state.update { $0.drain = true }
        let (_, thread) = start(bench)
        #expect(thread.join(milliseconds: 10_000))
    }
}
