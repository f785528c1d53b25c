import APIClient
import HTTP
import HTTPClient
import JSON
import Platform
import Shared
import Testing

extension EndToEnd {
    /// `kill -9` of the engine that holds a run, at any moment.
    @Suite(.serialized) struct EngineKillTests {
        private static let ttlMs = 1000
        private static let steps = ["first", "beside", "pure", "pay", "last"]
        /// How long after the lease's end the run may still take, with all it has left to do.
        private static let afterTTLMs = 2000

        @Test func `a killed engine's run is ended by the other, and nothing that was done is done again`() throws {
            let stage = try Stage(ttlMs: Self.ttlMs)
            try stage.startAPI()
            let gate = EngineGate(to: stage.address)
            let door = try gate.start()
            defer { gate.stop() }
            let room = try stage.room()
            let random = EndToEnd.random(2)
            var (toEnd, toWait, kinds) = (Figures(), Figures(), [String: Int]())
            var engines: [String: RunningProgram] = [:]
            for round in 1...EndToEnd.rounds(20) {
                while engines.count < 2 {
                    let name = "engine-\(round)-\(engines.count)"
                    engines[name] = try stage.startEngine(name, through: door)
                }
                let story = try kill(
                    round, stage, gate, room, &engines, afterSteps: Int(random.integer(in: 0...5)),
                    plusMs: random.integer(in: 0...80))
                kinds[story.kind, default: 0] += 1
                if let ns = story.endedAfterNs { toEnd.add(ns) }
                if let ns = story.waitedAfterNs { toWait.add(ns) }
            }
            // Nor has anything come to life after we looked.
            let late = (1...EndToEnd.rounds(20)).flatMap { Processes.naming(mark($0, stage)) }
            #expect(late.isEmpty, "left: \(late)")
            EndToEnd.say(
                "engine kills: \(kinds.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))"
            )
            EndToEnd.say(
                "kill to end by the other engine: \(toEnd.inMilliseconds); to waiting for a person: \(toWait.inMilliseconds)"
            )
            try stage.checkLog()
        }

        private struct Story {
            var kind: String
            var endedAfterNs: Int64?
            var waitedAfterNs: Int64?
        }

        /// Unlike that of any other test on the machine.
        private func mark(_ round: Int, _ stage: Stage) -> String { "mark\(round)-\(stage.folder.suffix(8))" }

        private func plan(_ stage: Stage, _ mark: String) -> JSONValue {
            func step(_ id: String, _ effect: String, needs: JSONValue = []) -> JSONValue {
                Plans.script(
                    id, ": \(mark); echo start >> \(mark)-\(id); sleep 0.06; echo end >> \(mark)-\(id)",
                    ["effect": .string(effect), "needs": needs])
            }
            return Plans.plan(
                [
                    step("first", "idempotent"), step("beside", "idempotent"),
                    step("pure", "none", needs: ["first"]), step("pay", "once", needs: ["pure"]),
                    step("last", "idempotent", needs: ["pay", "beside"]),
                ], workdir: stage.site, parallel: 2)
        }

        private func kill(
            _ round: Int, _ stage: Stage, _ gate: EngineGate, _ room: RoomID, _ engines: inout [String: RunningProgram],
            afterSteps: Int, plusMs: Int64
        ) throws -> Story {
            let clock = SystemClock()
            let mark = mark(round, stage)
            let run = try stage.submit(plan(stage, mark), in: room)
            let held = try stage.wait(for: run, milliseconds: 8_000) { $0.status != .queued }
            // Somewhere in the middle, however fast the machine is today.
            _ = eventually(milliseconds: 5_000) {
                Self.steps.count { Files.exists("\(stage.site)/\(mark)-\($0)") } >= afterSteps
            }
            pause(milliseconds: plusMs)
            guard let name = held.claimedByActorID, let victim = engines.removeValue(forKey: name) else {
                Issue.record("round \(round): nobody holds the run: \(held.status)")
                return Story(kind: "lost")
            }
            victim.killNow()
            let killedAt = clock.monotonicNanoseconds()
            // Before the lease can have run out: what is there now is an orphan.
            #expect(
                eventually(milliseconds: 400) {
                    Processes.naming(mark).isEmpty && Processes.naming(run.rawValue).isEmpty
                }, "round \(round): processes outlived the engine")
            let afterKill = try stage.run(run)
            let limit = Self.ttlMs + Self.afterTTLMs
            var story = Story(kind: "in time")
            let first = try stage.wait(for: run, milliseconds: limit) { $0.status.isTerminal || $0.status == .waiting }
            let firstNs = clock.monotonicNanoseconds() - killedAt
            #expect(
                first.status.isTerminal || first.status == .waiting,
                "round \(round): \(first.status) \(limit) ms after the kill")
            if first.status == .waiting {
                story = Story(kind: "unknown", waitedAfterNs: firstNs)
                let call = try #require(first.waits.first { $0.kind == .unknown }?.toolCallID)
                #expect(try stage.calls(run).first { $0.toolCallID == call }?.status == .unknown)
                try stage.client().call(
                    .resolveToolCall, ResolveToolCall(outcome: .succeeded, reason: "looked it up"),
                    ["tool_call_id": call.rawValue]
                ).expectOK()
                try stage.wait(for: run, milliseconds: 8_000)
            } else if afterKill.status.isTerminal {
                story.kind = "too late"
            } else {
                story.endedAfterNs = firstNs
            }
            let ended = try stage.run(run)
            #expect(ended.status == .succeeded, "round \(round): \(ended.status) \(ended.error)")
            try checkMarkers(round, stage, run, mark, victim: name)
            if story.kind != "too late" { try replay(round, stage, gate, run, room) }
            return story
        }

        /// What the files in the workdir say against what the log says.
        private func checkMarkers(_ round: Int, _ stage: Stage, _ run: RunID, _ mark: String, victim: String) throws {
            let events = try stage.events(of: run)
            let requeue = events.firstIndex { $0.eventType == "run.requeued" } ?? events.count
            let steps = Dictionary(
                uniqueKeysWithValues: events.filter { $0.eventType == "step.created" }.compactMap { event in
                    event.stepID.flatMap { id in event.data["plan_step_id"]?.stringValue.map { (id, $0) } }
                })
            var (done, begun): (Set<String>, Set<String>) = ([], [])
            for event in events[..<requeue] {
                guard let step = event.stepID.flatMap({ steps[$0] }) else { continue }
                // From here on nothing of it may be repeated.
                if event.eventType == "tool.succeeded" { done.insert(step) }
                if event.eventType == "tool.invoked" { begun.insert(step) }
            }
            for step in Self.steps {
                let starts = stage.lines("\(mark)-\(step)").filter { $0 == "start" }.count
                let isOnce = step == "pay"
                let allowed =
                    done.contains(step) || !begun.contains(step)
                    ? 1...1 : isOnce ? 0...1 : 1...2
                #expect(allowed.contains(starts), "round \(round): \(step) started \(starts) times, allowed \(allowed)")
            }
            let late = events[requeue...].filter { $0.actorID == victim }
            #expect(late.isEmpty, "round \(round): events of the dead engine: \(late.map(\.eventType))")
            #expect(events.filter { ["run.completed", "run.failed"].contains($0.eventType) }.count == 1)
        }

        /// Everything the dead engine might still send, under its own claim.
        private func replay(
            _ round: Int, _ stage: Stage, _ gate: EngineGate, _ run: RunID, _ room: RoomID
        ) throws {
            let old = try #require(gate.claims(of: run).first)
            let before = try stage.events([("room_id", room.rawValue)]).count
            let call = try #require(try stage.calls(run).first)
            let client = APIClient(
                transport: SocketTransport(pinned: stage.address, hostHeader: "\(stage.address)"),
                credential: .engine(old.engineID, token: old.engineToken), workspace: "ws_dev")
            let token = old.claimToken
            let (ofRun, ofStep) = (["run_id": run.rawValue], ["step_id": call.stepID.rawValue])
            let ofCall = ["tool_call_id": call.toolCallID.rawValue]
            let end = EndStep(claimToken: token, output: ["x": 1])
            let report = EndToolCall(claimToken: token, output: ["x": 1])
            refused(round) { try client.call(.heartbeat, Fenced(claimToken: token), ofRun) }
            refused(round) {
                try client.call(.createStep, CreateStep(claimToken: token, planStepID: "ghost", kind: "shell"), ofRun)
            }
            refused(round) {
                try client.call(
                    .requestToolCall,
                    RequestToolCall(claimToken: token, toolName: "shell", input: ["argv": ["true"]]), ofStep)
            }
            refused(round) { try client.call(.succeedStep, end, ofStep) }
            refused(round) { try client.call(.failStep, end, ofStep) }
            refused(round) { try client.call(.skipStep, end, ofStep) }
            refused(round) { try client.call(.cancelStep, end, ofStep) }
            refused(round) { try client.call(.succeedToolCall, report, ofCall) }
            refused(round) { try client.call(.failToolCall, report, ofCall) }
            refused(round) {
                try client.call(
                    .createArtifact,
                    CreateArtifact(claimToken: token, kind: "ghost", content: ["type": "text", "text": "x"]),
                    ofStep)
            }
            refused(round) {
                try client.call(
                    .parkRun, ParkRun(claimToken: token, waits: [Wait(.timer, wakeAt: Timestamp(milliseconds: 0))]),
                    ofRun)
            }
            refused(round) { try client.call(.completeRun, CompleteRun(claimToken: token), ofRun) }
            refused(round) { try client.call(.failRun, FailRun(claimToken: token), ofRun) }
            refused(round) { try client.call(.confirmCancelled, Fenced(claimToken: token), ofRun) }
            // Giving back what is gone is no error, and does nothing.
            let released = try client.call(.releaseRun, ReleaseRun(claimToken: token), ofRun)
            #expect(!released.released)
            let after = try stage.events([("room_id", room.rawValue)])
            #expect(after.count == before, "round \(round): \(after.dropFirst(before).map(\.eventType))")
        }

        private func refused<Answer>(
            _ round: Int, _ location: SourceLocation = #_sourceLocation, _ call: () throws -> Answer
        ) {
            let problem = refusal(of: call)
            #expect(
                problem?.status == 409, "round \(round): a dead engine's write: \(String(describing: problem))",
                sourceLocation: location)
        }

        @Test func `the writes of an engine that was only slow are refused while another holds the run`() throws {
            let stage = try Stage(ttlMs: Self.ttlMs)
            try stage.startAPI()
            let room = try stage.room()
            let (slow, _) = try stage.engineClient("slow")
            let (quick, _) = try stage.engineClient("quick")
            let run = try stage.submit(Plans.plan([Plans.script("one", "true")], workdir: stage.site), in: room)
            let mine = try #require(try slow.call(.claimRun, ClaimRun(plan: "required")).run)
            let ofRun = ["run_id": run.rawValue]
            let step = try slow.call(
                .createStep, CreateStep(claimToken: mine.claimToken, planStepID: "one", kind: "shell"), ofRun)
            let permit = try slow.call(
                .requestToolCall,
                RequestToolCall(claimToken: mine.claimToken, toolName: "shell", input: ["script": "true"]),
                ["step_id": step.stepID.rawValue])
            let clock = SystemClock()
            let begin = clock.monotonicMilliseconds()
            let theirs = try #require(try quick.call(.claimRun, ClaimRun(plan: "required", waitMs: 5_000)).run)
            let waited = clock.monotonicMilliseconds() - begin
            EndToEnd.say("re-claim after \(waited) ms with a lease of \(Self.ttlMs) ms")
            #expect(theirs.attemptNo == 2 && theirs.claimToken != mine.claimToken)
            #expect(waited >= Int64(Self.ttlMs) - 100 && waited <= Int64(Self.ttlMs) + 300)
            let before = try stage.events(of: run).count
            let token = mine.claimToken
            #expect(
                refusal(of: { try slow.call(.heartbeat, Fenced(claimToken: token), ofRun) })?.code
                    == .leaseTokenMismatch)
            #expect(
                refusal(of: {
                    try slow.call(
                        .succeedToolCall, EndToolCall(claimToken: token), ["tool_call_id": permit.toolCallID.rawValue])
                })?.code == .leaseTokenMismatch)
            #expect(
                refusal(of: {
                    try slow.call(.succeedStep, EndStep(claimToken: token), ["step_id": step.stepID.rawValue])
                })?.code == .leaseTokenMismatch)
            #expect(
                refusal(of: { try slow.call(.completeRun, CompleteRun(claimToken: token), ofRun) })?.code
                    == .leaseTokenMismatch)
            // Nor does the other's token help: it belongs to the other engine.
            #expect(
                refusal(of: {
                    try slow.call(.completeRun, CompleteRun(claimToken: theirs.claimToken), ofRun)
                })?.code == .leaseTokenMismatch)
            #expect(try stage.events(of: run).count == before)
            // The call in flight was `once`: nobody may repeat it.
            #expect(
                refusal(of: {
                    try quick.call(
                        .requestToolCall,
                        RequestToolCall(claimToken: theirs.claimToken, toolName: "shell", input: ["script": "true"]),
                        ["step_id": step.stepID.rawValue])
                })?.code == .outcomeUnknown)
            #expect(try stage.calls(run).map(\.status) == [.unknown])
            try stage.checkLog()
        }
    }
}
