import APIClient
import CLinux
import Crypto
import HTTP
import JSON
import Platform
import PostgresTestSupport
import Shared
import Testing

extension EndToEnd {
    /// What a run does on the machine is what the plan says, and what the log says it did.
    @Suite(.serialized) struct RealExecutionTests {
        @Test func `outputs are those of the real commands`() throws {
            let stage = try Stage()
            try stage.startAPI()
            try stage.startEngine("engine-1")
            let room = try stage.room()
            let text = (1...437).map { "line \($0) of some text\n" }.joined()
            try Files.writeAtomically(Array(text.utf8), to: "\(stage.site)/input.txt")
            let run = try stage.submit(
                Plans.plan(
                    [
                        Plans.step("count", "shell", ["argv": ["wc", "-l", "input.txt"]]),
                        Plans.script("hash", "sha256sum input.txt; echo done >&2"),
                        Plans.step(
                            "report", "file.write",
                            [
                                "path": "report.txt",
                                "text": "${{ run.id }} ${{ run.input.who }}: ${{ steps.count.output.stdout }}",
                            ], ["needs": ["count", "hash"]]),
                        Plans.script(
                            "copy", "printf %s \"$HASH\" > copy.txt",
                            ["needs": ["hash"], "artifacts": [["path": "copy.txt", "kind": "hash"]]]
                        ).settingWith("env", ["HASH": "${{ steps.hash.output.stdout }}"]),
                        Plans.step("read", "file.read", ["path": "report.txt"], ["needs": ["report"]]),
                    ], workdir: stage.site), in: room, input: ["who": "Ana"])
            let ended = try stage.wait(for: run)
            #expect(ended.status == .succeeded, "\(ended.error)")
            let hash = SHA256.text(Array(text.utf8)).dropFirst("sha256:".count)
            let steps = try stage.steps(run)
            #expect(steps["count"]?.output["stdout"] == "437 input.txt\n")
            #expect(steps["hash"]?.output["stdout"]?.stringValue == "\(hash)  input.txt\n")
            #expect(steps["hash"]?.output["stderr"] == "done\n")
            #expect(stage.lines("report.txt") == ["\(run) Ana: 437 input.txt"])
            #expect(stage.lines("copy.txt") == ["\(hash)  input.txt"])
            let artifacts = try stage.client().call(.artifacts, Nothing(), query: [("run_id", run.rawValue)]).artifacts
            let artifact = try #require(artifacts.first)
            let client = stage.client()
            let content = try client.send(client.request(.get, "/v1/artifacts/\(artifact.artifactID)/content"))
            #expect(String(decoding: content.body, as: UTF8.self) == "\(hash)  input.txt\n")
            #expect(artifact.sha256.map { $0.hasSuffix(SHA256.text(content.body).dropFirst(7)) } == true)
            try stage.checkLog()
        }

        @Test func `a failing command fails its step with its exit code and the end of its standard error`() throws {
            let stage = try Stage()
            try stage.startAPI()
            try stage.startEngine("engine-1")
            let run = try stage.submit(
                Plans.plan(
                    [
                        Plans.script(
                            "bad",
                            "echo before; for i in $(seq 1 3000); do echo noise $i >&2; done; echo the end >&2; exit 42"
                        ),
                        Plans.script("after", "touch after", ["needs": ["bad"]]),
                        Plans.script("rescue", "touch rescue", ["needs": ["bad"], "when": "failure"]),
                        Plans.script("tidy", "touch tidy", ["needs": ["bad", "rescue"], "when": "always"]),
                        Plans.script("apart", "touch apart"),
                        Plans.script("idle", "touch idle", ["needs": ["apart"], "when": "failure"]),
                    ], workdir: stage.site, parallel: 1), in: try stage.room())
            let ended = try stage.wait(for: run)
            #expect(ended.status == .failed)
            let steps = try stage.steps(run)
            let error = steps["bad"]?.error
            #expect(error?["exit_code"] == 42, "\(String(describing: error))")
            let tail = error?["stderr_tail"]?.stringValue ?? ""
            #expect(tail.hasSuffix("noise 3000\nthe end\n"))
            #expect(tail.utf8.count <= 2048)
            #expect(steps["after"]?.status == .skipped)
            #expect(steps["rescue"]?.status == .succeeded)
            #expect(steps["tidy"]?.status == .succeeded)
            #expect(steps["idle"]?.status == .skipped)
            #expect(!Files.exists("\(stage.site)/after") && !Files.exists("\(stage.site)/idle"))
            #expect(Files.exists("\(stage.site)/rescue") && Files.exists("\(stage.site)/tidy"))
            // After the failure nothing of the main line starts, unless its needs are met without it (RULINGS 29).
            #expect(steps["apart"]?.status == .succeeded)
            try stage.checkLog()
        }

        @Test func `a retry really retries, after the pause that was said`() throws {
            let stage = try Stage()
            try stage.startAPI()
            let engine = try stage.startEngine("engine-1")
            let run = try stage.submit(
                Plans.plan(
                    [
                        Plans.script(
                            "flaky",
                            "n=$(cat counter 2>/dev/null || echo 0); n=$((n+1)); echo $n > counter; echo try $n; test $n -ge 4",
                            ["retry": ["max_attempts": 5, "initial_ms": 200, "factor": 2, "max_ms": 1000]]),
                        Plans.script(
                            "hopeless", "echo x >> hopeless; exit 1",
                            [
                                "continue_on_error": true,
                                "retry": ["max_attempts": 2, "initial_ms": 1, "factor": 1, "max_ms": 1],
                            ]),
                    ], workdir: stage.site), in: try stage.room())
            let ended = try stage.wait(for: run)
            #expect(ended.status == .succeeded, "\(ended.error)")
            #expect(stage.lines("counter") == ["4"])
            #expect(stage.lines("hopeless").count == 2)
            let steps = try stage.steps(run)
            #expect(steps["flaky"]?.output["stdout"] == "try 4\n")
            #expect(steps["hopeless"]?.status == .failed)
            let events = try stage.events(of: run).filter { $0.stepID == steps["flaky"]?.stepID }
            let invoked = events.filter { $0.eventType == "tool.invoked" }
            let failed = events.filter { $0.eventType == "tool.failed" }
            #expect(invoked.map { $0.data["try_no"] } == [1, 2, 3, 4])
            #expect(Set(invoked.map { $0.data["effect_key"] }).count == 1)
            #expect(failed.count == 3)
            let waits = try engineLog(engine).filter {
                $0["event"] == "step_retry" && $0["step"] == "flaky"
            }.compactMap { $0["wait_ms"]?.intValue }
            #expect(waits.count == 3)
            for (index, wait) in waits.enumerated() where index < failed.count {
                let gap = invoked[index + 1].occurredAt.milliseconds - failed[index].occurredAt.milliseconds
                #expect(gap >= wait && wait <= 200 << index, "waited \(gap) ms, said \(wait) ms")
            }
        }

        @Test func `steps run side by side up to the limit, and after what they need`() throws {
            let stage = try Stage()
            try stage.startAPI()
            try stage.startEngine("engine-1")
            let side = (1...5).map { index in
                Plans.script("side\(index)", "echo + $(date +%s%N) >> times; sleep 0.25; echo - $(date +%s%N) >> times")
            }
            let run = try stage.submit(
                Plans.plan(
                    side + [
                        Plans.script(
                            "last", "echo last $(date +%s%N) >> times",
                            ["needs": ["side1", "side2", "side3", "side4", "side5"]])
                    ], workdir: stage.site, parallel: 2), in: try stage.room())
            #expect(try stage.wait(for: run).status == .succeeded)
            let times = stage.lines("times").map { $0.split(separator: " ").map(String.init) }
                .sorted { Int64($0[1])! < Int64($1[1])! }
            #expect(times.count == 11 && times.last?[0] == "last")
            var (now, most) = (0, 0)
            for time in times.dropLast() {
                now += time[0] == "+" ? 1 : -1
                most = max(most, now)
            }
            #expect(most == 2, "\(most) at once")
        }

        @Test func `a timeout kills the whole tree`() throws {
            let stage = try Stage()
            try stage.startAPI()
            try stage.startEngine("engine-1")
            let mark = "300.\(stage.folder.utf8.reduce(0) { ($0 * 31 + Int($1)) % 1_000_003 } + 1)"
            let run = try stage.submit(
                Plans.plan(
                    [
                        Plans.script(
                            "slow",
                            "setsid sleep \(mark) & (sleep \(mark) & sleep \(mark)) & touch started; sleep \(mark)",
                            ["timeout_ms": 700])
                    ], workdir: stage.site), in: try stage.room())
            #expect(eventually { Files.exists("\(stage.site)/started") && Processes.naming(mark).count >= 4 })
            let ended = try stage.wait(for: run)
            #expect(ended.status == .failed)
            #expect(try stage.steps(run)["slow"]?.error["code"] == "timeout")
            // It is reported when nothing is left, not before.
            #expect(Processes.naming(mark).isEmpty)
        }

        @Test func `an http step brings what the server says, with the secret that no event shows`() throws {
            let receiver = Receiver()
            let address = try receiver.start()
            defer { receiver.stop() }
            let secrets = "/tmp/aos-e2e-secrets-\(Program.processID)"
            try Files.makeFolder(secrets)
            defer { try? Files.removeTree(secrets) }
            let secret = "correct-horse-\(EndToEnd.seed)-battery"
            try Files.writeAtomically(Array(secret.utf8), to: "\(secrets)/REPORTS_TOKEN", mode: 0o600)
            let stage = try Stage(["EGRESS_ALLOW": "\(address)", "ENGINE_SECRETS_DIR": secrets])
            try stage.startAPI()
            let engine = try stage.startEngine("engine-1")
            let run = try stage.submit(
                Plans.plan(
                    [
                        Plans.step(
                            "get", "http",
                            [
                                "method": "GET", "url": .string("http://\(address)/data?x=1"),
                                "headers": ["authorization": "Bearer ${{ secrets.REPORTS_TOKEN }}"],
                                "expect_status": 201,
                            ]),
                        Plans.script(
                            "leak",
                            "echo \"$TOKEN\"; printf %s \"$TOKEN\" | base64; printf %s \"$TOKEN\" | od -An -tx1 | tr -d ' \\n'; echo \"$TOKEN\" >&2; test $TOKEN = x",
                            ["continue_on_error": true]
                        ).settingWith("env", ["TOKEN": "${{ secrets.REPORTS_TOKEN }}"]),
                    ], workdir: stage.site), in: try stage.room())
            let ended = try stage.wait(for: run)
            #expect(ended.status == .succeeded, "\(ended.error)")
            #expect(receiver.all.map(\.path) == ["/data?x=1"])
            #expect(receiver.all.first?.authorization == "Bearer \(secret)")
            let steps = try stage.steps(run)
            #expect(steps["get"]?.output["json"]?["taken"] == true)
            #expect(steps["leak"]?.error["stdout_tail"]?.stringValue?.hasPrefix("***\n") == true)
            // Neither in the database nor in a log, in no form.
            let forms = [secret, base64(secret), Hex.text(Array(secret.utf8))].map { Array($0.utf8) }
            #expect(stage.api.terminate(milliseconds: 10_000) == .code(0))
            for column in ["evt_events", "proj_tool_calls", "proj_steps"] {
                let rows = try stage.place.rows("SELECT row_to_json(t)::text FROM \(column) t").joined()
                for form in forms { #expect(!Stage.contains(Array(rows.utf8), form), "\(column) holds the secret") }
            }
            for path in ["\(stage.data)/aos.db", "\(stage.data)/aos.db-wal", "\(stage.folder)/api.log", engine.logPath]
            {
                let bytes = (try? Files.read(path, bytesMax: 1 << 28)) ?? []
                for form in forms { #expect(!Stage.contains(bytes, form), "\(path) holds the secret") }
            }
        }

        @Test func `cancel kills the tree within a second and then says so`() throws {
            let stage = try Stage()
            try stage.startAPI()
            try stage.startEngine("engine-1")
            let mark = "301.\(stage.folder.utf8.reduce(0) { ($0 * 31 + Int($1)) % 1_000_003 } + 1)"
            let run = try stage.submit(
                Plans.plan(
                    [
                        Plans.script("long", "setsid sleep \(mark) & sleep \(mark) & sleep \(mark)"),
                        Plans.script("after", "touch after", ["needs": ["long"]]),
                        Plans.script("tidy", "touch tidy", ["needs": ["long"], "when": "always"]),
                    ], workdir: stage.site), in: try stage.room())
            #expect(eventually { Processes.naming(mark).count >= 3 })
            let clock = SystemClock()
            let asked = clock.monotonicNanoseconds()
            let answer = try stage.client().call(
                .cancelRun, CancelRun(reason: "enough"), ["run_id": run.rawValue])
            #expect(answer.status == .running)
            #expect(eventually(milliseconds: 5_000) { Processes.naming(mark).isEmpty })
            let gone = clock.monotonicNanoseconds() - asked
            #expect(gone < 1_000_000_000, "the tree was gone after \(gone / 1_000_000) ms")
            let ended = try stage.wait(for: run)
            EndToEnd.say(
                "cancel: tree gone after \(gone / 1_000_000) ms, run cancelled after \((clock.monotonicNanoseconds() - asked) / 1_000_000) ms"
            )
            #expect(ended.status == .cancelled && ended.cancelReason == "enough")
            let steps = try stage.steps(run)
            #expect(steps["long"]?.status == .cancelled)
            #expect(steps["after"]?.status == .skipped || steps["after"]?.status == .cancelled)
            #expect(steps["tidy"]?.status == .succeeded)
            let types = try stage.events(of: run).map(\.eventType)
            let (requested, cancelled) = (
                types.firstIndex(of: "run.cancel_requested"), types.firstIndex(of: "run.cancelled")
            )
            // What the run did is sealed with it, and nothing comes after.
            #expect(requested != nil && cancelled == types.count - 2 && types.last == "evidence.manifest.created")
        }

        @Test func `SIGTERM lets the running call finish, gives the run back as drained, and exits 0`() throws {
            let stage = try Stage()
            try stage.startAPI()
            let first = try stage.startEngine("engine-1")
            let run = try stage.submit(
                Plans.plan(
                    [
                        Plans.script("slow", "echo x >> slow; sleep 0.6; echo end >> slow"),
                        Plans.script("next", "echo x >> next", ["needs": ["slow"]]),
                    ], workdir: stage.site), in: try stage.room())
            #expect(eventually { !stage.lines("slow").isEmpty })
            #expect(first.terminate(milliseconds: 8_000) == .code(0))
            #expect(stage.lines("slow") == ["x", "end"])
            let left = try stage.run(run)
            #expect(left.status == .queued)
            let requeued = try stage.events(of: run).filter { $0.eventType == "run.requeued" }
            #expect(requeued.map { $0.data["reason"] } == ["drained"])
            #expect(try stage.steps(run)["slow"]?.status == .succeeded)
            try stage.startEngine("engine-2")
            #expect(try stage.wait(for: run).status == .succeeded)
            #expect(stage.lines("slow") == ["x", "end"] && stage.lines("next") == ["x"])
        }

        @Test func `when the grace is over SIGTERM breaks off what runs, and another engine goes on`() throws {
            let stage = try Stage()
            try stage.startAPI()
            let first = try stage.startEngine("engine-1", ["ENGINE_GRACE_MS": "200"])
            let run = try stage.submit(
                Plans.plan(
                    [
                        Plans.script(
                            "again", "echo x >> again; test $(wc -l < again) -ge 2 || sleep 300",
                            ["effect": "idempotent"])
                    ], workdir: stage.site), in: try stage.room())
            #expect(eventually { !stage.lines("again").isEmpty })
            #expect(first.terminate(milliseconds: 8_000) == .code(0), "\(first.logTail())")
            #expect(try stage.run(run).status == .queued)
            try stage.startEngine("engine-2")
            #expect(try stage.wait(for: run).status == .succeeded)
            #expect(stage.lines("again").count == 2)
        }

        private func engineLog(_ engine: RunningProgram) throws -> [JSONValue] {
            try Files.read(engine.logPath, bytesMax: 1 << 24).split(separator: UInt8(ascii: "\n"))
                .compactMap { try? JSON.parse(Array($0)) }
        }

        private func base64(_ text: String) -> String {
            let url = Base64URL.text(Array(text.utf8))
            return String(url.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
        }
    }
}
